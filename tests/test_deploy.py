"""Whole deployments, release after release: to a bucket of a real S3 server, and
to a directory that nginx serves. A release adds; pruning removes."""

import json
import os
import shutil
import sys
import urllib.error
import urllib.request

import oracle
import pytest
from conftest import TOP, not_run
from exporter import export_once
from person import ROOT, WHOEVER, eventually
from s3 import serve
from web import nginx

__all__ = ["export_once"]  # fixture

IMMUTABLE = "public, max-age=31536000, immutable"
VIEW = "keep=*.html:favicon.ico,cache=none"

RELEASES = [
    {
        "index.html": b"one",
        "favicon.ico": b"icon",
        "css/app.css": b'a{background:url("../img/x.png")}',
        "img/x.png": b"x one",
        "js/always.js": b"always",
        "js/gone.js": b"gone",
    },
    {
        "index.html": b"number two",
        "favicon.ico": b"icon",
        "css/app.css": b'a{background:url("../img/x.png")}',
        "img/x.png": b"x two",
        "js/always.js": b"always",
        "js/new.js": b"new",
    },
    {
        "index.html": b"three",
        "favicon.ico": b"icon",
        "css/app.css": b'b{background:url("../img/x.png")}',
        "img/x.png": b"x two",
        "js/always.js": b"always",
        "js/new.js": b"new",
    },
]


class Project:
    """A repository with the static files of one release after the other."""

    def __init__(self, top, bed):
        self.top = top
        self.bin = bed.bin
        self.static = top / "static"
        self.env = {"GIT_CONFIG_GLOBAL": "/dev/null", "PATH": f"{bed.bin}:{os.environ['PATH']}"}
        self.manifests = []
        top.mkdir()
        self.git("init", "-q")

    def git(self, *args):
        who = ["-c", "user.name=T", "-c", "user.email=t@example.org"]
        return ROOT.run("git", *who, *args, cwd=self.top, env=self.env).stdout.strip()

    def check_out(self, files):
        shutil.rmtree(self.static, ignore_errors=True)
        for path, data in files.items():
            file = self.static / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "release")
        self.manifests.append(self.top / f"staticfiles-{self.git('rev-parse', 'HEAD')}.json")

    def deploy(self, immutable, changing, env):
        """Two passes, first of what is under a hashed name, then of what is not;
        and the manifest of all of it last."""
        for show, command in ("hashed", immutable), ("kept:plain", changing):
            argv = ["hashedfs-run", "-o", f"{VIEW},show={show}", "static", "--", *command]
            self.run(*argv, env=env)
        output = ["--output", "staticfiles-{git}.json"]
        self.run("hashedfs-manifest", "snapshot", "--source", "-o", VIEW, *output, "static")

    def run(self, name, *args, env=None):
        argv = [str(self.bin / name), *map(str, args)]
        return ROOT.run(*argv, cwd=self.top, env={**self.env, **(env or {})}).stdout

    def names(self, i):
        """The hashed names of a release, that stand for their own bytes."""
        paths = json.loads(self.manifests[i].read_text())["paths"]
        return {name for path, name in paths.items() if name != path}

    def prune(self, *args):
        """hashedfs-manifest prune that keeps the last two releases."""
        keep = [word for file in self.manifests[-2:] for word in ("--keep", str(file))]
        return self.run("hashedfs-manifest", "prune", *keep, *args)


@pytest.fixture
def project(as_root, bed, fuse, work):
    if not shutil.which("git"):
        not_run("no git here")
    return Project(work / "project", bed)


def expected(i):
    """Hashed name -> bytes of a release, found out without hashedfs."""
    files = RELEASES[i]
    image = oracle.hashed("img/x.png", files["img/x.png"])
    text = files["css/app.css"].replace(b"img/x.png", image.encode())
    found = {oracle.hashed("css/app.css", text): text}
    for path, data in files.items():
        if path.startswith(("img/", "js/")):
            found[oracle.hashed(path, data)] = data
    return found


