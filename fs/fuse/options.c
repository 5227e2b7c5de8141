/* The -o words of a mount. No libfuse here: the words are checked where
 * libfuse is not installed. */
#include "fs/fuse/fuse.h"

#include <errno.h>
#include <string.h>

static int set_allow_other(void *target, const char *value, char **why)
{
	(void)value;
	(void)why;
	((struct hf_mount_config *)target)->allow_other = true;
	return 0;
}

static int set_nonempty(void *target, const char *value, char **why)
{
	(void)value;
	(void)why;
	((struct hf_mount_config *)target)->nonempty = true;
	return 0;
}

static int set_noexec(void *target, const char *value, char **why)
{
	(void)value;
	(void)why;
	((struct hf_mount_config *)target)->noexec = true;
	return 0;
}

/* fstab's "user" implies noexec, and a later "exec" takes it back. */
static int set_exec(void *target, const char *value, char **why)
{
	(void)value;
	(void)why;
	((struct hf_mount_config *)target)->noexec = false;
	return 0;
}

static int set_xattr(void *target, const char *value, char **why)
{
	(void)value;
	(void)why;
	((struct hf_mount_config *)target)->xattr = true;
	return 0;
}

static int set_control(void *target, const char *value, char **why)
{
	struct hf_mount_config *config = target;

	if (strcmp(value, "owner") == 0) {
		config->control = HF_CONTROL_OWNER;
	} else if (strcmp(value, "all") == 0) {
		config->control = HF_CONTROL_ALL;
	} else if (strcmp(value, "none") == 0) {
		config->control = HF_CONTROL_NONE;
	} else {
		*why = strdup("must be owner, all or none");
		return *why ? -EINVAL : -ENOMEM;
	}
	return 0;
}

static int set_fsname(void *target, const char *value, char **why)
{
	struct hf_mount_config *config = target;
	char *copy = strdup(value);

	(void)why;
	if (!copy)
		return -ENOMEM;
	hf_unbackslash(copy);
	free(config->fsname);
	config->fsname = copy;
	return 0;
}

static const struct hf_option rows[] = {
	{"allow_other", NULL, "let other users see the mount", set_allow_other},
	{"nonempty", NULL, "mount over a directory that holds files",
	 set_nonempty},
	{"noexec", NULL, "refuse to run programs from the mount", set_noexec},
	{"xattr", NULL, "show user.hashedfs.source, .digest, .kind", set_xattr},
	{"control", "WHO", "who sees .hashedfs: owner (default), all, none",
	 set_control},
	{"fsname", "NAME", "source in mount tables (the SOURCES)", set_fsname},

	/* What fstab(5), mount(8) and mount.fuse(8) hand to every file
	 * system. The mount is always ro, nosuid, nodev and judged by
	 * default_permissions, whatever these say. */
	{"exec", NULL, NULL, set_exec},
	{"ro", NULL, NULL, NULL},
	{"rw", NULL, NULL, NULL},
	{"defaults", NULL, NULL, NULL},
	{"default_permissions", NULL, NULL, NULL},
	{"suid", NULL, NULL, NULL},
	{"nosuid", NULL, NULL, NULL},
	{"dev", NULL, NULL, NULL},
	{"nodev", NULL, NULL, NULL},
	{"async", NULL, NULL, NULL},
	{"sync", NULL, NULL, NULL},
	{"atime", NULL, NULL, NULL},
	{"noatime", NULL, NULL, NULL},
	{"relatime", NULL, NULL, NULL},
	{"norelatime", NULL, NULL, NULL},
	{"strictatime", NULL, NULL, NULL},
	{"nodiratime", NULL, NULL, NULL},
	{"auto", NULL, NULL, NULL},
	{"noauto", NULL, NULL, NULL},
	{"user", NULL, NULL, NULL},
	{"nouser", NULL, NULL, NULL},
	{"users", NULL, NULL, NULL},
	{"owner", NULL, NULL, NULL},
	{"group", NULL, NULL, NULL},
	{"nofail", NULL, NULL, NULL},
	{"_netdev", NULL, NULL, NULL},
	{"subtype", "TYPE", NULL, NULL},
	{"comment", "TEXT", NULL, NULL},
	{"uhelper", "PROGRAM", NULL, NULL},
	{"x-*", NULL, NULL, NULL},
	{"X-*", NULL, NULL, NULL},
};

void hf_mount_config_init(struct hf_mount_config *config)
{
	*config = (struct hf_mount_config){.control = HF_CONTROL_OWNER};
}

void hf_mount_config_fini(struct hf_mount_config *config)
{
	free(config->fsname);
	*config = (struct hf_mount_config){0};
}

struct hf_option_set hf_mount_options(struct hf_mount_config *config)
{
	return (struct hf_option_set){rows, HF_ARRAY_SIZE(rows), config};
}
