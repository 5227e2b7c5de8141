/*
 * row: what is remembered of one directory, as the bytes that are stored.
 *
 *   sum      16   of the row's own key and all that follows
 *   record   any number of, sorted by key:
 *     key    16
 *     day     4   when it was last of use
 *     len     4
 *     data   len
 *
 * Numbers are little endian. The sum is keyed: what fits it was written by
 * somebody who knows the secret, for this row, and is whole.
 */
#include "fs/digest/remembered.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#define SUM_LEN 16
#define HEAD_LEN 24

static void add_number(struct hf_buf *buf, uint64_t number, size_t len)
{
	uint64_t bytes = htole64(number);

	hf_buf_add(buf, &bytes, len);
}

static uint64_t number_at(const char *data, size_t len)
{
	uint64_t bytes = 0;

	memcpy(&bytes, data, len);
	return le64toh(bytes);
}

static void sum_of(const uint64_t secret[2], const uint64_t key[2],
		   const char *body, size_t len, uint64_t ret[2])
{
	uint64_t own[2] = {secret[0] ^ key[0], secret[1] ^ key[1]};

	hf_siphash128(own, body, len, ret);
}

static int compare_keys(const uint64_t a[2], const uint64_t b[2])
{
	if (a[0] != b[0])
		return a[0] < b[0] ? -1 : 1;
	return a[1] < b[1] ? -1 : a[1] > b[1];
}

static int compare_records(const void *a, const void *b)
{
	const struct hf_record *x = a;
	const struct hf_record *y = b;

	return compare_keys(x->key, y->key);
}

int hf_records_add(struct hf_records *records, const struct hf_record *record)
{
	if (records->n == records->cap) {
		size_t cap = records->cap ? 2 * records->cap : 16;
		struct hf_record *items =
			realloc(records->items, cap * sizeof(*items));

		if (!items)
			return -ENOMEM;
		records->items = items;
		records->cap = cap;
	}
	records->items[records->n++] = *record;
	return 0;
}

void hf_records_sort(struct hf_records *records)
{
	if (records->n)
		qsort(records->items, records->n, sizeof(*records->items),
		      compare_records);
}

void hf_records_fini(struct hf_records *records)
{
	free(records->items);
	*records = (struct hf_records){0};
}

int hf_row_write(const uint64_t secret[2], const uint64_t key[2],
		 const struct hf_records *records, struct hf_buf *ret)
{
	uint64_t sum[2] = {0};

	hf_buf_reset(ret);
	hf_buf_add(ret, sum, SUM_LEN);
	for (size_t i = 0; i < records->n; i++) {
		const struct hf_record *record = &records->items[i];

		add_number(ret, record->key[0], 8);
		add_number(ret, record->key[1], 8);
		add_number(ret, record->day, 4);
		add_number(ret, record->len, 4);
		hf_buf_add(ret, record->data, record->len);
	}
	if (hf_buf_status(ret) < 0)
		return -ENOMEM;
	sum_of(secret, key, ret->data + SUM_LEN, ret->len - SUM_LEN, sum);
	sum[0] = htole64(sum[0]);
	sum[1] = htole64(sum[1]);
	memcpy(ret->data, sum, SUM_LEN);
	return 0;
}

/* The record at data[0, len); returns its length, or 0 if there is none. */
static size_t read_record(const char *data, size_t len, struct hf_record *ret)
{
	if (len < HEAD_LEN)
		return 0;
	ret->key[0] = number_at(data, 8);
	ret->key[1] = number_at(data + 8, 8);
	ret->day = (uint32_t)number_at(data + 16, 4);
	ret->len = (uint32_t)number_at(data + 20, 4);
	ret->data = data + HEAD_LEN;
	return ret->len <= len - HEAD_LEN ? HEAD_LEN + ret->len : 0;
}

static int read_records(const char *data, size_t len, struct hf_records *ret)
{
	while (len > 0) {
		struct hf_record record;
		size_t n = read_record(data, len, &record);
		int error;

		if (n == 0 ||
		    (ret->n &&
		     compare_records(&ret->items[ret->n - 1], &record) >= 0))
			return -EBADMSG;
		error = hf_records_add(ret, &record);
		if (error < 0)
			return error;
		data += n;
		len -= n;
	}
	return 0;
}

int hf_row_read(const uint64_t secret[2], const uint64_t key[2],
		const char *data, size_t len, struct hf_records *ret)
{
	struct hf_records records = {0};
	uint64_t sum[2];
	int error;

	if (len < SUM_LEN)
		return -EBADMSG;
	sum_of(secret, key, data + SUM_LEN, len - SUM_LEN, sum);
	if (number_at(data, 8) != sum[0] || number_at(data + 8, 8) != sum[1])
		return -EBADMSG;
	error = read_records(data + SUM_LEN, len - SUM_LEN, &records);
	if (error < 0)
		hf_records_fini(&records);
	else
		*ret = records;
	return error;
}

/* The next record of the merged row, taken from the front of one or both. */
static const struct hf_record *next(const struct hf_records *old, size_t *i,
				    const struct hf_records *changes, size_t *k)
{
	const struct hf_record *a = *i < old->n ? &old->items[*i] : NULL;
	const struct hf_record *b =
		*k < changes->n ? &changes->items[*k] : NULL;
	int order = !a ? 1 : !b ? -1 : compare_records(a, b);

	*i += order <= 0;
	*k += order >= 0;
	return order < 0 ? a : b;
}

int hf_records_merge(const struct hf_records *old,
		     const struct hf_records *changes, uint32_t oldest,
		     struct hf_records *ret)
{
	size_t i = 0;
	size_t k = 0;
	int error = 0;

	while ((i < old->n || k < changes->n) && error == 0) {
		const struct hf_record *record = next(old, &i, changes, &k);

		if (record->len > 0 && record->day >= oldest)
			error = hf_records_add(ret, record);
	}
	return error;
}
