#include "tools/place.h"

#include <errno.h>
#include <string.h>

#define NAME "hashedfs-run.XXXXXX"

/* A new directory in `parent`, which may be NULL or "". */
static int make_in(const char *parent, char **ret)
{
	struct hf_buf path = {0};
	char *made;
	int r;

	/* As the XDG rules have it: a relative path does not count. */
	if (!parent || *parent != '/')
		return -ENOENT;
	hf_buf_printf(&path, "%s/" NAME, parent);
	r = hf_buf_steal(&path, &made);
	if (r < 0)
		return r;
	if (!mkdtemp(made)) {
		r = -errno;
		free(made);
		return r;
	}
	*ret = made;
	return 0;
}

int hf_place_make(bool shared, char **ret, char **why)
{
	int r = shared ? -ENOENT : make_in(getenv("XDG_RUNTIME_DIR"), ret);

	if (r < 0)
		r = make_in(getenv("TMPDIR"), ret);
	if (r < 0)
		r = make_in("/tmp", ret);
	return r < 0 ? hf_why(r, why,
			      "cannot make a directory to mount on in /tmp "
			      "(%s); choose one with --at DIR",
			      strerror(-r))
		     : 0;
}
