"""Trees at random: style sheets and scripts that refer to each other and to other
files in every way that somebody could write, or type by mistake.

`rng` is a random.Random, or what hypothesis gives in its place.
"""

import dataclasses
import posixpath
from urllib.parse import quote

# What str.strip() and \s take as white space.
BLANKS = [
    chr(c)
    for span in ("9-d", "1c-20", "85", "a0", "1680", "2000-200a", "2028-2029",
                 "202f", "205f", "3000")
    for low, _, high in [span.partition("-")]
    for c in range(int(low, 16), int(high or low, 16) + 1)
]
assert len(BLANKS) == 29

STATIC_URLS = [
    "/static/", "/", "/s/", "static/", "/st%20x/", "/a/b/", "https://cdn.x/s/",
    "http://h/", "//cdn.x/s/", "/s\u00e9/", "/static/./",
]
DIRS = ["", "css/", "css/deep/", "img/", "js/", "a b/", "d\u00e9/", "x.css/"]
# Names that Django takes as they are come first and most often.
ASSETS = [
    "a.png", "b.svg", "font.eot", "README", "a.tar.gz", "x.css.map", "y.js.map",
    "sp ace.png", "\u00e9.png", "p+q.png", "it's.png", "par(1).png", "a;b.png",
    "a&b.png", "p%d.png", "100%.png", "a%20b.png", "%41.png", "q?x.png", "h#x.png",
    "a?#i.eot", "foo:bar.png", "Foo:bar.png", " lead.png", "trail.png ", "a.",
    "a..b", 'quo"te.png', "A.CSS", "m.mjs", "\u4e2d\U0001f600", "\u2028x", "\x7f",
    "staticfiles.json", "b\u00a0", "\x01c.png", "..b", "...", "`t", "a*b",
]
# Names that stand plain in the view.
PLAIN = ["back\\slash.png", "t\tab.png", "l\nf.css", "c\rr.js", "s%2Fl.png",
         "http:x.png", "bs%5C.css", "%00.png", "%09%C3", "x%20/y.css"]
