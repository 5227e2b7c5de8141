/* What the verbs have in common. */
#include "manifest/verb.h"

#include <errno.h>
#include <string.h>

int hf_verb_misused(char *why)
{
	hf_log(HF_LOG_ERROR, "%s", why ? why : strerror(ENOMEM));
	free(why);
	return HF_EXIT_USAGE;
}

int hf_verb_fail(int error, char *why)
{
	hf_log(HF_LOG_ERROR, "%s", why ? why : strerror(-error));
	free(why);
	if (error == -EAGAIN || error == -ENODATA)
		return HF_EXIT_INCOMPLETE;
	return HF_EXIT_ENVIRONMENT;
}

int hf_verb_print(struct hf_buf *text)
{
	struct hf_output output;
	char *why = NULL;
	int error = hf_buf_status(text);

	if (error == 0)
		error = hf_output_open(NULL, &output, &why);
	if (error < 0)
		return hf_verb_fail(error, why);
	error = hf_output_write(&output, text->data, text->len, &why);
	hf_output_close(&output);
	return error < 0 ? hf_verb_fail(error, why) : HF_EXIT_GOOD;
}

int hf_verb_read_mount(const struct hf_arguments *arguments, char *mount,
		       struct hf_manifest *ret, char **why)
{
	struct hf_meter *meter = hf_meter_start(
		arguments->given & HF_GIVEN_QUIET, hf_work_of_mount, mount);
	int error = hf_manifest_read_map(mount, ret, why);

	hf_meter_stop(meter);
	return error;
}
