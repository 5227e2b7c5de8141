/*
 * verify: every mapped file is there, and its bytes are those of its name. By
 * its integrity value, if the manifest has one; else by the hash in the name,
 * which of files that refer to each other in a circle says nothing of the
 * bytes: a mount knows their content digests, and nothing else does.
 */
#include "manifest/verb.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "manifest/bytes.h"
#include "manifest/suspects.h"

struct verifying {
	const struct hf_config *config;
	const char *place;
	int dir_fd;
	struct hf_suspects suspects;
	struct hf_buf findings;
	size_t n_findings;
	size_t n_unchecked;
};

static void verifying_fini(struct verifying *verifying)
{
	hf_closep(&verifying->dir_fd);
	hf_suspects_fini(&verifying->suspects);
	hf_buf_fini(&verifying->findings);
}

static void tell(struct verifying *verifying, const struct hf_manifest_row *row,
		 const char *sentence)
{
	hf_escape(&verifying->findings, row->name, strlen(row->name));
	hf_buf_printf(&verifying->findings, ": %s\n", sentence);
}

static void find(struct verifying *verifying, const struct hf_manifest_row *row,
		 const char *sentence)
{
	verifying->n_findings++;
	tell(verifying, row, sentence);
}

/* --- one row ------------------------------------------------------------- */

/* No part of the name leaves the directory. */
static bool stays_inside(const char *name)
{
	if (*name == '/')
		return false;
	while (name) {
		size_t len = strcspn(name, "/");

		if (len == 2 && !strncmp(name, "..", 2))
			return false;
		name = name[len] ? name + len + 1 : NULL;
	}
	return true;
}

static int judge(struct verifying *verifying, const struct hf_manifest_row *row,
		 const char *hash, const struct hf_bytes *bytes)
{
	if (*row->integrity) {
		if (strcmp(row->integrity, bytes->integrity.data) != 0)
			find(verifying, row,
			     "its bytes are not those of its integrity value");
		return 0;
	}
	if (strncmp(bytes->digest, hash, strlen(hash)) == 0)
		return 0;
	return hf_suspects_add(&verifying->suspects, row, bytes->digest, false);
}

static int check_file(struct verifying *verifying,
		      const struct hf_manifest_row *row, const char *hash)
{
	struct hf_bytes bytes = {0};
	char sentence[128];
	int error = hf_bytes_hash(verifying->dir_fd, row->name,
				  *hash ? verifying->config->algorithm : NULL,
				  hf_manifest_algorithm(row), &bytes);

	if (error == 0)
		error = judge(verifying, row, hash, &bytes);
	if (error < 0 && error != -ENOMEM &&
	    hf_suspects_add(&verifying->suspects, row, "", true) < 0)
		error = -ENOMEM;
	hf_buf_fini(&bytes.integrity);
	if (error == -ENOMEM || error == -ENOTSUP)
		return error;
	if (error == -ENOENT || error == -ENOTDIR) {
		find(verifying, row, "is not there");
	} else if (error < 0) {
		snprintf(sentence, sizeof(sentence), "cannot be read: %s",
			 error == -EINVAL ? "Not a regular file"
					  : strerror(-error));
		find(verifying, row, sentence);
	}
	return 0;
}

static int check_row(struct verifying *verifying,
		     const struct hf_manifest_row *row)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf hash = {0};
	bool plain = !strcmp(row->path, row->name);
	int error = 0;

	hf_buf_puts(&hash, "");
	if (!stays_inside(row->name)) {
		find(verifying, row, "is a name outside of the directory");
		return 0;
	}
	if (!plain)
		error = hf_config_hash_in(verifying->config, row->path,
					  row->name, &hash);
	if (error == -ENOENT && !*row->integrity) {
		find(verifying, row,
		     "carries no hash of this style; -o style= and -o length= "
		     "say which one");
		return 0;
	}
	if (error < 0 && error != -ENOENT)
		return error;
	error = hf_buf_status(&hash);
	return error < 0 ? error : check_file(verifying, row, hash.data);
}

static int judge_suspects(struct verifying *verifying)
{
	struct hf_suspects *suspects = &verifying->suspects;
	int error = hf_suspects_judge(suspects, verifying->place,
				      verifying->dir_fd);

	for (size_t i = 0; error == 0 && i < suspects->n; i++) {
		const struct hf_suspect *suspect = &suspects->items[i];

		if (suspect->missing)
			continue;
		if (!suspect->circular) {
			find(verifying, suspect->row,
			     "its bytes are not those of its name");
			continue;
		}
		verifying->n_unchecked++;
		tell(verifying, suspect->row,
		     "cannot be checked: it is one of files that refer to each "
		     "other in a circle, and the manifest has no integrity "
		     "values");
	}
	return error;
}

/* --- the verb ------------------------------------------------------------ */

static int conclude(struct verifying *verifying, size_t n)
{
	int code;

	hf_buf_puts(&verifying->findings, "");
	code = hf_verb_print(&verifying->findings);
	hf_log(HF_LOG_INFO, "%zu files: %zu findings, %zu cannot be checked", n,
	       verifying->n_findings, verifying->n_unchecked);
	if (code != HF_EXIT_GOOD)
		return code;
	if (verifying->n_findings)
		return HF_EXIT_FINDINGS;
	return verifying->n_unchecked ? HF_EXIT_INCOMPLETE : HF_EXIT_GOOD;
}

static int verify(struct verifying *verifying,
		  const struct hf_manifest *manifest)
{
	const struct hf_manifest_row *row;
	size_t cursor = 0, n = 0;
	int error = 0;

	while (error == 0 && (row = hf_manifest_next(manifest, &cursor))) {
		error = check_row(verifying, row);
		n++;
	}
	if (error == 0)
		error = judge_suspects(verifying);
	return error < 0 ? hf_verb_fail(error, NULL) : conclude(verifying, n);
}

static int run(const struct hf_arguments *arguments,
	       const struct hf_config *config)
{
	HF_CLEANUP(hf_manifest_fini) struct hf_manifest manifest = {0};
	HF_CLEANUP(verifying_fini)
	struct verifying verifying = {
		.config = config, .place = arguments->words[2], .dir_fd = -1};
	HF_CLEANUP(hf_freep) char *shown = hf_escaped(verifying.place);
	char *why = NULL;
	int code = hf_verb_read(arguments, arguments->words[1], &manifest);

	if (code != HF_EXIT_GOOD)
		return code;
	verifying.dir_fd =
		open(verifying.place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (verifying.dir_fd >= 0)
		return verify(&verifying, &manifest);
	hf_why(-errno, &why, "cannot open %s: %s", shown ? shown : "?",
	       strerror(errno));
	return hf_verb_fail(-ENOENT, why);
}

int hf_verb_verify(const struct hf_arguments *arguments)
{
	return hf_verb_with_config(arguments, run);
}
