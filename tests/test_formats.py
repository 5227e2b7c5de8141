"""Manifests in the hands of those who read them: each format by its consumer,
where one runs here. What the bytes are, tests/manifest/test_formats.c says."""

import base64
import contextlib
import functools
import hashlib
import http.server
import json
import os
import shutil
import subprocess
import threading
import urllib.parse

import oracle
import pytest
from conftest import TOP, not_run
from person import WHOEVER
from s3 import KEY, REGION, SECRET, serve
from web import program

NODE = TOP / "build/node"
SYMFONY = "/usr/share/php/Symfony/Component/Asset/autoload.php"

TREE = {
    "css/app.css": b'@import "base.css"; a{background:url("../img/x.png")}',
    "css/base.css": b"b{}",
    "css/one.css": b'@import "two.css";',
    "css/two.css": b'@import "one.css";',
    "img/x.png": b"png",
    "img/a b+c%.png": b"odd",
    "js/main.js": b'import {word} from "./lib/word.js"; document.title = word;',
    "js/lib/word.js": b'export const word = "mapped";',
    "favicon.ico": b"icon",
}


@pytest.fixture
def tree(make):
    return make(TREE)


@pytest.fixture
def snapshot(manifest, anyone, tree):
    """snapshot(*args): a manifest of the tree, as text."""

    def run(*args):
        opts = ["-q", "--source", "-o", "keep=*.ico"]
        return manifest(anyone, "snapshot", *opts, *args, tree).stdout.decode()

    return run


@pytest.fixture
def names(snapshot):
    return json.loads(snapshot())["paths"]


# --- integrity ----------------------------------------------------------------


@pytest.mark.parametrize("name", ["sha256", "sha384", "sha512"])
def test_integrity(name, tree, snapshot, mount, manifest, as_user):
    """Of what is read on a mount; the mount says the same of itself."""
    with mount(tree, "keep=*.ico", person=as_user) as m:
        files = m.files()
        from_mount = manifest(as_user, "snapshot", "--integrity", name, m).stdout
        strict = ["--strict", "--ignore", "*"]
        again = manifest(as_user, "snapshot", "--integrity", name, *strict, m).stdout
    assert from_mount.decode() == snapshot("--integrity", name)
    assert again == from_mount
    data = json.loads(from_mount)
    assert {data["paths"][path]: value for path, value in data["integrity"].items()} == {
        file: f"{name}-{base64.b64encode(hashlib.new(name, text).digest()).decode()}"
        for file, text in files.items()
    }


# --- Django -------------------------------------------------------------------

ASK_DJANGO = """
import json, sys
from django.conf import settings
settings.configure(
    STATIC_URL="/static/",
    STATIC_ROOT="/nonesuch",
    INSTALLED_APPS=["django.contrib.staticfiles"],
    STORAGES={"staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage",
    }},
)
import django
django.setup()
from django.core.files.storage import FileSystemStorage
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
storage = ManifestStaticFilesStorage(manifest_storage=FileSystemStorage(sys.argv[1]))
names = json.loads(sys.argv[2])
print(json.dumps([storage.manifest_hash, {name: storage.url(name) for name in names}]))
try:
    storage.url("not/there.css")
except ValueError:
    print("strict")
"""


def unescaped(text):
    """Our URLs as Django has them, which unquotes what it puts together."""
    return {path: urllib.parse.unquote(url) for path, url in json.loads(text).items()}


@pytest.mark.parametrize("version", list(oracle.VENVS))
@pytest.mark.parametrize("how", [[], ["--integrity", "sha384"]], ids=["plain", "integrity"])
def test_django(version, how, snapshot, names, work):
    """Every Django takes the names, and does not look at integrity values."""
    python = oracle.VENVS[version] / "bin/python"
    if not python.exists():
        not_run(f"no Django {version} here")
    text = snapshot(*how)
    (work / "staticfiles.json").write_text(text)
    assert ("integrity" in json.loads(text)) == bool(how)
    done = WHOEVER.run(python, "-B", "-c", ASK_DJANGO, work, json.dumps(list(names)))
    answer, strict = done.stdout.splitlines()
    sum_, urls = json.loads(answer)
    assert sum_ == oracle.manifest_hash(names)
    assert urls == unescaped(snapshot("--format", "urls"))
    assert strict == "strict"


ASK_STORAGES = """
import json, sys
from django.conf import settings
settings.configure(STATIC_URL="/static/", INSTALLED_APPS=["django.contrib.staticfiles"])
import django
django.setup()
from django.core.files.storage import FileSystemStorage
from storages.backends.s3 import S3ManifestStaticStorage
request = json.loads(sys.argv[1])
class Storage(S3ManifestStaticStorage):
    manifest_name = request["manifest_name"]
local = request["local"]
storage = Storage(
    manifest_storage=FileSystemStorage(local) if local else None, **request["options"]
)
print(json.dumps({name: storage.url(name) for name in request["names"]}))
"""


def ask_storages(**request):
    python = TOP / "build/venv/bin/python"
    done = WHOEVER.run(python, "-B", "-c", ASK_STORAGES, json.dumps(request))
    return json.loads(done.stdout)


