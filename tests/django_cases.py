"""Trees on which versions of Django differ, surprise, or give up.

Each is a tree of its own: collectstatic gives up on the whole of it. `aborts`
says where it does, and with which exception; there hashedfs keeps the
reference as it is written. `departs` is the kind of note of the lenient
storage in django_server.py where Django finishes and hashedfs does otherwise.
"""

import dataclasses

PROFILES = ("4.2", "5.2", "6.0", "6.1")

MISSING = "ValueError"
OUTSIDE = "SuspiciousFileOperation"
CIRCLE = "RuntimeError"
NOT_UTF8 = "UnicodeDecodeError"
NO_NAME = "OSError"


@dataclasses.dataclass
class Case:
    name: str
    files: dict
    aborts: dict = dataclasses.field(default_factory=dict)  # profile -> exception
    departs: tuple = ()
    static_url: str = "/static/"

    def __str__(self):
        return self.name


def _profiles(span):
    """ "4.2-6.0", "6.1", "all" """
    if span == "all":
        return PROFILES
    low, _, high = span.partition("-")
    return [p for p in PROFILES if low <= p <= (high or low)]


def _aborts(text):
    """ "4.2-5.2 ValueError, 6.0-6.1 RuntimeError" """
    found = {}
    for part in filter(None, text.split(", ")):
        span, exception = part.split(" ")
        found.update(dict.fromkeys(_profiles(span), exception))
    return found


def case(name, files, aborts="", departs=(), static_url="/static/"):
    files = {
        path: data.encode() if isinstance(data, str) else data
        for path, data in files.items()
    }
    return Case(name, files, _aborts(aborts), departs, static_url)


def css(name, text, aborts="", departs=(), more=None, static_url="/static/"):
    """css/a.css beside img/a.png."""
    files = {"css/a.css": text, "img/a.png": "PNG", **(more or {})}
    return case(name, files, aborts, departs, static_url)


def url(name, value, *args, **kwargs):
    return css(name, "a{b:url(%s)}\n" % value, *args, **kwargs)


def js(name, text, aborts="", more=None):
    return case(name, {"js/a.js": text, "js/a.js.map": "{}", **(more or {})}, aborts)


ALL = f"all {MISSING}"
ALL_OUT = f"all {OUTSIDE}"
TO_60 = f"4.2-6.0 {MISSING}"
TO_52 = f"4.2-5.2 {MISSING}"
FROM_60 = f"6.0-6.1 {MISSING}"

