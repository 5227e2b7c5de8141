"""A stock Django serves from our manifest, a web server from the mount, and a
browser sees the page. Django itself sees neither the sources nor the mount."""

import contextlib
import json
import re
import shlex
import shutil
import subprocess
import urllib.request

import png
import pytest
from conftest import INPUTS, TOP, not_run
from mount import apart
from person import ROOT, eventually
from web import free_port, nginx, program, running

STOCK = TOP / "tests/stock"
PYTHON = TOP / "build/venv/bin/python"
HASHED = re.compile(r"^/static/.*\.[0-9a-f]{12}(\.[^./]*)?$")

SERVER = """
		location /static/ {{
			alias {mount}/;
		}}
		location / {{
			proxy_pass http://127.0.0.1:{django};
		}}
"""

# What Django may not see is covered up in a mount namespace of its own.
BLIND = """
while [ "$1" != -- ]; do
	mount -t tmpfs nothing "$1"
	shift
done
shift
exec "$@"
"""


class Site:
    """What a browser can reach, and what it asked for."""

    def __init__(self, top, port, paths):
        self.top = top
        self.port = port
        self.paths = paths  # of the manifest

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as r:
            return r.read().decode()

    def visit(self, path):
        """Loads a page: its colours, and what was asked for under /static/ as
        (status, path)."""
        log = self.top / "access.log"
        log.write_text("")
        shot = self.top / "shot.png"
        shot.unlink(missing_ok=True)
        profile = self.top / "profile"
        shutil.rmtree(profile, ignore_errors=True)
        ROOT.run(
            program("chromium"),
            *"--headless --no-sandbox --disable-gpu --disable-quic --no-first-run".split(),
            *"--disable-background-networking --disable-component-update".split(),
            *"--disable-sync --disable-dev-shm-usage --hide-scrollbars".split(),
            *"--window-size=800,600 --virtual-time-budget=10000".split(),
            f"--user-data-dir={profile}",
            f"--screenshot={shot}",
            f"http://127.0.0.1:{self.port}{path}",
            env={"HOME": str(self.top)},
        )
        lines = [line.split(" ", 1) for line in log.read_text().splitlines()]
        asked = [(int(code), url) for code, url in lines if url.startswith("/static/")]
        return png.colours(shot.read_bytes()), asked

    def url(self, path):
        return f"/static/{self.paths[path]}"


@pytest.fixture
def static(work):
    """The static files of the site."""
    top = work / "static"
    shutil.copytree(STOCK / "static", top)
    fonts = INPUTS / "fontawesome-free/webfonts"
    if not fonts.is_dir():
        not_run("build/inputs/fontawesome-free could not be fetched")
    (top / "fonts").mkdir()
    shutil.copy(fonts / "fa-solid-900.woff2", top / "fonts/icons.woff2")
    (top / "img").mkdir()
    (top / "img/blue.png").write_bytes(png.solid("#1234ab", 64))
    (top / "img/tile.png").write_bytes(png.solid("#c0ffee", 96))
    return top


@pytest.fixture
def sources(static, work):
    """What the line in the README prints: a file for --sources-from."""
    readme = (TOP / "README.md").read_text(encoding="utf-8")
    (line,) = [row for row in readme.splitlines() if "get_finders" in row]
    command, _, target = line.removeprefix("$ ").partition(" > ")
    assert target == "sources"
    done = ROOT.run(
        *[PYTHON if word == "python" else word for word in shlex.split(command)],
        cwd=STOCK,
        env={"STOCK_STATIC": f"site={static}", "PYTHONDONTWRITEBYTECODE": "1"},
    )
    admin = ROOT.run(PYTHON, "-c", "import django; print(django.__path__[0])").stdout
    admin = f"{admin.strip()}/contrib/admin/static"
    assert done.stdout == f"site={static}\n{admin}\n"
    file = work / "sources"
    file.write_text(done.stdout)
    return file


@pytest.fixture
def site(as_root, sources, static, work, mount, manifest):
    """site(options) as a context: everything is up in it."""

    @contextlib.contextmanager
    def start(options=""):
        top = work / "site"
        top.mkdir()
        only_manifest = top / "manifest"
        only_manifest.mkdir()
        from_file = ["--sources-from", str(sources)]
        with mount(None, f"allow_other,control=owner{options}", extra=from_file) as m:
            output = only_manifest / "staticfiles.json"
            manifest(ROOT, "snapshot", "--output", output, m)
            django = free_port()
            hidden = [line.rpartition("=")[2] for line in sources.read_text().split()]
            with (
                nginx(top, SERVER.format(mount=m, django=django)) as port,
                running(
                    *[*apart(), "sh", "-ec", BLIND, "sh"],
                    *[*hidden, "--", PYTHON, "-B", STOCK / "manage.py", "runserver"],
                    *["--noreload", f"127.0.0.1:{django}"],
                    cwd=STOCK,
                    env={"STOCK_MANIFEST": str(only_manifest)},
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                ),
            ):
                paths = json.loads(output.read_text())["paths"]
                here = Site(top, port, paths)
                assert eventually(lambda: "page" in here.get("/page/"), 30)
                for place in (str(m), *hidden):
                    assert here.get(f"/seen/?path={place}") == ""
                yield here
            # Nothing was needed beside the manifest.
            assert [p.name for p in only_manifest.iterdir()] == ["staticfiles.json"]

    return start


def check(asked, here):
    """All are there, and under names of the manifest."""
    known = {f"/static/{value}" for value in here.paths.values()}
    assert asked
    for code, url in asked:
        path = re.split("[?#]", url)[0]
        assert code == 200 and HASHED.match(path) and path in known, (code, url)


def test_pages(site):
    with site() as here:
        colours, asked = here.visit("/admin/login/")
        check(asked, here)
        assert (200, here.url("admin/css/login.css")) in asked
        assert colours["#417690"] > 1000, "the header of the admin"
        colours, asked = here.visit("/page/")
        check(asked, here)
        names = "css/page.css css/base.css fonts/icons.woff2 img/blue.png js/page.js"
        for name in names.split():
            assert (200, here.url(f"site/{name}")) in asked
        assert (200, here.url("site/img/tile.png") + "?v=1") in asked
        assert colours["#0a7f5b"] > 100_000, "the background, of the imported file"
        assert colours["#1234ab"] == 64 * 64, "the image"
        assert colours["#c0ffee"] == 96 * 96, "the image that the style sheet names"
        assert colours["#d0006f"] > 1000, "the letter of the font"
        with pytest.raises(urllib.error.HTTPError, match="404"):
            here.get("/static/.hashedfs/status")


@pytest.mark.parametrize(
    "options, code, plain",
    [("", 404, True), (",show=hashed:kept:plain", 200, True), (",js_modules", 200, False)],
)
def test_import_between_modules(site, manifest, static, options, code, plain):
    """By default a browser asks for the plain name, which is not there: `check`
    tells it beforehand. There are two remedies."""
    opts = options.lstrip(",") or "refs=django-6.1"
    told = manifest(
        ROOT, "check", "--source", "-o", opts, f"site={static}", check=False, text=True
    )
    assert told.returncode == (1 if code == 404 else 0)
    assert ("site/js/main.js" in told.stdout) == (code == 404)
    with site(options) as here:
        colours, asked = here.visit("/module/")
        module = "/static/site/js/colour.js" if plain else here.url("site/js/colour.js")
        assert (200, here.url("site/js/main.js")) in asked
        assert (code, module) in asked
        assert (colours["#7a1fa2"] > 100_000) == (code == 200)
