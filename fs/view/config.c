#include "fs/view/view.h"

#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fs/view/name.h"

#define NS_PER_S INT64_C(1000000000)
#define DEFAULT_NAME "%n.%h%e"
#define DEFAULT_DIGEST "md5"
#define DEFAULT_LENGTH 12
#define DEFAULT_STATIC_URL "/static/"
/* 2000-01-01T00:00:00Z: the same on every machine and old enough that no
 * client takes it for news. */
#define DEFAULT_MTIME INT64_C(946684800)
/* Shorter hashes collide in a tree of some thousand versions. */
#define MIN_LENGTH 4
#define MAX_THREADS 256
/* (uid_t)-1 means "leave it" to the kernel. */
#define MAX_ID (UINT32_MAX - 1)

/* What style= sets, unless it was chosen by itself. */
enum choice {
	CHOSE_NAME = 1 << 0,
	CHOSE_DIGEST = 1 << 1,
	CHOSE_LENGTH = 1 << 2,
	CHOSE_STATIC_URL = 1 << 3,
};

/* --- values -------------------------------------------------------------- */

static int parse_number(const char *text, uint64_t min, uint64_t max,
			uint64_t *ret, char **why)
{
	unsigned long long number;
	char *end;

	errno = 0;
	number = strtoull(text, &end, 10);
	/* strtoull takes spaces and signs; a number here has neither. */
	if (!isdigit((unsigned char)text[0]) || *end != '\0' || errno != 0 ||
	    number < min || number > max)
		return hf_why(-EINVAL, why, "must be a number from %ju to %ju",
			      (uintmax_t)min, (uintmax_t)max);
	*ret = number;
	return 0;
}

static int parse_unsigned(const char *text, unsigned min, unsigned max,
			  unsigned *ret, char **why)
{
	uint64_t number = 0;
	int r = parse_number(text, min, max, &number, why);

	if (r == 0)
		*ret = (unsigned)number;
	return r;
}

static int add_globs(struct hf_strings *globs, const char *text)
{
	size_t before = globs->n;
	int r = hf_split(globs, text, ':');

	for (size_t i = before; i < globs->n; i++)
		hf_unbackslash(globs->items[i]);
	return r;
}

/* --- rows ---------------------------------------------------------------- */

static int set_name(void *target, const char *value, char **why)
{
	struct hf_config *config = target;
	char *copy = strdup(value);

	(void)why; /* hf_config_check judges it together with the length */
	if (!copy)
		return -ENOMEM;
	hf_unbackslash(copy);
	config->chosen |= CHOSE_NAME;
	free(config->name_template);
	config->name_template = copy;
	return 0;
}

static int set_digest(void *target, const char *value, char **why)
{
	struct hf_config *config = target;
	const struct hf_algorithm *algorithm = hf_algorithm_find(value);

	if (!algorithm)
		return hf_why(-EINVAL, why,
			      "must be md5, sha1, sha256, sha384 or sha512");
	config->algorithm = algorithm;
	config->chosen |= CHOSE_DIGEST;
	return 0;
}

static int set_length(void *target, const char *value, char **why)
{
	struct hf_config *config = target;

	config->chosen |= CHOSE_LENGTH;
	return parse_unsigned(value, MIN_LENGTH, HF_DIGEST_HEX_MAX,
			      &config->hash_len, why);
}

static int add_show(const char *word, unsigned *ret, char **why)
{
	static const struct {
		const char *name;
		enum hf_show show;
	} words[] = {
		{"hashed", HF_SHOW_HASHED},
		{"kept", HF_SHOW_KEPT},
		{"plain", HF_SHOW_PLAIN},
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(words); i++) {
		if (strcmp(word, words[i].name) != 0)
			continue;
		*ret |= words[i].show;
		return 0;
	}
	return hf_why(-EINVAL, why,
		      "must be hashed, kept and plain, or some of them, "
		      "with ':' between");
}

