#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "manifest/manifest.h"

#define ROW_A "css/a.css\tcss/a.1e50.css\thashed\t1e50\t1e50\t12\t-\n"
#define ROW_B "b\\tb\tb\\tb.1.png\thashed\t1\t1\t0\t-\n"

static int parse(const char *text, struct hf_manifest *ret, char **why)
{
	*why = NULL;
	return hf_manifest_parse_map(text, strlen(text), "/m\n", false, ret,
				     why);
}

static void reads_rows(void **state)
{
	struct hf_manifest manifest = {0};
	char *why;

	(void)state;
	assert_int_equal(
		parse(ROW_A ROW_B
		      "#end\t#end\tkept\t-\t-\t1\t-\n"
		      "fifo\t\tplain\t-\t-\t0\tis a FIFO\n"
		      "no\tno.1\thashed\t1\t-\t0\t!cannot be read: \\x80\n"
		      "-\t-\tplain\t-\t-\t0\tcannot carry a hash\n"
		      "#end\t6\t17\n",
		      &manifest, &why),
		0);
	assert_int_equal(manifest.n, 6);
	assert_string_equal(manifest.rows[0].path, "css/a.css");
	assert_string_equal(manifest.rows[0].name, "css/a.1e50.css");
	assert_string_equal(manifest.rows[0].problem, "");
	assert_string_equal(manifest.rows[1].path, "b\tb");
	assert_string_equal(manifest.rows[1].name, "b\tb.1.png");
	assert_string_equal(manifest.rows[2].path, "#end");
	assert_string_equal(manifest.rows[3].name, "");
	assert_string_equal(manifest.rows[3].problem, "is a FIFO");
	assert_false(manifest.rows[3].failed);
	assert_true(manifest.rows[4].failed);
	assert_string_equal(manifest.rows[4].problem, "cannot be read: \x80");
	assert_string_equal(manifest.rows[5].path, "-");
	assert_string_equal(manifest.rows[5].problem, "cannot carry a hash");
	assert_false(manifest.rows[5].failed);
	hf_manifest_fini(&manifest);
}

static void reads_integrity(void **state)
{
	static const char text[] = "a\ta.1\thashed\t1\t1\t3\t-\tsha384-Zm9v\n"
				   "b\tb\tkept\t-\t-\t4\t!left out\t-\n"
				   "#end\t2\t17\n";
	struct hf_manifest manifest = {0};
	char *why = NULL;

	(void)state;
	assert_int_equal(hf_manifest_parse_map(text, strlen(text), "/m", true,
					       &manifest, &why),
			 0);
	assert_string_equal(manifest.rows[0].integrity, "sha384-Zm9v");
	assert_string_equal(manifest.rows[0].digest, "1");
	assert_int_equal(manifest.rows[0].size, 3);
	assert_string_equal(manifest.rows[1].integrity, "");
	assert_string_equal(manifest.rows[1].digest, "");
	hf_manifest_fini(&manifest);
	assert_int_equal(hf_manifest_parse_map(ROW_A "#end\t1\t1\n",
					       strlen(ROW_A) + 9, "/m", true,
					       &manifest, &why),
			 -ENODATA);
	free(why);
	hf_manifest_fini(&manifest);
}

static void reads_an_empty_map(void **state)
{
	struct hf_manifest manifest = {0};
	char *why;

	(void)state;
	assert_int_equal(parse("#end\t0\t1\n", &manifest, &why), 0);
	assert_int_equal(manifest.n, 0);
}

static const char *const incomplete[] = {
	"",
	"\n",
	"#end\t0\t1",
	"#end\t0\n",
	"#end\t1\t1\n",
	"#end\t00\t1\n",
	ROW_A,
	ROW_A "#end\t0\t1\n",
	ROW_A "#end\t2\t1\n",
	ROW_A "#en\t1\t1\n",
	ROW_A "#end\t1\t1\n" ROW_B,
	ROW_A "#end\t1\t1\n#end\t1\t1\n",
	ROW_A "\n#end\t1\t1\n",
	"a\tb\thashed\t1\t1\t0\n#end\t1\t1\n",
	"a\tb\thashed\t1\t1\t0\t-\tx\n#end\t1\t1\n",
	"a\\q\tb\thashed\t1\t1\t0\t-\n#end\t1\t1\n",
	"a\tb\\\thashed\t1\t1\t0\t-\n#end\t1\t1\n",
};

static void refuses_incomplete_maps(void **state)
{
	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(incomplete); i++) {
		struct hf_manifest manifest = {0};
		char *why;

		assert_int_equal(parse(incomplete[i], &manifest, &why),
				 -ENODATA);
		assert_string_equal(
			why, "/m\\n/.hashedfs/map is incomplete; try again");
		free(why);
		hf_manifest_fini(&manifest);
	}
}

static void refuses_what_is_no_mount(void **state)
{
	struct hf_manifest manifest = {0};
	char *why = NULL;

	(void)state;
	assert_int_equal(hf_manifest_read_map("/", NULL, &manifest, &why),
			 -ENOENT);
	assert_non_null(strstr(why, "/ is not a hashedfs mount"));
	assert_non_null(strstr(why, "--source"));
	free(why);
	assert_int_equal(
		hf_manifest_read_map("/no/such", NULL, &manifest, &why),
		-ENOENT);
	assert_string_equal(why,
			    "cannot read /no/such: No such file or directory");
	free(why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_rows),
		cmocka_unit_test(reads_integrity),
		cmocka_unit_test(reads_an_empty_map),
		cmocka_unit_test(refuses_incomplete_maps),
		cmocka_unit_test(refuses_what_is_no_mount),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