NAMES = [
    case("n01", {"a.txt": "hello\n"}),
    case("n02", {"README": "x"}),
    case("n03", {"a.tar.gz": "x"}),
    case("n04", {"a.": "x"}),
    case("n05", {".htaccess": "x", "b~": "x", "CVS/x": "x", "d/.git/x": "x", "a": ""}),
    case("n06", {"e.css": "", "e.js": "", "e": ""}),
    case("n07", {"a..b": "x", "d.d/f": "x", "...c": "x", "d..d/.x.y": "x"}),
    case("n08", {"a%20b.png": "PNG", "%41.png": "x", "a%C3%A9.png": "x"}),
    case("n09", {"100%.png": "PNG", "a%zz.png": "x", "a%4": "x"}),
    case("n10", {"a?b.png": "PNG", "a?": "x", "?b": "x", "d/a?#b.png": "x"}),
    case("n11", {"a#b.png": "PNG", "a#": "x", "#b": "x"}),
    case("n12", {" s.png": "PNG", "t.png ": "x", "d/ u.png": "x", "d/v.png\u00a0": "x"}),
    case("n13", {"foo:bar.png": "PNG", "1:b.png": "x"}),
    case("n14", {"Foo:bar.png": "PNG", "d/F:b.png": "x"}),
    case("n14-twice", {"Foo:b.png": "PNG", "foo:b.png": "PNG"}),
    case("n14-many", {" s.png": "PNG", "s.png": "PNG", "%73.png": "PNG", "t.png": "x",
                      "t.png#": "y", "a.css": "a{b:url(s.png);c:url(' s.png')}"}),
    case("n15", {"a\\b.png": "PNG"}, departs=("name",)),
    case("n16-lf", {"a\nb.png": "PNG"}, departs=("name",)),
    case("n16-tab", {"a\tb.png": "PNG"}, departs=("name",)),
    case("n16-cr", {"a\rb.png": "PNG"}, departs=("name",)),
    case("n17", {"\u00e9\u4e2d\U0001f600.png": "PNG", "\x7f\u2028": "x", 'a"b': "x"}),
    case("n18", {"a" * 243: "x"}, f"all {NO_NAME}", ("name",)),
    case("n18-fits", {"a" * 242: "x", "b" * 238 + ".png": "x"}),
    case("n21", {"staticfiles.json": "{}", "a.txt": "x"}),
    case("n22", {"css/A.CSS": "a{b:url(nope.png)}", "a.mjs": "//# sourceMappingURL=x"}),
    case("n23", {"css/a.css": "a{b:url(a;b.png)}", "css/a;b.png": "x"}),
    case("n24", {"\udcff.png": "x", "d/\udce9": "x"}),
    css("n25", "a{b:url('../img/x(1).png')}", TO_52, more={"img/x(1).png": "x"}),
    case("n26", {"%2e%2e": "x", "d/%2e%2e": "y"}),
    case("n27", {"a%2Fb.png": "PNG"}, departs=("name",)),
    case("n28", {"\x01c.png": "PNG", "d/\x01e": "x", "f\x01": "x"}),
    case("n29", {"%2F%2Fh": "x"}, ALL_OUT, ("name",)),
    case("n30", {"d.css/a.css": "a{b:url(../d.css)}", "d.css/b": "x"}),
    case("n31-same-letters", {"A/a.css": "a{}", "a/A.css": "a{}", "a/a.css": "a{}"}),
    case("n32-dot-files", {"a/..b": "", "a/b..": "x", "c./d": "y"}),
    case("w05-http", {"http:x.png": "x"}, departs=("name",)),
    case("w05-other", {"x-y:z.png": "x", "mailto:a": "y"}),
]