static int set_show(void *target, const char *value, char **why)
{
	struct hf_config *config = target;
	struct hf_strings words = {0};
	unsigned show = 0;
	int r = hf_split(&words, value, ':');

	for (size_t i = 0; r == 0 && i < words.n; i++)
		r = add_show(words.items[i], &show, why);
	if (r == 0 && show == 0)
		r = add_show("", &show, why);
	if (r == 0)
		config->show = show;
	hf_strings_fini(&words);
	return r;
}

static int add_keep(void *target, const char *value, char **why)
{
	(void)why;
	return add_globs(&((struct hf_config *)target)->keep, value);
}

static int add_prehashed(void *target, const char *value, char **why)
{
	(void)why;
	return add_globs(&((struct hf_config *)target)->prehashed, value);
}

static int add_ignore(void *target, const char *value, char **why)
{
	(void)why;
	return add_globs(&((struct hf_config *)target)->source.ignore, value);
}

static int set_no_default_ignore(void *target, const char *value, char **why)
{
	(void)value;
	(void)why;
	((struct hf_config *)target)->source.no_default_ignore = true;
	return 0;
}

static int set_follow(void *target, const char *value, char **why)
{
	(void)value;
	(void)why;
	((struct hf_config *)target)->source.follow = true;
	return 0;
}

static int set_xdev(void *target, const char *value, char **why)
{
	(void)value;
	(void)why;
	((struct hf_config *)target)->source.xdev = true;
	return 0;
}

static int set_refs(void *target, const char *value, char **why)
{
	struct hf_config *config = target;

	if (hf_refs_profile_parse(value, &config->refs.profile) < 0)
		return hf_why(-EINVAL, why,
			      "must be one of django-4.2, django-5.2, "
			      "django-6.0, django-6.1, none");
	return 0;
}

/* Django puts the script's prefix, usually "/", before a relative one. */
static int set_static_url(void *target, const char *value, char **why)
{
	struct hf_config *config = target;
	bool complete = value[0] == '/' || strncmp(value, "http://", 7) == 0 ||
			strncmp(value, "https://", 8) == 0;
	struct hf_buf url = {0};
	char *text;
	int r;

	if (!*value || value[strlen(value) - 1] != '/')
		return hf_why(-EINVAL, why, "must end with a slash");
	hf_buf_printf(&url, "%s%s", complete ? "" : "/", value);
	r = hf_buf_steal(&url, &text);
	if (r < 0)
		return r;
	hf_unbackslash(text);
	config->chosen |= CHOSE_STATIC_URL;
	free(config->static_url);
	config->static_url = text;
	config->refs.static_url = text;
	return 0;
}

/*
 * How others name files: HashedFilesMixin.file_hash of Django; digest and
 * digested_path of Propshaft::Asset; digest of Phoenix.Digester; gulp-rev with
 * rev-hash and rev-path.
 */
static const struct style {
	const char *word;
	const char *name;
	const char *digest;
	unsigned length;
	const char *static_url;
} styles[] = {
	{"django", "%n.%h%e", "md5", 12, "/static/"},
	{"propshaft", "%n-%h%e", "sha1", 8, "/assets/"},
	{"phoenix", "%n-%h%e", "md5", 32, "/"},
	{"rev", "%n-%h%e", "md5", 10, "/"},
};

static int apply_style(struct hf_config *config, const struct style *style)
{
	unsigned chosen = config->chosen;
	int r = 0;

	if (!(chosen & CHOSE_NAME))
		r = set_name(config, style->name, NULL);
	if (r == 0 && !(chosen & CHOSE_STATIC_URL))
		r = set_static_url(config, style->static_url, NULL);
	if (!(chosen & CHOSE_DIGEST))
		config->algorithm = hf_algorithm_find(style->digest);
	if (!(chosen & CHOSE_LENGTH))
		config->hash_len = style->length;
	config->chosen = chosen;
	return r;
}

