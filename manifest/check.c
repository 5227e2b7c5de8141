/* check: what is worth telling about a tree; also the first half of snapshot
 * --strict. */
#include "manifest/verb.h"

#include <errno.h>

/* 1 if --ignore names it, 0 if not, or -ENOMEM. */
static int is_ignored(const struct hf_strings *globs,
		      const struct hf_finding *finding, struct hf_buf *text)
{
	hf_buf_reset(text);
	hf_buf_printf(text, "%s:%s", finding->path, finding->url);
	if (hf_buf_status(text) < 0)
		return -ENOMEM;
	return hf_globs_match(globs, text->data);
}

int hf_verb_ignore(const struct hf_arguments *arguments,
		   struct hf_findings *findings)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf text = {0};
	size_t kept = 0;

	for (size_t i = 0; i < findings->n; i++) {
		struct hf_finding row = findings->rows[i];
		int ignored = is_ignored(&arguments->ignore, &row, &text);

		if (ignored < 0)
			return ignored;
		/* Each row stays in the list: it is freed with it. */
		if (!ignored) {
			findings->rows[i] = findings->rows[kept];
			findings->rows[kept++] = row;
		}
	}
	for (size_t i = kept; i < findings->n; i++)
		free(findings->rows[i].text);
	findings->n = kept;
	return 0;
}

static int print(const struct hf_arguments *arguments,
		 const struct hf_findings *findings)
{
	HF_CLEANUP(hf_buf_fini) struct hf_buf text = {0};

	if (arguments->given & HF_GIVEN_JSON) {
		if (hf_findings_json(findings, &text) < 0)
			return hf_verb_fail(-ENOMEM, NULL);
	} else {
		for (size_t i = 0; i < findings->n; i++)
			hf_finding_print(&findings->rows[i], &text);
	}
	return hf_verb_print(&text);
}

int hf_verb_check(const struct hf_arguments *arguments)
{
	HF_CLEANUP(hf_findings_fini) struct hf_findings findings = {0};
	const struct hf_tree tree = {.findings = &findings};
	int code = hf_verb_has_tree(arguments);

	if (code == HF_EXIT_GOOD)
		code = hf_verb_load(arguments, &tree);
	if (code == HF_EXIT_GOOD && hf_verb_ignore(arguments, &findings) < 0)
		code = hf_verb_fail(-ENOMEM, NULL);
	if (code == HF_EXIT_GOOD)
		code = print(arguments, &findings);
	return code == HF_EXIT_GOOD && findings.n ? HF_EXIT_FINDINGS : code;
}