URLS = [
    url("u01", "../img/a.png"),
    url("u02", "'../img/a.png'"),
    css("u03", 'a{b:URL("../img/a.png")}'),
    url("u04", " ../img/a.png "),
    url("u05", ' "../img/a.png" ', ALL),
    url("u06", '"  ../img/a.png  "'),
    url("u07", "\"../img/a.png'", FROM_60),
    url("u08", "\n../img/a.png"),
    url("u09", "../img/a.png\n"),
    url("u10", "'../img/a.png", FROM_60),
    url("u11", "../img/x(1).png", TO_52 + ", " + FROM_60, more={"img/x(1).png": "x"}),
    url("u11-quoted", "'../img/x(1).png'", TO_52, more={"img/x(1).png": "x"}),
    url("u12", "../img/x\\(1\\).png", ALL, more={"img/x(1).png": "x"}),
    url("u13", "/static/img/a.png"),
    url("u14", " /other/x "),
    url("u15", "/static"),
    url("u16", "/static/"),
    url("u17", "/static//img/a.png", ALL_OUT),
    url("u18", "http://x"),
    url("u18-quoted", " 'http://x'", ALL),
    url("u19", "HTTP://x/y.png", ALL),
    case("u20", {"a.css": "a{b:url(HTTP://x/y.png)}"}, ALL_OUT),
    url("u21", "//cdn/x.png"),
    url("u24", "https://cdn/s/img/a.png", static_url="https://cdn/s/"),
    url("u24-slash", "/img/a.png", static_url="https://cdn/s/"),
    url("u24-relative", "../img/a.png", static_url="https://cdn/s/"),
    url("u25", "x-foo:bar", ALL),
    css("u26", "a{b:url(about:blank);c:url(data:image/png,x)}"),
    url("u27", "\"data:..,<g fill='url(#b)'/><g fill='url(#c)'/>\""),
    url("u28", "'data:,<g fill=\"url(#b)\"/><g fill=\"url(#c)\"/>'"),
    url("u29", ""),
    url("u30", "''"),
    url("u31", "#f"),
    url("u32", "'#f'"),
    url("u33", "../img/a.png#f"),
    url("u34", "../img/a.png?#iefix"),
    url("u35", "../img/a.png?v=1"),
    url("u36", "../img/a.png?v=1#f"),
    url("u37", "../img/a.png?"),
    url("u38", "../img/a.png?u=/x/y", ""),
    url("u39", "../img/a.png#"),
    url("u40", "../img/a.png#x/y"),
    url("u41", "../img/b%20c.png", more={"img/b c.png": "x"}),
    url("u42", "../img/b c.png", more={"img/b c.png": "x"}),
    url("u43", "../img/b%23c.png", ALL, more={"img/b#c.png": "x"}),
    url("u44", "../img/b%2520c.png", more={"img/b c.png": "x"}),
    url("u45", "../img/b%2520c.png", more={"img/b%20c.png": "x"}),
    url("u46", "../img/"),
    url("u47", "../img"),
    # collectstatic makes no empty directories.
    url("u47-empty", "../empty", ALL, more={"empty/d/.ignored": "x"}),
    url("u47-below", "../full", more={"full/d/x": "x"}),
    url("u47-twice", "../x%2520y", ALL, departs=("name",), more={"x%20y/z": "x"}),
    url("u48", ".."),
    url("u49", "./../img/./a.png"),
    url("u50", "../css/../img/a.png"),
    url("u51", "nope/../../img/a.png"),
    url("u52", "..//img//a.png"),
    url("u53", "../../x.png", ALL_OUT),
    url("u54", "nope.png", ALL),
    css("u55", "/* url(nope.png) */", TO_60),
    css("u56", 'a{content:"url(nope.png)"}', TO_60),
    url("u57", "../img/A.png", ALL),
    url("u58", "..\\img\\a.png", ALL),
    url("u59", "../img/p%25d.png", more={"img/p%d.png": "x"}),
    url("u60", "../img/p+q.png", more={"img/p+q.png": "x"}),
    url("u61", "%ff.png", ALL),
    url("u62", "../img/\u00e9.png", more={"img/\u00e9.png": "x"}),
    url("u63", "../img/%C3%A9.png", more={"img/\u00e9.png": "x"}),
    url("u64", "../img/%c3%a9.png#%c3%a9", more={"img/\u00e9.png": "x"}),
    url("u65", "\u00a0../img/a.png"),
    url("u66", "../img/a\u2028b.png", more={"img/a\u2028b.png": "x"}),
    css("u67", '@\u0131mport "b.css";\n@\u0130mport "b.css";', more={"css/b.css": "b{}"}),
    css("u68", "a{b:myurl(../img/a.png)}"),
    url("u69", "../img/a\t.png"),
    url("u70", "../img/a.png", more={"css/b.css": "\ufeffa{b:url(../img/a.png)}"}),
    css("u71", "a{b:url(../img/a.png)}\r\nc{d:url('../img/a.png')}\r\n"),
    case("u72", {"a.css": b"\xff url(b.png)", "b.png": "x"}, f"all {NOT_UTF8}"),
    case("u73", {"a.css": "url(b)".encode("utf-16"), "b": "x"}, f"all {NOT_UTF8}"),
    url("u74", "../img/a\0.png", ALL),
    css("u75", '@charset "utf-8";\na{b:url(../img/a.png)}'),
    url("u76", "../img/a.png;#f"),
    case("u77", {"a.css": "a{b:url(Foo:bar.png)}", "Foo:bar.png": "x"}, ALL),
    css("u78", 'a{b:image-set("../img/a.png" 1x)}'),
    url("u79", "../img/it's.png", more={"img/it's.png": "x"}),
    url("u80", "../img/\\61.png", ALL),
    url("u82", "../img%2Fa.png"),
    url("u83", "%2e%2e/img/a.png"),
    url("u84", "../img/a.png%3Fv"),
    url("u85", "../img/a.png", static_url="/st%20x/"),
    url("u85-absolute", "/st%20x/img/a.png", static_url="/st%20x/"),
    url("u86", "../img/a.png#a%20b"),
    url("u87", "../img/a.png?a=1?#iefix"),
    css("u88", 'a{b:url("b.css ");c:url("b.css")}', departs=("raw",),
        more={"css/b.css": "b{c:url(../img/a.png)}"}),
    url("u89", "../img/a.png?x/../y", ALL),
    url("u91", "/static///[x", ALL),
    url("u92", '"', FROM_60),
    url("u93", "?x"),
    url("u94", "../img/a.png\u00a0"),
    url("v01", "//cdn/x.png", f"4.2 {OUTSIDE}", static_url="/"),
    url("v02", "/img/a.png", static_url="/"),
    url("v03", "/static/img/a.png", static_url="static/"),
    url("v09", "\x1c../img/a.png"),
    url("v10", "\u180e../img/a.png", ALL),
    url("v11", "\x85../img/a.png"),
    url("v12", "\v\f../img/a.png"),
    url("v13", "../img/a\r.png"),
    case("v14", {"a.css": b"\xed\xa0\xbd\xed\xb8\x80"}, f"all {NOT_UTF8}"),
    css("v15", "a{b:url(../img/a.png);c:'%s %(url)s %%'}"),
    url("v22", "   "),
    url("v37", '"\n../img/a.png"'),
    url("w07", "..%2f..%2fetc/passwd", ALL_OUT),
    url("w09", "/static/../img/a.png", ALL_OUT),
    url("w10", "/static/css/../img/a.png"),
    url("w11", "../img/a.png?%23x"),
    url("w12", "../img/a.png?a?b"),
    url("w14", "../img/a.png;", ALL),
    url("w15", "../img/a\\.png", ALL),
    url("w17", "../img/a.png/* x */"),
    url("w18", "../img/b%20c.png", ALL, more={"img/b%20c.png": "x"}),
    css("w19", 'a{b:src("../img/a.png");c:image("../img/a.png")}'),
    url("w20", "a%20b/c.png", more={"css/a b/c.png": "x"}),
]