CDN = {"custom_domain": "cdn.example.org", "location": "static", "querystring_auth": False}


def test_django_storages(snapshot, names, work):
    """S3ManifestStaticStorage with its manifest in a local directory: no network."""
    (work / "staticfiles.json").write_text(snapshot("--integrity", "sha384"))
    urls = ask_storages(
        manifest_name="staticfiles.json",
        local=str(work),
        options={"bucket_name": "nonesuch", **CDN},
        names=list(names),
    )
    expected = snapshot("--format", "urls", "--url-prefix", "https://cdn.example.org/static/")
    assert urls == unescaped(expected)


def test_django_storages_in_the_bucket(snapshot, names, work):
    """The manifest of each release in the bucket, under the name of its commit."""
    commit = "0123456789abcdef0123456789abcdef01234567"
    with serve(work / "s3") as s3:
        s3.aws("s3", "mb", "s3://site")
        file = work / "m.json"
        file.write_text(snapshot("--integrity", "sha256"))
        s3.aws("s3", "cp", file, f"s3://site/static/staticfiles-{commit}.json")
        urls = ask_storages(
            manifest_name=f"staticfiles-{commit}.json",
            local=None,
            options={
                "bucket_name": "site",
                "endpoint_url": s3.url,
                "access_key": KEY,
                "secret_key": SECRET,
                "region_name": REGION,
                **CDN,
            },
            names=list(names),
        )
    expected = snapshot("--format", "urls", "--url-prefix", "https://cdn.example.org/static/")
    assert urls == unescaped(expected)


# --- PHP ----------------------------------------------------------------------

ASK_SYMFONY = """
require $argv[1];
use Symfony\\Component\\Asset\\Package;
use Symfony\\Component\\Asset\\PathPackage;
use Symfony\\Component\\Asset\\VersionStrategy\\JsonManifestVersionStrategy;
$strategy = new JsonManifestVersionStrategy($argv[2], null, true);
$package = $argv[3] === "" ? new Package($strategy) : new PathPackage($argv[3], $strategy);
$urls = [];
foreach (json_decode($argv[4]) as $name)
    $urls[$name] = $package->getUrl($name);
echo json_encode($urls);
"""


@pytest.mark.parametrize(
    "how, base, key, url",
    [
        ([], "/static", "", "/static/"),
        (["--key-prefix", "build/", "--url-prefix", "/build/"], "", "build/", "/build/"),
    ],
    ids=["path", "encore"],
)
def test_symfony(how, base, key, url, snapshot, names, work):
    """json_manifest_path: with the path put before by Symfony, or in the manifest
    as Encore has it."""
    if not os.path.exists(SYMFONY):
        not_run("no php-symfony-asset here")
    (work / "m.json").write_text(snapshot("--format", "flat", *how))
    asked = json.dumps([key + name for name in names])
    done = WHOEVER.run(program("php"), "-r", ASK_SYMFONY, SYMFONY, work / "m.json", base, asked)
    assert json.loads(done.stdout) == {key + path: url + name for path, name in names.items()}


# --- Node ---------------------------------------------------------------------


def node(script, *args):
    if not (NODE / "done").exists():
        not_run("build/node could not be fetched")
    argv = [program("node"), "--input-type=module", "-e", script, *map(str, args)]
    return WHOEVER.run(*argv, cwd=NODE).stdout


RESOLVE = """
import fs from "node:fs";
import {createRequire} from "node:module";
const {parse, resolve} = createRequire(process.cwd() + "/x.js")("@import-maps/resolve");
const [file, base, ...words] = process.argv.slice(1);
const map = parse(JSON.parse(fs.readFileSync(file, "utf8")), new URL("http://h/page"));
for (const word of words)
  console.log(resolve(word, map, new URL(base)).resolvedImport.href);
"""


def test_import_map_by_its_resolver(snapshot, names, work):
    """Imports of a module, by relative, absolute and by bare names."""
    file = work / "map.json"
    file.write_text(snapshot("--format", "importmap"))
    base = f"http://h/static/{names['js/main.js']}"
    word = f"http://h/static/{names['js/lib/word.js']}"
    told = node(RESOLVE, file, base, "./lib/word.js", "/static/js/lib/word.js", "../css/app.css")
    assert told.splitlines() == [word, word, "http://h/static/css/app.css"]
    file.write_text(snapshot("--format", "importmap", "--key-prefix", "app/"))
    told = node(RESOLVE, file, base, "app/js/lib/word.js", "./lib/word.js")
    assert told.splitlines() == [word, "http://h/static/js/lib/word.js"]


REWRITE = """
import fs from "node:fs";
import rewrite from "gulp-rev-rewrite";
import Vinyl from "vinyl";
const [manifest, text] = process.argv.slice(1);
const stream = rewrite({manifest: fs.readFileSync(manifest)});
stream.on("data", file => process.stdout.write(file.contents.toString()));
stream.end(new Vinyl({path: "/x.html", contents: Buffer.from(text)}));
"""


