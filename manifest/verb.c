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

int hf_verb_read(const struct hf_arguments *arguments, const char *file,
		 struct hf_manifest *ret)
{
	char *why = NULL;
	int error = hf_document_read(&arguments->document, file, ret, &why);

	if (error < 0)
		return hf_verb_fail(error, why);
	hf_manifest_sort(ret);
	return HF_EXIT_GOOD;
}

int hf_verb_configure(const struct hf_arguments *arguments,
		      struct hf_config *config, char **why)
{
	struct hf_option_set set = hf_config_options(config);
	int error = 0;

	for (size_t i = 0; i < arguments->view.n && error == 0; i++)
		error = hf_options_parse(&set, 1, arguments->view.items[i],
					 why);
	return error;
}

int hf_verb_with_config(const struct hf_arguments *arguments,
			int (*run)(const struct hf_arguments *arguments,
				   const struct hf_config *config))
{
	struct hf_config config;
	char *why = NULL;
	int error = hf_config_init(&config);
	int code;

	if (error == 0)
		error = hf_verb_configure(arguments, &config, &why);
	if (error == 0)
		error = hf_config_check(&config, &why);
	if (error == -EINVAL)
		code = hf_verb_misused(why);
	else
		code = error < 0 ? hf_verb_fail(error, why)
				 : run(arguments, &config);
	hf_config_fini(&config);
	return code;
}

int hf_verb_read_mount(const struct hf_arguments *arguments, char *mount,
		       struct hf_manifest *ret, char **why)
{
	struct hf_meter *meter = hf_meter_start(
		arguments->given & HF_GIVEN_QUIET, hf_work_of_mount, mount);
	int error = hf_manifest_read_map(mount, NULL, ret, why);

	hf_meter_stop(meter);
	return error;
}
