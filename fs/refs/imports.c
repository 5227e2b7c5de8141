/*
 * imports: what a script refers to and Django leaves alone: modules, URLs of
 * its own place, workers. The tokens between a keyword and the string lead
 * from state to state; whatever fits nowhere leads back to the start.
 */
#include "fs/refs/internal.h"

#include <string.h>

/* --- scripts ------------------------------------------------------------- */

/* What a token is to a reference. */
enum sort {
	STRING = 1 << 0,
	IMPORT = 1 << 1,
	EXPORT = 1 << 2,
	FROM = 1 << 3,
	NEW = 1 << 4,
	URL_CLASS = 1 << 5,
	WORKER = 1 << 6,
	META = 1 << 7,
	URL_PROPERTY = 1 << 8,
	WORD = 1 << 9,
	OPEN = 1 << 10,
	CLOSE = 1 << 11,
	COMMA = 1 << 12,
	DOT = 1 << 13,
	STAR = 1 << 14,
	BRACE = 1 << 15,
	OTHER = 1 << 16,
};

#define CLAUSE_TOKENS (WORD | URL_CLASS | WORKER | COMMA | STAR | BRACE)

enum state {
	START,
	AFTER_IMPORT,
	AFTER_EXPORT,
	IN_CLAUSE,
	AFTER_FROM,
	CALL_OPEN,
	CALL_STRING,
	AFTER_NEW,
	URL_NAME,
	URL_OPEN,
	URL_STRING,
	URL_COMMA,
	URL_IMPORT,
	URL_DOT,
	URL_META,
	URL_LAST_DOT,
	WORKER_NAME,
	WORKER_OPEN,
	WORKER_STRING,
	/* A reference is complete: */
	DONE_MODULE,
	DONE_URL,
};

/* From `from`, a token of one of the sorts leads to `to`; any other one to
 * START. */
static const struct {
	enum state from;
	unsigned sorts;
	enum state to;
} rules[] = {
	/* import "./a.js"; import("./a.js"); import.meta is another thing */
	{AFTER_IMPORT, STRING, DONE_MODULE},
	{AFTER_IMPORT, OPEN, CALL_OPEN},
	{AFTER_IMPORT, FROM | CLAUSE_TOKENS, IN_CLAUSE},
	{CALL_OPEN, STRING, CALL_STRING},
	{CALL_STRING, CLOSE | COMMA, DONE_MODULE},
	/* import a, {b as c} from "./a.js"; export * from "./a.js" */
	{AFTER_EXPORT, STAR | BRACE, IN_CLAUSE},
	{IN_CLAUSE, FROM, AFTER_FROM},
	{IN_CLAUSE, STRING | CLAUSE_TOKENS, IN_CLAUSE},
	{AFTER_FROM, STRING, DONE_MODULE},
	{AFTER_FROM, FROM, AFTER_FROM},
	{AFTER_FROM, CLAUSE_TOKENS, IN_CLAUSE},
	/* new URL("a.png", import.meta.url) */
	{AFTER_NEW, URL_CLASS, URL_NAME},
	{URL_NAME, OPEN, URL_OPEN},
	{URL_OPEN, STRING, URL_STRING},
	{URL_STRING, COMMA, URL_COMMA},
	{URL_COMMA, IMPORT, URL_IMPORT},
	{URL_IMPORT, DOT, URL_DOT},
	{URL_DOT, META, URL_META},
	{URL_META, DOT, URL_LAST_DOT},
	{URL_LAST_DOT, URL_PROPERTY, DONE_URL},
	/* new Worker("a.js", {type: "module"}) */
	{AFTER_NEW, WORKER, WORKER_NAME},
	{WORKER_NAME, OPEN, WORKER_OPEN},
	{WORKER_OPEN, STRING, WORKER_STRING},
	{WORKER_STRING, CLOSE | COMMA, DONE_URL},
};