static int set_style(void *target, const char *value, char **why)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(styles); i++)
		if (strcmp(styles[i].word, value) == 0)
			return apply_style(target, &styles[i]);
	return hf_why(-EINVAL, why,
		      "must be one of django, propshaft, phoenix, rev");
}

static int set_js_modules(void *target, const char *value, char **why)
{
	struct hf_config *config = target;

	(void)value;
	(void)why;
	config->refs.js_modules = true;
	return 0;
}

static int set_threads(void *target, const char *value, char **why)
{
	struct hf_config *config = target;

	return parse_unsigned(value, 1, MAX_THREADS, &config->threads, why);
}

static int set_mtime(void *target, const char *value, char **why)
{
	struct hf_config *config = target;
	uint64_t seconds = 0;
	int r;

	if (strcmp(value, "source") == 0) {
		config->mtime_source = true;
		return 0;
	}
	if (value[0] != '@')
		return hf_why(-EINVAL, why,
			      "must be source, or @ and the seconds "
			      "since 1970");
	r = parse_number(value + 1, 0, INT64_MAX / NS_PER_S - 1, &seconds, why);
	if (r < 0)
		return r;
	config->mtime_source = false;
	config->mtime_ns = (int64_t)seconds * NS_PER_S;
	return 0;
}

/* Absolute, since the working directory may change. It may not exist yet. */
static int set_cache(void *target, const char *value, char **why)
{
	struct hf_config *config = target;
	bool complete = value[0] == '/' || strcmp(value, HF_CACHE_NONE) == 0;
	HF_CLEANUP(hf_freep) char *cwd = complete ? NULL : getcwd(NULL, 0);
	struct hf_buf path = {0};
	char *text;
	int r;

	if (!*value)
		return hf_why(-EINVAL, why,
			      "must be a directory, or " HF_CACHE_NONE);
	if (!complete && !cwd)
		return hf_why(-EINVAL, why, "must begin with a slash here");
	if (!complete)
		hf_buf_printf(&path, "%s/", cwd);
	hf_buf_puts(&path, value);
	r = hf_buf_steal(&path, &text);
	if (r < 0)
		return r;
	hf_unbackslash(text);
	free(config->cache);
	config->cache = text;
	return 0;
}

/* `named`: the id that the system's tables have for `value`, or NULL. */
static int set_id(int64_t *ret, const char *value, const id_t *named,
		  char **why)
{
	uint64_t number = 0;
	int r;

	if (named) {
		*ret = *named;
		return 0;
	}
	if (!isdigit((unsigned char)value[0]))
		return hf_why(-EINVAL, why, "there is no such name");
	r = parse_number(value, 0, MAX_ID, &number, why);
	if (r == 0)
		*ret = (int64_t)number;
	return r;
}

static int set_uid(void *target, const char *value, char **why)
{
	struct hf_config *config = target;
	const struct passwd *user = getpwnam(value);

	return set_id(&config->uid, value, user ? &user->pw_uid : NULL, why);
}

static int set_gid(void *target, const char *value, char **why)
{
	struct hf_config *config = target;
	const struct group *group = getgrnam(value);

	return set_id(&config->gid, value, group ? &group->gr_gid : NULL, why);
}

static int set_frozen(void *target, const char *value, char **why)
{
	(void)value;
	(void)why;
	((struct hf_config *)target)->frozen = true;
	return 0;
}

#define TOPIC(heading)                                                         \
	{                                                                      \
		NULL, NULL, heading, NULL                                      \
	}

