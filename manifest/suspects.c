#include "manifest/suspects.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "manifest/circles.h"

/* A style sheet or script above that is never rewritten. */
#define TEXT_MAX (32 * 1024 * 1024)

int hf_suspects_add(struct hf_suspects *suspects,
		    const struct hf_manifest_row *row, const char *digest,
		    bool missing)
{
	struct hf_suspect *made;

	if (suspects->n == suspects->cap) {
		size_t cap = suspects->cap ? 2 * suspects->cap : 16;

		made = reallocarray(suspects->items, cap, sizeof(*made));
		if (!made)
			return -ENOMEM;
		suspects->items = made;
		suspects->cap = cap;
	}
	made = &suspects->items[suspects->n++];
	*made = (struct hf_suspect){.row = row, .missing = missing};
	stpncpy(made->digest, digest, sizeof(made->digest) - 1);
	return 0;
}

void hf_suspects_fini(struct hf_suspects *suspects)
{
	free(suspects->items);
	*suspects = (struct hf_suspects){0};
}

/* Without a map all stay. */
static void ask_mount(struct hf_suspects *suspects, const char *place)
{
	HF_CLEANUP(hf_manifest_fini) struct hf_manifest map = {0};
	HF_CLEANUP(hf_freep) char *why = NULL;
	size_t n = 0;

	if (hf_manifest_read_map(place, NULL, &map, &why) < 0)
		return;
	hf_manifest_sort(&map);
	for (size_t i = 0; i < suspects->n; i++) {
		struct hf_suspect *suspect = &suspects->items[i];
		const struct hf_manifest_row *row =
			hf_manifest_find(&map, suspect->row->path);

		if (!row || strcmp(row->name, suspect->row->name) != 0 ||
		    strcmp(row->content, suspect->digest) != 0)
			suspects->items[n++] = *suspect;
	}
	suspects->n = n;
}

static int read_text(const char *place, int dir_fd, const char *name,
		     struct hf_buf *ret)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf path = {0};
	struct stat st;
	int error;

	hf_buf_puts(ret, "");
	if (fstatat(dir_fd, name, &st, 0) < 0 || st.st_size > TEXT_MAX)
		return 0;
	hf_buf_printf(&path, "%s/%s", place, name);
	error = hf_buf_status(&path);
	if (error == 0)
		error = hf_input_read(path.data, ret);
	/* It was read a moment ago; what is gone now refers to nothing. */
	return error == -ENOMEM ? error : 0;
}

static int find_circles(struct hf_suspects *suspects, const char *place,
			int dir_fd, struct hf_member *members,
			struct hf_buf *texts)
{
	int error = 0;

	for (size_t i = 0; i < suspects->n && error == 0; i++) {
		const struct hf_suspect *suspect = &suspects->items[i];
		const char *name = suspect->row->name;

		error = read_text(place, dir_fd, name, &texts[i]);
		members[i] = (struct hf_member){
			.name = name,
			.data = texts[i].data,
			.len = texts[i].len,
			/* Only what is rewritten can be one of a circle. */
			.unknown =
				suspect->missing && hf_manifest_is_code(name),
		};
	}
	if (error == 0)
		error = hf_circles_find(members, suspects->n);
	for (size_t i = 0; i < suspects->n && error == 0; i++)
		suspects->items[i].circular = members[i].circular;
	return error;
}

int hf_suspects_judge(struct hf_suspects *suspects, const char *place,
		      int dir_fd)
{
	struct hf_member *members;
	struct hf_buf *texts;
	int error;

	if (suspects->n)
		ask_mount(suspects, place);
	if (!suspects->n)
		return 0;
	members = calloc(suspects->n, sizeof(*members));
	texts = calloc(suspects->n, sizeof(*texts));
	error = members && texts
			? find_circles(suspects, place, dir_fd, members, texts)
			: -ENOMEM;
	for (size_t i = 0; texts && i < suspects->n; i++)
		hf_buf_fini(&texts[i]);
	free(texts);
	free(members);
	return error;
}