B = {"css/b.css": "b{c:url(../img/a.png)}"}

IMPORTS = [
    css("i01", '@import "b.css" screen;', more=B),
    css("i02", "@IMPORT'b.css';", more=B),
    css("i03", "@import url(b.css) print;", more=B),
    css("i04", "@import url('b.css') print;", more=B),
    css("i05", '@import " b.css ";', more=B, departs=("raw",)),
    css("i05-left", '@import " b.css";', more=B),
    css("i06", '@import "http://x/y.css";@import "//x/y.css";'),
    css("i07", '@import\n"b.css";', more=B),
    css("i08", '@import "b.css";', more=B),
    css("i09", '@import "b.css?v=1";', more=B, departs=("raw",)),
    css("i10", '@import "a.css";', f"all {CIRCLE}"),
    css("i11", '@import "b.css";', f"all {CIRCLE}",
        more={"css/b.css": '@import "a.css";', "css/c.css": '@import "b.css";'}),
    css("i12", "a{b:url(a.css?x)}", departs=("raw",)),
    css("i13", "a{b:url(a.css#x)}", f"all {CIRCLE}"),
    css("i14", "@import \"b.css';", more=B),
    css("i15", '/* @import "nope.css" */', TO_60),
    css("i16", '@import "";'),
    css("i17", "a{b:'@import \"nope.css\"'}", TO_60),
    css("i18", "a{b:url(b.css?1)}", more={"css/b.css": "b{c:url(a.css?1)}"},
        departs=("raw",)),
    css("i19", '@import "url(b.css)";', ALL, more=B),
    css("i20-chain", '@import "b.css";', more={
        "css/b.css": '@import "c/c.css";', "css/c/c.css": '@import "../d.css";',
        "css/d.css": "d{e:url(../img/a.png)}"}),
    # The hash is lost, and with it the circle.
    css("i21-query", "a{b:url(a.css?v=1/x);c:url(a.css?%5cx)}"),
    css("i21-fragment", "a{b:url(a.css%23x/y);c:url(a.css%23x%252Fy)}"),
    css("i21-two", "a{b:url(b.css?1/x)}", more={"css/b.css": "b{c:url(a.css%231/x)}"}),
    css("i21-once", "a{b:url(b.css?1/x)}", more={"css/b.css": "b{c:url(a.css)}"}),
    css("i21-both", "a{b:url(b.css%23/x);c:url(b.css)}", f"all {CIRCLE}",
        more={"css/b.css": "b{c:url(a.css)}"}),
    # Found only if it has been named already, and not shown then.
    css("i22", "a{b:url(a.css?x);c:url(../s?v.css%23x/y)}", ALL, ("raw", "circle"),
        more={"s?v.css": "b{}"}),
    css("v21", '@import "b\n.css";', more=B),
    css("w13", '@import "b.css#x";', more=B),
    case("w03", {"a.css": "a{b:url(staticfiles.json)}"}, ALL),
]