TEXTS = [
    "a.css", "b.css", "c.css", "d.css", "a.js", "b.js", "c.js", "d e.css",
    "\u00e9.css", "x%20y.css", "s?v.css", "h#.js", "k:l.css", " l.css", "i's.js",
    ".css.css", "e.min.css", "u\u00a0.css",
]
SUFFIXES = [
    "?v=1", "?", "#f", "#", "?#iefix", "?v=1#f", "?a?b", "#x/y", "?u=/x/y", ";",
    "%3Fv", "%23x", "?x/../y", "#a%20b", "/", ";#f", "?a#b#c", "?%23x", "?#",
    "??", "#?", "#?#", "?v=1?#iefix", "%2f", "%00", "/.", "/..", "%", "%4", "%C3",
    "%ff", "#%ff", "?%", "\\", "'", '"', ")", "(", "*", "[", "#[", "?#%3f",
]
FOREIGN = [
    "http://x/y.png", "https://x/y.css", "//cdn/x.png", "data:image/png,x", "HTTP://x/y",
    "about:blank", "x-foo:bar", "#f", "", "?x", ".", "..", "./", "../", "/", "//",
    "nope.png", "nope.css", "../../x.png", "../../../x", "/static", "/static/",
    "/other/x.png", "/static//a.png", "/static/../x", "//[x", "/static///[x/a",
    "?#", "#?", " ", "%20", "%", "%2e", "%2e%2e", "%2f", "/static/%2e", "...",
    "..%2f..%2fetc/passwd", "a:b", "1:2", "mailto:x", "\\", "..\\img\\a.png",
    "staticfiles.json", ".hidden", "%252e", "css", "../css", "img/../css/",
    "javascript:;", "\u00e9", "%c3", "%ed%a0%80", "/static/#f", "/static/?q",
]
TOKENS = [
    "url(", "URL(", "uRl(", ")", "'", '"', "/*", "*/", "\\", "`", "//", "\n", "\r",
    "\r\n", " ", "\t", "@import", "@\u0131mport", "@\u0130MPORT", "a.png", "b.css",
    "../", "./", "#", "?", "%20", "(", ";", "{", "}", "<", "\u2028", "\x85", "\x00",
    "//# sourceMappingURL=", "/*# sourceMappingURL=", "/*#\tsourceMappingURL=",
    "//# sourcemappingurl=", "*/\n", "import ", "export ", " from ", "import(", "x",
    "import", "* as a", "{a}", "import{a}from", "\u00e9", "\U0001f600", "$", "${", "/",
    "\ufeff", "%(url)s", "\\\n", "\u017fource", "\u212a", "data:", "'\\'", "_", "=",
]
SCRIPT_FORMS = [
    "//# sourceMappingURL={}\n", "\n//# sourceMappingURL={}\n", "//# sourceMappingURL={}",
    "\r\n//# sourceMappingURL={}\r\n", "x //# sourceMappingURL={}\n",
    "//@ sourceMappingURL={}\n", "\n//#  sourceMappingURL={}\n", "//# SourceMappingURL={}\n",
    "`\n//# sourceMappingURL={}\n`", '"\n//# sourceMappingURL={}\n"',
    "/*\n//# sourceMappingURL={}\n*/", "//\n//# sourceMappingURL={}\n",
    'import a from "{}";\n', "import {{a, b}} from '{}'\n", 'import "{}";', "import'{}'",
    'import("{}")', "import( '{}' )", "export * from '{}';\n", 'export {{a}} from "{}"',
    'import * as a from "{}";', "import*as a from'{}'", 'IMPORT a FROM "{}"',
    "// import '{}'\n", "/* import '{}' */", "`import '{}'`", "x = \"import '{}'\"",
    "import a\nfrom\n'{}';\n", "new URL('{}', import.meta.url)", "importScripts('{}')",
    "import a, {{b}} from \"{}';", "export default 'x';import '{}'",
]
STYLE_FORMS = [
    "a{{b:url({})}}\n", "a{{b:url('{}')}}", 'a{{b:url("{}")}}', "URL({})", "url( {} )",
    "url(\"{}')", "url('{})", "url( '{}' )", "url(' {} ')", "myurl({})", "url ({})",
    '@import "{}";\n', "@import '{}' screen;", "@IMPORT\"{}\";", "@import\n'{}'",
    "@import url({});", "@import url('{}') print;", "@\u0131mport \"{}';", '@import "url({})"',
    "\n/*# sourceMappingURL={} */\n", "/*#\tsourceMappingURL={}*/", "x/*# sourceMappingURL={} */",
    "\n/*# sourceMappingURL={} */\r\n", "\n/*# sourcemappingurl={} */", "/* url({}) */",
    "/* @import '{}' */", "'url({})'", '"url({})"', "'\\\nurl({})'", "\\url({})", "\\'url({})'",
    "a{{b:image-set('{}' 1x)}}", "src({})", "url({}", "url({}\n)", "/* url( */url({})",
    "/**/url({})/***/", "url(/**/{})", "url({}/* x */)", "a{{b:url({}),url({})}}",
]


@dataclasses.dataclass
class Tree:
    """`dirs`: [(prefix, {path: bytes})], in their order."""

    static_url: str
    dirs: list

    def merged(self):
        """The path in the view -> bytes; the first one counts."""
        found = {}
        for prefix, files in self.dirs:
            for path, data in files.items():
                found.setdefault(f"{prefix}/{path}" if prefix else path, data)
        return found


USUAL_ASSETS = ASSETS[:10]
USUAL_TEXTS = TEXTS[:7]


def once_in(rng, n):
    """False is what hypothesis shrinks it to."""
    return rng.randrange(n) == n - 1


def reference(rng, source, targets, static_url):
    """How `source` may spell a reference."""
    if not targets or once_in(rng, 8):
        url = rng.choice(FOREIGN)
    else:
        url = spell(rng, source, rng.choice(targets), static_url)
    if once_in(rng, 4):
        url += rng.choice(SUFFIXES)
    if once_in(rng, 8):
        at = rng.randint(0, len(url))
        url = url[:at] + rng.choice(BLANKS) + url[at:]
    if once_in(rng, 12):
        url = rng.choice(BLANKS) + url + rng.choice(BLANKS)
    return url


