#include "tools/mounting.h"

#include <errno.h>

#include "tools/device.h"

int hf_mounting_init(struct hf_mounting *mounting)
{
	int r = hf_program_init(&mounting->program);

	mounting->mountpoint = (struct hf_mountpoint){.lock_fd = -1};
	mounting->unanswered = NULL;
	if (r == 0)
		r = hf_unanswered_new(&mounting->unanswered);
	hf_mount_config_init(&mounting->config);
	mounting->program.mount = hf_mount_options(&mounting->config);
	return r;
}

void hf_mounting_fini(struct hf_mounting *mounting)
{
	hf_mountpoint_fini(&mounting->mountpoint);
	hf_unanswered_free(mounting->unanswered);
	hf_mount_config_fini(&mounting->config);
	hf_program_fini(&mounting->program);
}

/* SOURCE[:SOURCE...] as given, but resolved: findmnt(8) shows it, and
 * mount(8) compares it with fstab. */
static int default_fsname(struct hf_mounting *mounting)
{
	const struct hf_root_specs *roots =
		&mounting->program.view.source.roots;
	struct hf_buf name = {0};

	if (mounting->config.fsname)
		return 0;
	for (size_t i = 0; i < roots->n; i++) {
		const struct hf_root_spec *root = &roots->items[i];

		hf_buf_puts(&name, i > 0 ? ":" : "");
		if (root->prefix[0] != '\0')
			hf_buf_printf(&name, "%s=", root->prefix);
		hf_buf_puts(&name, root->dir);
	}
	return hf_buf_steal(&name, &mounting->config.fsname);
}

int hf_mounting_place(struct hf_mounting *mounting, char *given)
{
	char *why = NULL;
	int status =
		given ? hf_program_check(&mounting->program)
		      : hf_program_refuse(HF_EXIT_ENVIRONMENT, -ENOMEM, NULL);
	int r = 0;

	hf_mountpoint_fini(&mounting->mountpoint); /* of an earlier try */
	if (status == 0)
		r = default_fsname(mounting);
	if (status == 0 && r == 0)
		r = hf_mountpoint_prepare(given, mounting->config.nonempty,
					  &mounting->program.view.source.roots,
					  &mounting->mountpoint, &why);
	free(given);
	return r < 0 ? hf_program_refuse(HF_EXIT_ENVIRONMENT, r, why) : status;
}

int hf_mounting_check(struct hf_mounting *mounting, char *given)
{
	char *why = NULL;
	int status = hf_mounting_place(mounting, given);
	int r;

	if (status != 0)
		return status;
	r = hf_device_check(mounting->config.allow_other, &why);
	return r < 0 ? hf_program_refuse(HF_EXIT_ENVIRONMENT, r, why) : 0;
}