MAP = {"css/a.css.map": "{}"}

MAPS = [
    js("s01", "x\n//# sourceMappingURL=a.js.map\n"),
    js("s02", "//# sourceMappingURL=nope.map\n", ALL),
    js("s03", "x\r\n//# sourceMappingURL=a.js.map\r\n"),
    js("s04", "//# sourceMappingURL=a.js.map  \n"),
    js("s05", "x //# sourceMappingURL=a.js.map\n"),
    js("s06", "//# sourcemappingurl=a.js.map\n"),
    js("s07", "//@ sourceMappingURL=a.js.map\n"),
    js("s08", "x\n//# sourceMappingURL=data:application/json,{}\ny\n"),
    js("s09", "x\n//# sourceMappingURL=http://x/y.map\ny\n"),
    js("s10", "//# sourceMappingURL=a.js.map"),
    js("s11", 'x="\n//# sourceMappingURL=nope.map\n"', ALL),
    js("s12", "/*\n//# sourceMappingURL=nope.map\n*/", TO_60),
    js("s13", "x=`\n//# sourceMappingURL=nope.map\n`", TO_60),
    js("s15", "x\n//# sourceMappingURL=\ny"),
    css("s16", "a{}\n/*# sourceMappingURL=a.css.map */\n", more=MAP),
    css("s17", "/*# sourceMappingURL=a.css.map*/", more=MAP),
    css("s18", "/*#\tsourceMappingURL=a.css.map\t*/", more=MAP),
    css("s19", "a{}\n/*# sourceMappingURL=data:application/json,{} */\nb{}"),
    css("s20", "/*# sourceMappingURL=a.css.map */\r\n", more=MAP),
    css("s21", "/*# sourceMappingURL=nope.map */", ALL),
    css("s22", "/*# sourceMappingURL=a.css.map */ a{}", more=MAP),
    case("s23", {"a.js": b"\xff"}, f"all {NOT_UTF8}"),
    case("s24", {"a.mjs": "//# sourceMappingURL=nope.map"}),
    css("s25", "a{} /*# sourceMappingURL=a.css.map */", more=MAP),
    js("s26", "//# sourceMappingURL=a.js.map?x=1\n"),
    js("v24", "b=/[`]/\n//# sourceMappingURL=a.js.map\n/`/"),
    js("v26", "r=/[/*]/\n//# sourceMappingURL=a.js.map\n/* */"),
    js("v31", "x\r//# sourceMappingURL=a.js.map\r"),
    js("v33", "//# sourceMappingURL=a.js.map and more\n", ALL),
]

A = "a{b:url(../img/a.png)}"

