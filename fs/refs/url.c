/*
 * url: urlsplit and urlunsplit of urllib.parse, ported function by function.
 *
 * Python works on characters, this works on bytes: every delimiter is ASCII,
 * and no byte of a longer UTF-8 sequence is, so both cut at the same places.
 */
#include "fs/refs/refs.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#define DIGITS "0123456789"
#define HEX_DIGITS DIGITS "abcdefABCDEF"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
/* urllib.parse.scheme_chars */
#define SCHEME_CHARS LETTERS DIGITS "+-."

/* urllib.parse.uses_netloc, without its "" */
static const char *const uses_netloc[] = {
	"ftp",      "http",          "gopher", "nntp",  "telnet",  "imap",
	"wais",     "file",          "mms",    "https", "shttp",   "snews",
	"prospero", "rtsp",          "rtsps",  "rtspu", "rsync",   "svn",
	"svn+ssh",  "sftp",          "nfs",    "git",   "git+ssh", "ws",
	"wss",      "itms-services",
};

/* --- urlsplit ------------------------------------------------------------ */

/*
 * The first lines of urlsplit: _WHATWG_C0_CONTROL_OR_SPACE goes from the left
 * end only, _UNSAFE_URL_BYTES_TO_REMOVE from everywhere. The NUL is added as
 * a byte of its own, so that the store is never NULL.
 */
static void add_cleaned(struct hf_buf *store, const char *text)
{
	while (*text && (unsigned char)*text <= ' ')
		text++;
	while (*text) {
		size_t run = strcspn(text, "\t\r\n");

		hf_buf_add(store, text, run);
		text += run;
		text += strspn(text, "\t\r\n");
	}
	hf_buf_putc(store, '\0');
}

/* Returns what follows the scheme; all of `rest` if it has none. */
static char *cut_scheme(char *rest, struct hf_url *url)
{
	char *colon = strchr(rest, ':');

	if (!colon || !strspn(rest, LETTERS) ||
	    strspn(rest, SCHEME_CHARS) != (size_t)(colon - rest))
		return rest;
	for (char *c = rest; c < colon; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	*colon = '\0';
	url->scheme = rest;
	return colon + 1;
}

/* re.match(r"\Av[a-fA-F0-9]+\..+\Z", host) */
static bool is_ip_future(const char *host)
{
	size_t n_hex = strspn(host + 1, HEX_DIGITS);

	return n_hex && host[1 + n_hex] == '.' && host[2 + n_hex];
}

/* ipaddress.IPv6Address(host) does not raise. */
static bool is_ipv6(const char *host)
{
	const char *scope = strchr(host, '%');
	size_t len = scope ? (size_t)(scope - host) : strlen(host);
	char address[INET6_ADDRSTRLEN];
	struct in6_addr parsed;

	if (scope && (!scope[1] || strchr(scope + 1, '%')))
		return false;
	if (len >= sizeof(address))
		return false;
	memcpy(address, host, len);
	address[len] = '\0';
	return inet_pton(AF_INET6, address, &parsed) == 1;
}

/*
 * The bracket test of urlsplit and _check_bracketed_host. Left out is
 * _checknetloc, which needs the tables of Unicode normalization: no file is
 * ever found under a URL with a host, so nobody can tell the difference.
 */
static int check_netloc(const char *netloc)
{
	const char *open = strchr(netloc, '[');
	struct hf_buf host = {0};
	int r = -EINVAL;

	if (!open != !strchr(netloc, ']'))
		return -EINVAL;
	if (!open)
		return 0;
	hf_buf_add(&host, open + 1, strcspn(open + 1, "]"));
	hf_buf_putc(&host, '\0');
	if (hf_buf_status(&host) < 0)
		r = -ENOMEM;
	else if (host.data[0] == 'v' ? is_ip_future(host.data)
				     : is_ipv6(host.data))
		r = 0;
	hf_buf_fini(&host);
	return r;
}

/*
 * _splitnetloc. The host moves one byte to the left, over the slashes, which
 * makes room for its NUL: the path behind it keeps its own first slash.
 */
static char *cut_netloc(char *rest, struct hf_url *url)
{
	size_t len;

	if (strncmp(rest, "//", 2) != 0)
		return rest;
	len = strcspn(rest + 2, "/?#");
	memmove(rest + 1, rest + 2, len);
	rest[1 + len] = '\0';
	url->netloc = rest + 1;
	return rest + 2 + len;
}

/* Ends `text` at the first `mark`; returns what follows it, or "". */
static const char *cut_at(char *text, char mark)
{
	char *found = strchr(text, mark);

	if (!found)
		return "";
	*found = '\0';
	return found + 1;
}

int hf_url_split(const char *text, struct hf_url *ret)
{
	struct hf_url url = {.scheme = "", .netloc = ""};
	char *rest;
	int r;

	add_cleaned(&url.store, text);
	r = hf_buf_status(&url.store);
	if (r == 0) {
		rest = cut_netloc(cut_scheme(url.store.data, &url), &url);
		url.fragment = cut_at(rest, '#');
		url.query = cut_at(rest, '?');
		url.path = rest;
		r = check_netloc(url.netloc);
	}
	if (r < 0) {
		hf_buf_fini(&url.store);
		return r;
	}
	*ret = url;
	return 0;
}

void hf_url_fini(struct hf_url *url)
{
	hf_buf_fini(&url->store);
	*url = (struct hf_url){0};
}

/* --- urlunsplit ---------------------------------------------------------- */

static bool has_netloc(const char *scheme)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(uses_netloc); i++)
		if (strcmp(scheme, uses_netloc[i]) == 0)
			return true;
	return false;
}

/*
 * As up to Python 3.12.5 ("http:x" becomes "http:///x"). Later versions leave
 * "http:x" alone.
 */
void hf_url_unsplit(const struct hf_url *url, struct hf_buf *ret)
{
	if (*url->scheme) {
		hf_buf_puts(ret, url->scheme);
		hf_buf_putc(ret, ':');
	}
	if (*url->netloc ||
	    (has_netloc(url->scheme) && strncmp(url->path, "//", 2) != 0)) {
		hf_buf_puts(ret, "//");
		hf_buf_puts(ret, url->netloc);
		if (*url->path && *url->path != '/')
			hf_buf_putc(ret, '/');
	}
	hf_buf_puts(ret, url->path);
	if (*url->query) {
		hf_buf_putc(ret, '?');
		hf_buf_puts(ret, url->query);
	}
	if (*url->fragment) {
		hf_buf_putc(ret, '#');
		hf_buf_puts(ret, url->fragment);
	}
}
