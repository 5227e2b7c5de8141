/*
 * stored: what is on disk of one directory: a row, read whole or not at all, and
 * written with the secret that only our own databases know.
 */
#include "fs/digest/remembered.h"

#include <errno.h>

int hf_stored_parse(struct hf_store *store, const uint64_t key[2], int found,
		    const struct hf_buf *row, struct hf_records *ret)
{
	int error;

	if (found <= 0)
		return found;
	error = hf_row_read(hf_store_secret(store), key, row->data, row->len,
			    ret);
	if (error == -EBADMSG)
		hf_store_spoilt(store);
	return error == -ENOMEM ? error : error == 0;
}

int hf_stored_get(struct hf_store *store, const uint64_t key[2],
		  struct hf_buf *row, struct hf_records *ret)
{
	int found = hf_store_get(store, key, row);

	return hf_stored_parse(store, key, found, row, ret);
}

static int put(struct hf_store *store, const uint64_t key[2], uint32_t day,
	       const struct hf_records *records)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf row = {0};
	int error;

	if (!records->n)
		return hf_store_put(store, key, 0, NULL);
	error = hf_row_write(hf_store_secret(store), key, records, &row);
	if (error == 0)
		error = hf_store_put(store, key, day, &row);
	return error;
}

int hf_stored_change(struct hf_store *store, const struct hf_delta *delta,
		     uint32_t today, uint32_t oldest)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf row = {0};
	HF_CLEANUP(hf_records_fini) struct hf_records old = {0};
	HF_CLEANUP(hf_records_fini) struct hf_records merged = {0};
	int error = hf_stored_get(store, delta->key, &row, &old);

	if (error < 0)
		return error;
	error = hf_records_merge(&old, &delta->changes, oldest, &merged);
	return error < 0 ? error : put(store, delta->key, today, &merged);
}