static const struct {
	const char *text;
	enum hf_token_type type;
	enum sort sort;
} words[] = {
	{"import", HF_TOKEN_WORD, IMPORT},
	{"export", HF_TOKEN_WORD, EXPORT},
	{"from", HF_TOKEN_WORD, FROM},
	{"new", HF_TOKEN_WORD, NEW},
	{"URL", HF_TOKEN_WORD, URL_CLASS},
	{"Worker", HF_TOKEN_WORD, WORKER},
	{"meta", HF_TOKEN_PROPERTY, META},
	{"url", HF_TOKEN_PROPERTY, URL_PROPERTY},
	{"(", HF_TOKEN_SIGN, OPEN},
	{")", HF_TOKEN_SIGN, CLOSE},
	{",", HF_TOKEN_SIGN, COMMA},
	{".", HF_TOKEN_SIGN, DOT},
	{"*", HF_TOKEN_SIGN, STAR},
	{"{", HF_TOKEN_SIGN, BRACE},
	{"}", HF_TOKEN_SIGN, BRACE},
};

static enum sort sort_of(const struct hf_plain *plain,
			 const struct hf_token *token)
{
	const char *text = plain->text + token->at;

	if (token->type == HF_TOKEN_STRING)
		return STRING;
	for (size_t i = 0; i < HF_ARRAY_SIZE(words); i++)
		if (token->type == words[i].type &&
		    hf_text_is(text, token->len, words[i].text))
			return words[i].sort;
	return token->type == HF_TOKEN_WORD ? WORD : OTHER;
}

/* Can it be one of the words behind which something begins? */
static bool begins(const struct hf_plain *plain, const struct hf_token *token)
{
	char first = plain->text[token->at];

	return first == 'i' || first == 'e' || first == 'n';
}

static enum state follow(enum state state, enum sort sort)
{
	for (size_t i = 0; state != START && i < HF_ARRAY_SIZE(rules); i++)
		if (rules[i].from == state && rules[i].sorts & sort)
			return rules[i].to;
	switch (sort) {
	case IMPORT:
		return AFTER_IMPORT;
	case EXPORT:
		return AFTER_EXPORT;
	case NEW:
		return AFTER_NEW;
	default:
		return START;
	}
}

/* --- scripts that cannot refer to anything ------------------------------- */

/* As far as this goes, such a byte is of the word beside it. */
static bool is_of_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_' || c == '$';
}

/* Does that word stand anywhere? */
static bool has_word(const struct hf_plain *plain, const char *word)
{
	const char *text = plain->text;
	const char *end = text + plain->len;
	size_t len = strlen(word);

	while ((text = memmem(text, (size_t)(end - text), word, len))) {
		if ((text == plain->text || !is_of_word(text[-1])) &&
		    (text + len == end || !is_of_word(text[len])))
			return true;
		text += len;
	}
	return false;
}

/* Each way through the rules goes by one of these words; without them, and
 * most scripts that were bundled have none, there is nothing to be told. */
static bool may_refer(const struct hf_plain *plain)
{
	return has_word(plain, "import") || has_word(plain, "Worker") ||
	       (has_word(plain, "export") && has_word(plain, "from"));
}

int hf_plain_scan_script(struct hf_plain *plain)
{
	return may_refer(plain) ? hf_plain_scan_tokens(plain) : 0;
}

int hf_plain_scan_tokens(struct hf_plain *plain)
{
	struct hf_script script = {.text = plain->text, .len = plain->len};
	struct hf_token token;
	struct hf_token string = {0};
	enum state state = START;
	int r = 0;

	while (r == 0 && hf_script_next(&script, &token)) {
		enum sort sort;

		/* Only a keyword begins something; nearly all of a script is
		 * passed over here. */
		if (state == START && token.type != HF_TOKEN_WORD)
			continue;
		sort = state == START && !begins(plain, &token)
			       ? WORD
			       : sort_of(plain, &token);
		state = follow(state, sort);
		if (sort == STRING)
			string = token;
		if (state == DONE_MODULE)
			r = hf_plain_tell(plain, HF_PLAIN_MODULE, string.at,
					  string.len);
		else if (state == DONE_URL)
			r = hf_plain_tell(plain, HF_PLAIN_URL, string.at,
					  string.len);
		if (state >= DONE_MODULE)
			state = START;
	}
	if (r == 0)
		r = hf_buf_status(&script.open);
	hf_buf_fini(&script.open);
	return r;
}