def spell(rng, source, target, static_url):
    how = rng.randrange(20)
    if how >= 16:
        url = static_url + target
    else:
        url = posixpath.relpath(target, posixpath.dirname(source) or ".")
    if how in (1, 2):
        url = quote(url, errors="surrogateescape")
    elif how == 3:
        url = quote(quote(url, errors="surrogateescape"))
    elif how == 4:
        url = "".join(
            f"%{byte:02x}" if once_in(rng, 4) else chr(byte)
            for byte in url.encode("utf-8", "surrogateescape")
            if byte < 128
        )
    elif how == 5:
        url = "./" + url.replace("/", "//")
    elif how == 6:
        url = "nope/../" + url
    elif how == 7:
        url = url.replace("/", "\\")
    elif how == 8:
        url = url.swapcase()
    elif how == 9:
        url = url.replace("/", "/./")
    elif how == 10:
        url = "../" + url
    elif how == 11:
        url = posixpath.dirname(url)
    elif how == 12:
        url = url.replace("/", "%2f", 1)
    elif how == 13:
        url = posixpath.dirname(url) + "/"
    return url


def text(rng, path, targets, static_url):
    """The bytes of a style sheet or script."""
    forms = SCRIPT_FORMS if path.endswith(".js") else STYLE_FORMS
    parts = []
    for _ in range(rng.randint(0, 5)):
        kind = rng.randrange(10)
        if kind == 9:
            parts += [rng.choice(TOKENS) for _ in range(rng.randint(1, 8))]
            continue
        url = reference(rng, path, targets, static_url)
        form = rng.choice(TOKENS) + "{}" if kind == 8 else rng.choice(forms)
        parts.append(form.replace("{}", url).replace("{{", "{").replace("}}", "}"))
        parts.append(rng.choice(SEPARATORS))
    whole = "".join(parts)
    if once_in(rng, 12):
        whole = whole.replace("\n", rng.choice(NEWLINES))
    if once_in(rng, 30):
        whole = "\ufeff" + whole
    data = whole.encode("utf-8", "surrogateescape")
    if once_in(rng, 50):
        at = rng.randint(0, len(data))
        data = data[:at] + rng.choice(BAD) + data[at:]
    return data


SEPARATORS = ["\n", "", " ", ";", "}\n", "/* x */", "\r\n", "'", "//", "*/"]
NEWLINES = ["\r\n", "\r", "\n\n"]
BAD = [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\xaf"]
PREFIXES = ["", "lib", "css", "a b/c", "x%20y"]


def tree(rng):
    static_url = rng.choice(STATIC_URLS) if once_in(rng, 3) else STATIC_URLS[0]
    names = []
    for usual, rare in ((USUAL_ASSETS, ASSETS), (USUAL_TEXTS, TEXTS)):
        for _ in range(rng.randint(1, 4)):
            pool = rare if once_in(rng, 3) else usual
            names.append(rng.choice(DIRS) + rng.choice(pool))
    if once_in(rng, 10):
        names.append(rng.choice(DIRS) + rng.choice(PLAIN))
    if once_in(rng, 40):
        names.append(rng.choice(DIRS) + "\udcff.png")
    names = without_clashes(dict.fromkeys(names))
    prefixes = [""]
    if once_in(rng, 6):
        prefixes = [rng.choice(PREFIXES) for _ in range(rng.randint(1, 2))]
    places = [(rng.randrange(len(prefixes)), name) for name in names]
    dirs = [(prefix, {}) for prefix in prefixes]
    # Each text refers to those before it, so that there are seldom circles.
    circles = once_in(rng, 10)
    full = [f"{prefixes[d]}/{n}" if prefixes[d] else n for d, n in places]
    for i, (d, name) in enumerate(places):
        if name.endswith((".css", ".js")):
            targets = full if circles else full[:i]
            if circles or once_in(rng, 2):
                targets = [t for t in targets if t.endswith((".css", ".js"))]
            data = text(rng, full[i], targets, static_url)
        else:
            data = rng.choice(DATA)
        dirs[d][1][name] = data
    return Tree(static_url, dirs)


DATA = [b"", b"x", b"PNG", b"{}", b"\xff\0", b"url(a.png)"]


def without_clashes(names):
    """No file may have the name of another one's directory."""
    kept = []
    for name in names:
        if not any(
            name.startswith(other + "/") or other.startswith(name + "/") for other in kept
        ):
            kept.append(name)
    return kept
