/* fs/view/carried.c: the hash in a name, found again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "fs/view/name.h"
#include "fs/view/view.h"

static void configure(struct hf_config *config, const char *options)
{
	struct hf_option_set set;
	char *why = NULL;

	assert_int_equal(hf_config_init(config), 0);
	set = hf_config_options(config);
	assert_int_equal(hf_options_parse(&set, 1, options, &why), 0);
	assert_int_equal(hf_config_check(config, &why), 0);
}

/* Options, a name, whether it carries a hash. */
static const struct {
	const char *options;
	const char *name;
	bool carries;
} names[] = {
	{"", "css/app.0123456789ab.css", true},
	{"", "app.0123456789ab", true},
	{"", "a.b.0123456789ab.css", true},
	{"", "0123456789ab.0123456789ab.css", true},
	{"", "app.css", false},
	{"", "0123456789ab.css", false},
	{"", ".0123456789ab.css", false},
	{"", "app.0123456789a.css", false},
	{"", "app.0123456789abc.css", false},
	{"", "app.0123456789AB.css", false},
	{"", "app.0123456789ab.min.css", false},
	{"", "app-0123456789ab.css", false},
	{"", "0123456789ab.css/app.css", false},
	{"", "app.0123456789ab/app.css", false},
	{"", "", false},
	{"style=rev", "app-0123456789.css", true},
	{"style=rev", "a-b-0123456789.css", true},
	{"style=rev", "app.0123456789.css", false},
	{"style=rev", "-0123456789.css", false},
	{"style=phoenix", "app-0123456789abcdef0123456789abcdef.js", true},
	{"style=phoenix", "app-0123456789ab.js", false},
	{"name=%h.%n%e", "0123456789ab.app.css", true},
	{"name=%h.%n%e", "0123456789ab..app", true},
	{"name=%h.%n%e", "app.0123456789ab.css", false},
	{"name=%h.%n%e", "0123456789ab.", false},
	{"name=x%h-%n_%e", "x0123456789ab-app_.css", true},
	{"name=x%h-%n_%e", "x0123456789ab-app_", true},
	{"name=x%h-%n_%e", "x0123456789ab-app.css", false},
	{"name=%n.%h%%%e", "app.0123456789ab%.css", true},
	{"name=%n.%h%%%e", "app.0123456789ab.css", false},
};

static void knows_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(names); i++) {
		struct hf_config config;
		bool carries;

		configure(&config, names[i].options);
		assert_int_equal(
			hf_config_carries(&config, names[i].name, &carries), 0);
		if (carries != names[i].carries)
			fail_msg("%s of %s", names[i].name, names[i].options);
		hf_config_fini(&config);
	}
}

/* Whatever a file is called: what is put into its name is found in it. */
static void finds_what_was_put_in(void **state)
{
	static const char *const templates[] = {"%n.%h%e", "%n-%h%e", "%h.%n%e",
						"v%h_%n-%e", "%n%h%e"};
	static const char *const paths[] = {
		"a.css",
		"d/a.b.js",
		"a",
		".a",
		"d.x/a-b",
		"a b.css",
		"d/0123456789abcdef.0123456789abcdef"};
	static const char hex[] = "fedcba9876543210fedcba9876543210";

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(templates); i++) {
		for (size_t k = 0; k < HF_ARRAY_SIZE(paths); k++) {
			struct hf_config config;
			struct hf_name_template template;
			struct hf_buf name = {0}, hash = {0};
			const char *flaw;
			bool carries;

			configure(&config, "");
			free(config.name_template);
			config.name_template = strdup(templates[i]);
			assert_int_equal(hf_name_template_init(&template,
							       templates[i], 12,
							       &flaw),
					 0);
			assert_int_equal(hf_name_forward(&template, paths[k],
							 hex, &name),
					 0);
			assert_int_equal(
				hf_config_carries(&config, name.data, &carries),
				0);
			assert_true(carries);
			assert_int_equal(hf_config_hash_in(&config, paths[k],
							   name.data, &hash),
					 0);
			assert_string_equal(hash.data, "fedcba987654");
			hf_buf_reset(&hash);
			assert_int_equal(hf_config_hash_in(&config, paths[k],
							   paths[k], &hash),
					 -ENOENT);
			hf_buf_fini(&name);
			hf_buf_fini(&hash);
			hf_name_template_fini(&template);
			hf_config_fini(&config);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_names),
		cmocka_unit_test(finds_what_was_put_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
