#include "fs/refs/refs.h"

#include <errno.h>
#include <string.h>

static const char *const names[] = {
	[HF_REFS_NONE] = "none",
	[HF_REFS_DJANGO_4_2] = "django-4.2",
	[HF_REFS_DJANGO_5_2] = "django-5.2",
	[HF_REFS_DJANGO_6_0] = "django-6.0",
	[HF_REFS_DJANGO_6_1] = "django-6.1",
};

int hf_refs_profile_parse(const char *text, enum hf_refs_profile *ret)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(names); i++) {
		if (strcmp(text, names[i]) == 0) {
			*ret = (enum hf_refs_profile)i;
			return 0;
		}
	}
	return -EINVAL;
}

static bool ends_with(const char *path, size_t len, const char *ending)
{
	size_t ending_len = strlen(ending);

	return len >= ending_len &&
	       memcmp(path + len - ending_len, ending, ending_len) == 0;
}

bool hf_refs_applies(const struct hf_refs_config *config, const char *path)
{
	size_t len = strlen(path);

	return config->profile != HF_REFS_NONE &&
	       (ends_with(path, len, ".css") || ends_with(path, len, ".js"));
}