def test_s3(project, work):
    with serve(work / "s3") as s3:
        s3.aws("s3", "mb", "s3://site")
        aws = [sys.executable, TOP / "build/venv/bin/aws", "--endpoint-url", s3.url]
        sync = [*aws, "s3", "sync", "--no-progress", "{}", "s3://site/static", "--cache-control"]
        for i, files in enumerate(RELEASES):
            project.check_out(files)
            project.deploy([*sync, IMMUTABLE], [*sync, "no-cache"], s3.env)
            s3.aws("s3", "cp", project.manifests[i], "s3://site/")
            assert project.names(i) == set(expected(i))

        # All releases are there: old pages go on working.
        headers = s3.headers("site")
        for i in range(3):
            for name, data in expected(i).items():
                assert s3.stored("site", f"static/{name}") == data
                assert headers[f"static/{name}"][1] == IMMUTABLE
        plain = [key for key in s3.keys("site") if key.startswith("static/")]
        plain = set(plain) - {f"static/{name}" for i in range(3) for name in expected(i)}
        assert plain == {f"static/{path}" for path in {**RELEASES[0], **RELEASES[2]}}
        assert all(headers[key][1] == "no-cache" for key in plain)
        assert s3.stored("site", "static/index.html") == b"three"

        # An upload of the same release is nothing.
        uploads = s3.uploads()
        project.deploy([*sync, IMMUTABLE], [*sync, "no-cache", "--size-only"], s3.env)
        assert s3.uploads() == uploads

        # What neither of the last two releases names goes, and nothing else.
        before = set(s3.keys("site"))
        listing = work / "listing"
        listing.write_text(s3.aws("s3api", "list-objects-v2", "--bucket", "site"))
        batches = project.prune("--prefix", "static/", "--s3-delete", listing).splitlines()
        for batch in batches:
            s3.aws("s3api", "delete-objects", "--bucket", "site", "--delete", batch)
        gone = before - set(s3.keys("site"))
        assert gone == {f"static/{name}" for name in set(expected(0)) - {*expected(1), *expected(2)}}
        assert len(gone) == 3
        assert {f"{file.name}" for file in project.manifests} <= set(s3.keys("site"))


def test_rsync_and_nginx(project, work):
    top = work / "web"
    top.mkdir()
    target = top / "static"

    def get(name):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/static/{name}", timeout=30) as r:
            return r.read()

    sync = ["rsync", "-a", "{}/", f"{target}/"]
    with nginx(top, f"root {top};") as port:
        for i, files in enumerate(RELEASES):
            project.check_out(files)
            project.deploy(sync, sync, {})
            assert eventually(lambda i=i: get("index.html") == RELEASES[i]["index.html"], 20)
            for earlier in range(i + 1):
                for name, data in expected(earlier).items():
                    assert get(name) == data
        stored = [str(file.relative_to(target)) for file in target.rglob("*") if file.is_file()]
        listing = work / "listing"
        listing.write_text("\n".join(stored))
        gone = set(project.prune(listing).splitlines())
        assert gone == set(expected(0)) - {*expected(1), *expected(2)}
        for name in gone:
            (target / name).unlink()
            with pytest.raises(urllib.error.HTTPError, match="404"):
                get(name)
        for i in (1, 2):
            for name, data in expected(i).items():
                assert get(name) == data
        assert project.run("hashedfs-manifest", "verify", project.manifests[2], target) == ""


# --- an export that WhiteNoise serves ---------------------------------------------

WHITENOISE = """
import json, sys
from django.conf import settings
settings.configure(
    STATIC_URL="/static/",
    STATIC_ROOT=sys.argv[1],
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF="__main__",
    INSTALLED_APPS=["django.contrib.staticfiles"],
    MIDDLEWARE=["whitenoise.middleware.WhiteNoiseMiddleware"],
    STORAGES={"staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage",
    }},
)
import django
django.setup()
from django.test import Client
urlpatterns = []
client = Client()
answers = {}
for name in json.loads(sys.argv[2]):
    answer = client.get("/static/" + name)
    data = b"".join(answer.streaming_content) if answer.streaming else b""
    answers[name] = answer.status_code, answer.get("Cache-Control", ""), data.hex()
print(json.dumps(answers))
"""

SERVED = {
    "favicon.ico": b"icon",
    "css/app.css": b'a{background:url("../img/x.png")}',
    "img/x.png": b"x",
    "js/lib.js": b"lib",
    "js/lib.0123456789ab.js": b"looks hashed and is not",
    "LICENSE": b"free",
}


def test_whitenoise(make, export_once):
    """By its own test of what is immutable, hashed names are, and no others: but
    for those without an extension, in which it never finds a hash."""
    src = make(SERVED, owner=export_once.person)
    out = export_once.dir
    export_once.person.run("mkdir", str(out))
    options = ("-o", "show=hashed:kept:plain,keep=favicon.ico,cache=none")
    export_once(*options, "--manifest", out / "staticfiles.json", src, out)
    paths = json.loads((out / "staticfiles.json").read_bytes())["paths"]
    hashed = {name for path, name in paths.items() if name != path}
    assert len(hashed) == len(SERVED) - 1
    asked = json.dumps(sorted({*paths, *paths.values(), "js/none.js"}))
    told = WHOEVER.run(sys.executable, "-c", WHITENOISE, str(out), asked).stdout
    answers = json.loads(told)
    assert answers.pop("js/none.js")[0] == 404
    for name, (status, cache, data) in answers.items():
        assert status == 200 and bytes.fromhex(data) == (out / name).read_bytes(), name
        found = name in hashed and not name.startswith("LICENSE.")
        assert ("immutable" in cache) == found, (name, cache)