IGNORED = [
    css("k01", f"/* {A} */{A}"),
    css("k02", f'a{{b:"/*"}}{A}c{{d:"*/"}}'),
    css("k03", f"a{{b:url(data:x/*y)}}{A}/* */{A}"),
    css("k04", f"{A}/* {A}"),
    css("k05", f"/* it's */{A}/* it's */"),
    css("k06", f"a{{b:'}} {A} }}'}}"),
    css("k07", r"a{b:\url(../img/a.png)}"),
    css("k08", f"/**/{A}/***/{A}/****/"),
    css("k09", f"/*\\*/{A}/* */"),
    css("k10", "a{b:/* */url(../img/a.png)}"),
    css("k11", f"a{{b:'x\n}}{A}c{{d:'"),
    css("k12", f"a{{b:url(../img/it's.png)}}{A}c{{d:'}}{A}", more={"img/it's.png": "x"}),
    css("k13", "a{b:url(../img/a.png#'x)}c{d:'}"),
    css("k14", "url(../img/a.png#/*)\n/*# sourceMappingURL=a.css.map*/", more=MAP),
    css(
        "k15",
        "url(../img/a.png#/*)\n/*# sourceMappingURL=b.css*/",
        f"all {CIRCLE}",
        more={"css/b.css": "@import 'c.css'", "css/c.css": "@import 'a.css'"},
    ),
    css(
        "k16",
        "url('../img/a.png#\"') @import \"b.css\"",
        f"4.2-6.0 {CIRCLE}",
        more={"css/b.css": "@import 'a.css'; url('../img/a.png#\"') @import \"b.css\""},
    ),
    css("v04", "/* url( */ a{b:url(x)}", TO_60),
    css("v28", "a{b:'x\\\nurl(../img/a.png)'}"),
    css("v29", 'a{b:\\"url(../img/a.png)"}'),
    css("v38", "a{b:url/**/(../img/a.png)}"),
    js("k01-js", "/* \n//# sourceMappingURL=a.js.map\n*/\n//# sourceMappingURL=a.js.map"),
    js("k05-js", "// it's `\n//# sourceMappingURL=a.js.map"),
    js("k06-js", "a = `${'`'}\n//# sourceMappingURL=a.js.map\n`"),
]

CASES = NAMES + URLS + IMPORTS + MAPS + IGNORED


def module(name, text, aborts="", departs=()):
    more = {"js/b.js": "export let b;", "js/d/c.js": "import '../b.js'"}
    return case(name, {"js/a.js": text, "js/a.js.map": "{}", **more}, aborts, departs)


# For support_js_module_import_aggregation, as Django 6.1 has it.
MODULES = [
    module("j01", 'import { b } from "./b.js";\n'),
    module("j02", 'import c from "./d/c.js";import d from "./b.js";\n'),
    module("j03", "import {\n\tb,\n\tc\n}\nfrom\n'./b.js'\n"),
    module("j04", "import * as b from './b.js';import*as c from'./d/c.js'"),
    module("j05", 'import("vue");import x from "vue";import "vue";export * from "vue"'),
    module("j06", "// import a from './nope.js'\n/* import('./nope.js') */ import './b.js'"),
    module("j07", "export { b } from './b.js';export * from './d/c.js'\n"),
    module("j08", "import('./b.js').then(import( './b.js' ))\n"),
    module("j09", "import   './b.js'\nimport\"./d/c.js\""),
    module("j10", "import a from '/static/js/b.js';import('/js/b.js')"),
    module("j11", "import './nope.js'", ALL),
    module("j12", "x = `import './nope.js'` + \"import './b.js'\"\nimport './b.js'"),
    module("j13", "import a, { b } from './b.js'; export default 1\nimport './b.js'"),
    module("j14", "IMPORT a FROM './b.js'\nreimport './b.js'"),
    module("j15", "import './b.js?v=1';import './b.js#f'", departs=("raw",)),
    module("j16", "import './a.js'", f"all {CIRCLE}"),
    module("j17", "import {a} from './b.js'\n//# sourceMappingURL=a.js.map"),
    module("j18", "import a; from './b.js'\nexport {c}; from './b.js'"),
    module("j19", "import './b.js\";import(\"./b.js')"),
]