def test_rev_manifest(snapshot, names, work):
    """gulp-rev-rewrite puts our names into a page."""
    file = work / "rev-manifest.json"
    file.write_text(snapshot("--format", "flat"))
    page = '<link href="css/app.css"><img src="img/x.png"><script src="js/main.js">'
    expected = page
    for path in ("css/app.css", "img/x.png", "js/main.js"):
        expected = expected.replace(path, names[path])
    assert node(REWRITE, file, page) == expected


@pytest.mark.parametrize(
    "style, digest, length",
    [("propshaft", "sha1", 8), ("phoenix", "md5", 32), ("rev", "md5", 10)],
)
def test_names_of_a_style(style, digest, length, tree, manifest, anyone):
    """Propshaft::Asset#digested_path without a version, Phoenix.Digester.digest
    and rev-hash: of files that refer to nothing the names are theirs."""
    opts = ["-q", "--source", "-o", f"style={style}", "--format", "flat"]
    names = json.loads(manifest(anyone, "snapshot", *opts, tree).stdout)
    for path, data in TREE.items():
        root, extension = os.path.splitext(path)
        theirs = f"{root}-{hashlib.new(digest, data).hexdigest()[:length]}{extension}"
        refers = path in ("css/app.css", "css/one.css", "css/two.css")
        assert (names[path] == theirs) != refers, path


@pytest.mark.parametrize("how", ["urls", "importmap"])
def test_urls_of_a_mount(how, tree, mount, manifest, as_user):
    """A mount tells its static URL."""
    args = ["snapshot", "-q", "--format", how]
    with mount(tree, "static_url=/s/", person=as_user) as m:
        told = manifest(as_user, *args, m).stdout
    assert b'"/s/js/main.' in told
    assert told == manifest(as_user, *args, "--source", "-o", "static_url=/s/", tree).stdout


# --- a browser ----------------------------------------------------------------

PAGE = """<!doctype html><title>no script</title>
<script type="importmap">{map}</script>
<link rel="stylesheet" href="/static/{css}" integrity="{css_integrity}">
<script type="module" src="/static/{main}" integrity="{main_integrity}"></script>
<body><p>page</p>
<script>
addEventListener("load", () => document.body.append(
  document.styleSheets.length + " sheets"));
</script>
"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@contextlib.contextmanager
def web(top):
    handler = functools.partial(Quiet, directory=str(top))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def visit(url, home):
    """The page when its scripts have run."""
    return WHOEVER.run(
        program("chromium"),
        *"--headless --no-sandbox --disable-gpu --disable-quic --no-first-run".split(),
        *"--disable-background-networking --disable-component-update".split(),
        *"--disable-sync --disable-dev-shm-usage --virtual-time-budget=10000".split(),
        f"--user-data-dir={home}/profile",
        "--dump-dom",
        url,
        env={"HOME": str(home)},
    ).stdout


@pytest.mark.parametrize("spoilt", [None, "module", "script", "sheet"])
def test_browser(spoilt, as_root, tree, snapshot, names, mount, work):
    """Chromium resolves an import by the map, and takes what has the integrity
    that the manifests say; what has not it refuses."""
    site = work / "site"
    site.mkdir()
    with mount(tree, "keep=*.ico", person=as_root) as m:
        shutil.copytree(m, site / "static")
    sri = json.loads(snapshot("--format", "sri"))
    page = PAGE.format(
        map=snapshot("--format", "importmap", "--integrity", "sha384"),
        css=names["css/base.css"],
        css_integrity=sri["css/base.css"],
        main=names["js/main.js"],
        main_integrity=sri["js/main.js"],
    )
    (site / "index.html").write_text(page)
    paths = {"module": "js/lib/word.js", "script": "js/main.js", "sheet": "css/base.css"}
    if spoilt:
        with open(site / "static" / names[paths[spoilt]], "ab") as file:
            file.write(b" ")
    with web(site) as url:
        shown = visit(f"{url}/index.html", work)
    loads = spoilt not in ("module", "script")
    assert ("<title>mapped</title>" in shown) == loads, shown
    assert ("1 sheets" in shown) == (spoilt != "sheet"), shown


# --- scripts --------------------------------------------------------------------


def test_null(tree, snapshot, names, manifest, anyone):
    """xargs -0 -n 2, whatever the names hold."""
    (tree / "new\nline.png").write_bytes(b"n")  # cannot carry a hash
    opts = ["-q", "--source", "-o", "keep=*.ico", "--format", "null"]
    text = manifest(anyone, "snapshot", *opts, tree).stdout
    done = subprocess.run(
        ["xargs", "-0", "-n", "2", "sh", "-c", 'printf "%s=%s;" "$0" "$1"'],
        input=text,
        stdout=subprocess.PIPE,
        check=True,
    )
    pairs = dict(pair.split("=") for pair in done.stdout.decode().split(";")[:-1])
    assert pairs.pop("new\nline.png") == "new\nline.png"
    assert pairs == names


@pytest.mark.parametrize("consumer", ["Phoenix", "Propshaft"])
def test_consumers_that_are_not_here(consumer):
    """Debian has no package of them; their formats are held against bytes that
    were written by hand (tests/manifest/test_formats.c)."""
    not_run(f"{consumer} is in none of the registries that tests use", anywhere=True)
