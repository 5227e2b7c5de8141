/*
 * script: tokens of JavaScript, as far as somebody needs them who looks for
 * references: words, strings, and one sign after the other. Comments are
 * passed over, and so are regular expressions, whose quotes would otherwise
 * open strings.
 *
 * Linear: what was searched for in vain to the end of a line is not searched
 * for on that line again.
 */
#include "fs/refs/internal.h"

#include <string.h>

#define SEEN_SINGLE 0
#define SEEN_DOUBLE 1
#define SEEN_REGEX 2

static char byte_at(const struct hf_script *script, size_t at)
{
	return at < script->len ? script->text[at] : '\0';
}

/* The length of the white space character at `at`, or 0. A byte order mark is
 * one, wherever it stands. */
static size_t blank_at(const struct hf_script *script, size_t at)
{
	char c = byte_at(script, at);
	uint32_t code_point;
	size_t n;

	if ((unsigned char)c < 0x80)
		return at < script->len && (unsigned char)c <= ' ';
	n = hf_utf8_decode(script->text + at, script->len - at, &code_point);
	return n && (hf_is_space(code_point) || code_point == 0xfeff) ? n : 0;
}

/* Of ASCII: a bit for each of "$", 0 to 9, A to Z, "_" and a to z. */
static bool is_word_byte(unsigned char c)
{
	static const uint64_t bits[2] = {UINT64_C(0x03ff001000000000),
					 UINT64_C(0x07fffffe87fffffe)};

	return c < 0x80 && bits[c / 64] >> c % 64 & 1;
}

static bool is_word_at(const struct hf_script *script, size_t at)
{
	unsigned char c = (unsigned char)byte_at(script, at);

	return c < 0x80 ? is_word_byte(c) : blank_at(script, at) == 0;
}

/* --- brackets ------------------------------------------------------------ */

/*
 * The brackets that are open: "{", "(", "`" for the hole of a template, and
 * "c" for the condition of a statement, behind which no value stands.
 */
static void open_bracket(struct hf_script *script, char bracket)
{
	hf_buf_putc(&script->open, bracket);
	script->braces += bracket == '{' || bracket == '`';
}

static char last_open(const struct hf_script *script)
{
	const struct hf_buf *open = &script->open;

	return open->len && !open->failed ? open->data[open->len - 1] : '\0';
}

static void pop(struct hf_script *script)
{
	char bracket = last_open(script);

	script->braces -= bracket == '{' || bracket == '`';
	script->open.len--;
}

/* The brace that "}" closes; parentheses inside it are forgotten. */
static char close_brace(struct hf_script *script)
{
	char bracket = '\0';

	if (script->braces == 0 || script->open.failed)
		return bracket;
	do {
		bracket = last_open(script);
		pop(script);
	} while (bracket != '{' && bracket != '`');
	return bracket;
}

static char close_parenthesis(struct hf_script *script)
{
	char bracket = last_open(script);

	if (bracket != '(' && bracket != 'c')
		return '\0';
	pop(script);
	return bracket;
}

/* --- what is passed over ------------------------------------------------- */

static size_t line_end(const struct hf_script *script, size_t at)
{
	const char *end = memchr(script->text + at, '\n', script->len - at);

	return end ? (size_t)(end - script->text) : script->len;
}

static size_t comment_end(const struct hf_script *script, size_t at)
{
	const char *end =
		memmem(script->text + at + 2, script->len - at - 2, "*/", 2);

	return end ? (size_t)(end - script->text) + 2 : script->len;
}

static void skip_blanks(struct hf_script *script)
{
	while (script->at < script->len) {
		char c = byte_at(script, script->at);
		char next;
		size_t blank;

		/* Most tokens stand right behind each other. */
		if ((unsigned char)c > ' ' && (unsigned char)c < 0x80 &&
		    c != '/')
			return;
		next = byte_at(script, script->at + 1);
		blank = blank_at(script, script->at);
		if (c == '/' && next == '/')
			script->at = line_end(script, script->at);
		else if (c == '/' && next == '*')
			script->at = comment_end(script, script->at);
		else if (blank)
			script->at += blank;
		else
			return;
	}
}

/* Where the string or expression that begins at `at` has its last character
 * on the same line, or 0. */
static size_t closed_at(struct hf_script *script, size_t at, char close,
			size_t *seen)
{
	bool in_class = false; /* of a regular expression: [/] */

	if (at < *seen)
		return 0;
	for (at++; at < script->len; at++) {
		char c = script->text[at];

		if (c == '\\')
			at++;
		else if (c == '\n')
			break;
		else if (c == close && !in_class)
			return at;
		else if (close == '/' && (c == '[' || c == ']'))
			in_class = c == '[';
	}
	*seen = at < script->len ? at : script->len;
	return 0;
}

/* --- tokens -------------------------------------------------------------- */

