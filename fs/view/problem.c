/*
 * problem: what is told about a file, in words. One sentence each; the path
 * stands before it.
 */
#include "fs/view/internal.h"

#include <errno.h>
#include <string.h>

const char *hf_problem_kind(enum hf_problem problem)
{
	static const char *const kinds[] = {
		[HF_PROBLEM_NONE] = "",
		[HF_PROBLEM_UNREADABLE] = "unreadable",
		[HF_PROBLEM_LINK] = "link",
		[HF_PROBLEM_SPECIAL] = "special",
		[HF_PROBLEM_SHADOWED] = "shadowed",
		[HF_PROBLEM_NAME] = "name",
		[HF_PROBLEM_TOO_LONG] = "too-long",
		[HF_PROBLEM_TAKEN] = "taken",
	};

	return kinds[problem];
}

static const char *link_text(int error)
{
	switch (error) {
	case EACCES:
		return "leaves its source (see -o follow)";
	case EXDEV:
		return "crosses into another file system (see -o xdev)";
	case ELOOP:
		return "leads in a circle";
	case ENOENT:
		return "leads nowhere: its target is missing";
	default:
		return "cannot be followed";
	}
}

void hf_problem_describe(enum hf_problem problem, int error, struct hf_buf *ret)
{
	switch (problem) {
	case HF_PROBLEM_NONE:
		break;
	case HF_PROBLEM_UNREADABLE:
		hf_buf_printf(ret, "cannot be read: %s",
			      error == EBUSY ? "it changes all the time"
					     : strerror(error));
		break;
	case HF_PROBLEM_LINK:
		hf_buf_printf(ret, "link that %s", link_text(error));
		break;
	case HF_PROBLEM_SPECIAL:
		hf_buf_puts(ret, "left out: not a file but a FIFO, socket or "
				 "device");
		break;
	case HF_PROBLEM_SHADOWED:
		hf_buf_puts(ret, "left out: an earlier source has a file "
				 "where this one has a directory, or the "
				 "other way round");
		break;
	case HF_PROBLEM_NAME:
		hf_buf_puts(ret, "stands under its plain name: as a URL its "
				 "name would mean another file");
		break;
	case HF_PROBLEM_TOO_LONG:
		hf_buf_puts(ret, "stands under its plain name: with a hash "
				 "its name would be too long");
		break;
	case HF_PROBLEM_TAKEN:
		hf_buf_puts(ret, error ? "left out: another file is presented "
					 "under this name"
				       : "stands under its plain name: another "
					 "file is presented under its hashed "
					 "name");
		break;
	}
}
