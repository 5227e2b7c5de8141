/*
 * place: where the reader of a directory is. An offset behind "." and ".." is
 * the source name of the entry that was given last, as a number: so a reader
 * finds its place in another listing, too. Listings have the order of those
 * names, so that whatever stands in both comes once.
 */
#include "fs/fuse/internal.h"

#include <errno.h>
#include <string.h>

/* A file's hashed name and its plain one are two places. */
#define HASHED UINT64_C(1)
/* Greater than the offsets of the dots, and no negative off_t. */
#define LISTED (UINT64_C(1) << 62)

static uint64_t number_of(const struct hf_fs *fs, const char *source)
{
	uint64_t hash = hf_siphash(fs->place_key, source, strlen(source));

	return LISTED | (hash >> 2 & ~HASHED);
}

off_t hf_place_behind(const struct hf_fs *fs, const struct hf_entry *entry)
{
	uint64_t number = number_of(fs, entry->source);

	return (off_t)(number | (entry->kind == HF_KIND_HASHED ? HASHED : 0));
}

/* The source name of a place, or NULL. */
static const char *find_name(const struct hf_fs *fs,
			     const struct hf_catalog *names, off_t place)
{
	uint64_t number = (uint64_t)place & ~HASHED;
	const char *name = names ? hf_catalog_name(names, 0) : NULL;

	for (size_t i = 1; name && number_of(fs, name) != number; i++)
		name = hf_catalog_name(names, i);
	return name;
}

/* The first entry behind those of a source name. */
static size_t first_behind(const struct hf_listing *listing, const char *source)
{
	size_t i = 0;

	while (i < hf_listing_len(listing) &&
	       strcmp(hf_listing_entry(listing, i)->source, source) <= 0)
		i++;
	return i;
}

int hf_place_find(const struct hf_fs *fs, off_t place,
		  const struct hf_listing *listing,
		  const struct hf_catalog *names, size_t *ret)
{
	const char *name;

	for (size_t i = 0; i < hf_listing_len(listing); i++) {
		if (hf_place_behind(fs, hf_listing_entry(listing, i)) ==
		    place) {
			*ret = i + 1;
			return 0;
		}
	}
	name = find_name(fs, names, place);
	if (!name)
		return -ESTALE;
	*ret = first_behind(listing, name);
	return 0;
}