static void take(struct hf_script *script, enum hf_token_type type, size_t at,
		 size_t len, struct hf_token *ret)
{
	*ret = (struct hf_token){type, at, len};
	script->value = type != HF_TOKEN_SIGN;
}

/* Words behind which an expression begins, and no operator. */
static bool is_operator(const char *word, size_t len)
{
	static const char *const words[] = {
		"return", "typeof", "case",       "in",    "of",
		"do",     "else",   "void",       "throw", "new",
		"delete", "await",  "instanceof", "yield",
	};

	/* Most words are none of them by their length alone. */
	if (len < 2 || len > sizeof("instanceof") - 1)
		return false;
	for (size_t i = 0; i < HF_ARRAY_SIZE(words); i++)
		if (hf_text_is(word, len, words[i]))
			return true;
	return false;
}

static bool is_condition(const char *word, size_t len)
{
	if (len < 2 || len > sizeof("while") - 1)
		return false;
	return hf_text_is(word, len, "if") || hf_text_is(word, len, "for") ||
	       hf_text_is(word, len, "while") || hf_text_is(word, len, "with");
}

static void take_word(struct hf_script *script, struct hf_token *ret)
{
	bool property = script->after_dot;
	size_t at = script->at;
	const char *word = script->text + at;
	size_t len;

	while (is_word_at(script, script->at))
		script->at++;
	len = script->at - at;
	take(script, property ? HF_TOKEN_PROPERTY : HF_TOKEN_WORD, at, len,
	     ret);
	script->value = property || !is_operator(word, len);
	script->before_condition = !property && is_condition(word, len);
}

/* A template, or its rest behind a hole: up to its end or the next hole. One
 * without holes is a string. */
static void take_template(struct hf_script *script, bool whole,
			  struct hf_token *ret)
{
	size_t start = ++script->at;
	size_t at = start;

	for (; at < script->len && script->text[at] != '`'; at++) {
		if (script->text[at] == '\\') {
			at++;
		} else if (script->text[at] == '$' &&
			   byte_at(script, at + 1) == '{') {
			script->at = at + 2;
			open_bracket(script, '`');
			take(script, HF_TOKEN_SIGN, at, 2, ret);
			return;
		}
	}
	if (at > script->len)
		at = script->len;
	script->at = at < script->len ? at + 1 : at;
	take(script, whole ? HF_TOKEN_STRING : HF_TOKEN_OTHER, start,
	     at - start, ret);
}

static void take_sign(struct hf_script *script, struct hf_token *ret)
{
	size_t at = script->at;
	char c = script->text[at];
	size_t len = 1;
	char closed = '\0';

	/* "...", "++" and "--" are not what one of their signs is. */
	while ((c == '.' || c == '+' || c == '-') && len < 3 &&
	       byte_at(script, at + len) == c)
		len++;
	if (c == '(')
		open_bracket(script, script->before_condition ? 'c' : '(');
	else if (c == '{')
		open_bracket(script, '{');
	else if (c == ')')
		closed = close_parenthesis(script);
	else if (c == '}' && close_brace(script) == '`') {
		take_template(script, false, ret);
		return;
	}
	script->at += len;
	take(script, HF_TOKEN_SIGN, at, len, ret);
	script->value = (c == ')' && closed != 'c') || c == ']' || c == '}' ||
			(c != '.' && len == 2);
	script->after_dot = c == '.' && len == 1;
}

/* A string or a regular expression that ends on its line. */
static bool take_quoted(struct hf_script *script, char quote, size_t seen,
			enum hf_token_type type, struct hf_token *ret)
{
	size_t at = script->at;
	size_t end = closed_at(script, at, quote, &script->seen[seen]);

	if (!end)
		return false;
	script->at = end + 1;
	take(script, type, at + 1, end - at - 1, ret);
	return true;
}

static bool take_literal(struct hf_script *script, struct hf_token *ret)
{
	switch (script->text[script->at]) {
	case '\'':
		return take_quoted(script, '\'', SEEN_SINGLE, HF_TOKEN_STRING,
				   ret);
	case '"':
		return take_quoted(script, '"', SEEN_DOUBLE, HF_TOKEN_STRING,
				   ret);
	case '/':
		return !script->value && take_quoted(script, '/', SEEN_REGEX,
						     HF_TOKEN_OTHER, ret);
	case '`':
		take_template(script, true, ret);
		return true;
	default:
		return false;
	}
}

bool hf_script_next(struct hf_script *script, struct hf_token *ret)
{
	skip_blanks(script);
	if (script->at >= script->len)
		return false;
	if (is_word_at(script, script->at)) {
		take_word(script, ret);
		script->after_dot = false;
		return true;
	}
	script->after_dot = false;
	if (!take_literal(script, ret))
		take_sign(script, ret);
	script->before_condition = false;
	return true;
}