static const struct hf_option rows[] = {
	TOPIC("names"),
	{"style", "STYLE", "names of django (default), propshaft, phoenix, rev",
	 set_style},
	{"name", "TEMPLATE", "%n name, %h hash, %e extension (%n.%h%e)",
	 set_name},
	{"digest", "NAME", "md5 (default), sha1, sha256, sha384, sha512",
	 set_digest},
	{"length", "N", "hex digits of the hash in a name (12)", set_length},
	{"show", "SET", "of hashed, kept, plain (hashed:kept)", set_show},
	{"keep", "GLOBS", "files that keep their plain name", add_keep},
	{"prehashed", "GLOBS", "files whose own name carries a hash",
	 add_prehashed},

	TOPIC("references in CSS and JS"),
	{"refs", "PROFILE", "django-4.2, -5.2, -6.0, -6.1 (default), or none",
	 set_refs},
	{"static_url", "URL", "Django's STATIC_URL (/static/)", set_static_url},
	{"js_modules", NULL, "rewrite imports of JS modules too (6.1)",
	 set_js_modules},

	TOPIC("what is read"),
	{"ignore", "GLOBS", "files and directories to leave out", add_ignore},
	{"no_default_ignore", NULL, "do not leave out CVS, .* and *~",
	 set_no_default_ignore},
	{"follow", NULL, "follow links that leave their source", set_follow},
	{"xdev", NULL, "enter file systems mounted in a source", set_xdev},
	{"frozen", NULL, "show the tree for good as it is at the start",
	 set_frozen},

	TOPIC("times and owners"),
	{"mtime", "source|@N", "time of hashed files (@946684800)", set_mtime},
	{"uid", "N", "owner of all files, number or name (source's)", set_uid},
	{"gid", "N", "group of all files, number or name (source's)", set_gid},

	TOPIC("hashing"),
	{"threads", "N", "files hashed at once (one a processor)", set_threads},
	{"cache", "DIR", "where digests are remembered, or none (user's own)",
	 set_cache},
};

/* --- the whole ----------------------------------------------------------- */

int hf_config_init(struct hf_config *config)
{
	*config = (struct hf_config){
		.name_template = strdup(DEFAULT_NAME),
		.algorithm = hf_algorithm_find(DEFAULT_DIGEST),
		.hash_len = DEFAULT_LENGTH,
		.show = HF_SHOW_HASHED | HF_SHOW_KEPT,
		.refs.profile = HF_REFS_DJANGO_6_1,
		.mtime_ns = DEFAULT_MTIME * NS_PER_S,
		.uid = -1,
		.gid = -1,
		.max_pinned = hf_pins_default_max(),
	};
	config->static_url = strdup(DEFAULT_STATIC_URL);
	config->refs.static_url = config->static_url;
	return config->name_template && config->static_url ? 0 : -ENOMEM;
}

void hf_config_fini(struct hf_config *config)
{
	hf_root_specs_fini(&config->source.roots);
	hf_strings_fini(&config->source.ignore);
	hf_strings_fini(&config->keep);
	hf_strings_fini(&config->prehashed);
	free(config->name_template);
	free(config->static_url);
	free(config->cache);
	*config = (struct hf_config){0};
}

struct hf_option_set hf_config_options(struct hf_config *config)
{
	return (struct hf_option_set){rows, HF_ARRAY_SIZE(rows), config};
}

int hf_config_check(struct hf_config *config, char **why)
{
	unsigned digits = 2 * hf_algorithm_len(config->algorithm);
	struct hf_name_template template = {0};
	HF_CLEANUP(hf_freep) char *shown = NULL;
	const char *part = "";
	int r;

	if (config->hash_len > digits)
		return hf_why(-EINVAL, why,
			      "option 'length=%u': %s has only %u hex digits",
			      config->hash_len,
			      hf_algorithm_name(config->algorithm), digits);
	r = hf_name_template_init(&template, config->name_template,
				  config->hash_len, &part);
	if (r == 0)
		hf_name_template_fini(&template);
	if (r != -EINVAL)
		return r;
	shown = hf_escaped(config->name_template);
	if (!shown)
		return -ENOMEM;
	return hf_why(-EINVAL, why, "option 'name=%s': %s", shown, part);
}
