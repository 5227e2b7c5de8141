"""What the documents show is what happens: every session is typed, every file
is used or looked at by the program that it is for."""

import re
import shutil
import subprocess

import design
import documents
import pytest
import yaml  # comes with awscli
from conftest import TOP, not_run
from mount import apart
from person import ROOT
from s3 import KEY, REGION, SECRET, serve

# A machine of its own for each document, in a private namespace: the programs
# installed, a Django project, a server "web" that is this machine, a bucket.
WORLD = r"""
set -eu
mount -t proc proc /proc
for place in /mnt /srv /var/cache; do mount -t tmpfs tmpfs "$place"; done
mount --bind "$PROGRAMS" /usr/local/bin
mkdir -p /mnt/static /srv/app /srv/static "$HOME"
cd /srv/app
cp -r "$TREE" static
mkdir -p static/css node_modules/lib view
git init -q
git -c user.name=us -c user.email=us@localhost commit -q --allow-empty -m first
echo 'body { background: url("../admin/img/search.svg") }' >static/css/app.css
echo 'let lib = 1;' >node_modules/lib/lib.js
cat >manage.py <<'END'
import os, sys
from django.core.management import execute_from_command_line
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
execute_from_command_line(sys.argv)
END
cat >settings.py <<'END'
SECRET_KEY = "not one"
APPS = "admin", "auth", "contenttypes", "messages", "sessions", "staticfiles"
INSTALLED_APPS = [f"django.contrib.{app}" for app in APPS]
STATICFILES_DIRS = ["/srv/app/static"]
STATIC_URL = "/static/"
END
"""
# Programs of others, each as the session would find it elsewhere.
STUBS = {
    # rsync and scp to this machine.
    "ssh": 'while [ "${1#-}" != "$1" ]; do shift; done\nshift\nexec sh -c "$*"',
    "scp": "for last; do :; done\nhost=${last%%:*}\n"
    'exec cp "${@:1:$#-1}" "/srv/static/${last#"$host":}"',
    # What the server does not know, the client itself judges.
    "aws": '[ "$2" = put-bucket-cors ] && set -- "$@" --generate-cli-skeleton output\n'
    'exec "$PYTHON" "$VENV/bin/aws" --endpoint-url "$S3" "$@"',
    "python": 'exec "$PYTHON" "$@"',
}
# What is there before the first command of a document.
ROBOTS = "echo 'User-agent: *' >static/robots.txt\n"
BEFORE = {
    "leaving-collectstatic.md": ROBOTS,
    "s3-cloudfront.md": ROBOTS,
    "hashedfs-export.1": "hashedfs-export --manifest current.json static /srv/static\n",
    "hashedfs-manifest.1": "hashedfs static:vendor=./node_modules /mnt/static\n"
    "aws s3 mb s3://site >/dev/null\n"
    "hashedfs-run --manifest old.json static -- aws s3 sync --quiet {} s3://site/static\n"
    "echo 'p{}' >>static/css/app.css\n"
    "hashedfs-run --manifest new.json static -- aws s3 sync --quiet {} s3://site/static\n",
}
# Parts the output from what was typed; no text has it.
MARK = "\x1e"


@pytest.fixture
def session(as_root, bed, fuse, inputs, work):
    """session(script): runs it in that world; its CompletedProcess."""
    for program in "rsync", "nginx", "rclone", "ip":
        if not shutil.which(program):
            not_run(f"no {program}")
    stubs = work / "stubs"
    stubs.mkdir()
    for name, text in STUBS.items():
        (stubs / name).write_text(f"#!/bin/bash\n{text}\n")
        (stubs / name).chmod(0o755)
    world = {
        "PROGRAMS": str(bed.bin),
        "TREE": str(inputs("django-admin")),
        "HOME": str(work / "home"),
        "VENV": str(TOP / "build/venv"),
        "PYTHON": str(TOP / "build/venv/bin/python"),
        "PATH": f"{stubs}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "XDG_CACHE_HOME": "",
    }

    def run(script):
        if "s3://" not in script:
            # Whoever listens there does so for this session alone.
            script = f"ip link set lo up\n{script}"
            return _run(apart("--pid", "--fork", "--net"), world, script)
        with serve(work / "s3") as s3:
            s3.aws("s3", "mb", "s3://bucket")
            return _run(apart("--pid", "--fork"), {**world, **_clients(s3, work)}, script)

    return run


def _run(inside, env, script):
    return ROOT.run(*inside, "bash", "-c", script, env=env, check=False, timeout=250)


def _clients(s3, work):
    """What tells the clients of a bucket where it is."""
    rclone = {
        "TYPE": "s3",
        "PROVIDER": "Other",
        "ENDPOINT": s3.url,
        "ACCESS_KEY_ID": KEY,
        "SECRET_ACCESS_KEY": SECRET,
        "REGION": REGION,
    }
    return {
        "S3": s3.url,
        "RCLONE_CONFIG": str(work / "rclone.conf"),
        **{f"RCLONE_CONFIG_REMOTE_{name}": value for name, value in rclone.items()},
        **{name: value for name, value in s3.env.items() if "AWS" in name},
    }


def _script(path, blocks):
    """A script that types a document, and the commands in it. What each printed
    stands between marks, and then its exit status."""
    script, typed = f"{WORLD}{BEFORE.get(path.name, '')}set +e\n", []
    for block in blocks:
        if block.name and block.language != "c":
            script += _write(block)
        if block.language != "console":
            continue
        for command in documents.commands(block):
            script += f"printf '{MARK}'\n{command.text}\nprintf '{MARK}%s' $?\n"
            typed.append(command)
    return f"exec 2>&1\n{script}", typed


def _write(block):
    name, end = block.name, "END OF THE FILE"
    return f"mkdir -p \"$(dirname {name})\"\ncat >{name} <<'{end}'\n{block.text}{end}\n"


def _number(path):
    return path.name.removesuffix(".md")


def _typed():
    """The documents in which something is typed."""
    texts = documents.TEXTS + documents.PAGES
    return [path for path in texts if _script(path, documents.blocks(path))[1]]


@pytest.mark.parametrize("path", _typed(), ids=_number)
def test_sessions(path, session):
    script, typed = _script(path, documents.blocks(path))
    before, *parts = session(script).stdout.split(MARK)
    assert parts, before
    for command, printed, status in zip(typed, parts[::2], parts[1::2], strict=True):
        where = f"{path.name}:{command.line}: {command.text}"
        # Findings are shown, and then are no failure.
        good = ("0", "1") if command.shown else ("0",)
        assert status in good, f"{where}\nended with {status}: {printed}"
        if command.shown:
            wrong = documents.differs(command.shown, printed.splitlines())
            assert not wrong, f"{where}\n{wrong}"


# --- files --------------------------------------------------------------------------


def _files(language):
    return [
        pytest.param(block, id=f"{path.name}:{block.line}")
        for path in documents.TEXTS + documents.PAGES
        for block in documents.blocks(path)
        if block.language == language
    ]


def test_every_language_is_known():
    known = {"console", "text", "systemd", "fstab", "python", "nginx", "yaml"}
    known |= {"dockerfile", "json", "c", "bash"}
    for path in documents.TEXTS + documents.PAGES:
        for block in documents.blocks(path):
            assert block.language in known, f"{path.name}:{block.line}"


@pytest.mark.parametrize("block", _files("fstab"))
def test_fstab(block, session):
    """mount(8) mounts and umount(8) unmounts what the table says."""
    if not shutil.which("mount.fuse3"):
        not_run("no mount.fuse3")
    [line] = block.text.splitlines()
    source, target = line.split()[:2]
    done = session(
        f"exec 2>&1\n{WORLD}\necho '{line}' >table\ntest -d {source}\n"
        f"mount -T table {target}\nfindmnt -no FSTYPE {target}\n"
        f"ls {target}/css/app.*.css && umount {target}"
    )
    assert done.stdout.startswith("fuse.hashedfs\n/mnt/static/css/app."), done.stdout


@pytest.mark.parametrize("block", _files("systemd"))
def test_units(block, work):
    if not shutil.which("systemd-analyze"):
        not_run("no systemd-analyze")
    [where] = re.findall("^Where=/(.*)", block.text, re.M)
    unit = work / f"{where.replace('/', '-')}.mount"
    unit.write_text(block.text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", unit],
        capture_output=True,
        text=True,
    )
    told = [line for line in done.stderr.splitlines() if unit.name in line]
    assert (done.returncode, told) == (0, []), done.stderr


@pytest.mark.parametrize("block", _files("c"))
def test_rows_that_are_shown(block):
    """Each stands in the file that the block names."""
    source = (TOP / block.name).read_text()
    assert " ".join(block.text.split()) in " ".join(source.split())


@pytest.mark.parametrize("block", _files("python"))
def test_python(block):
    compile(block.text, block.name or "block", "exec")


@pytest.mark.parametrize("block", _files("nginx"))
def test_nginx(block, as_root, work):
    """Those that no session takes: a fragment of a server, or of http."""
    if block.name:
        return
    if not shutil.which("nginx"):
        not_run("no nginx")
    conf = work / "nginx.conf"
    conf.write_text(f"events {{}}\nhttp {{\n{block.text}\n}}\n")
    done = subprocess.run(
        ["nginx", "-t", "-q", "-p", work, "-c", conf, "-e", "stderr"],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


INSTRUCTIONS = "FROM ARG RUN COPY ADD WORKDIR ENV CMD ENTRYPOINT EXPOSE USER".split()


@pytest.mark.parametrize("block", _files("dockerfile"))
def test_dockerfiles(block, session):
    """Instructions that there are, stages that there were; and what RUN calls
    hashedfs for does it."""
    lines = re.sub(r"\\\n", "", block.text).splitlines()
    rows = [line.split() for line in lines if line.strip()]
    stages = []
    for row in rows:
        assert row[0] in INSTRUCTIONS, row
        if row[0] == "FROM":
            stages.append(row[3] if row[2:3] == ["AS"] else "")
        for stage in re.findall(r"--from=(\S+)", " ".join(row)):
            assert stage in stages[:-1], row
    for command in (" ".join(row[1:]) for row in rows if row[:1] == ["RUN"]):
        if command.split()[0] in design.PROGRAMS:
            done = session(f"exec 2>&1\n{WORLD}{command}\necho good\n")
            assert done.stdout.endswith("good\n"), f"{command}: {done.stdout}"


@pytest.mark.parametrize("block", _files("yaml"))
def test_pipelines(block):
    """They are YAML, and what they run are commands of a shell."""
    document = yaml.safe_load(block.text)
    scripts = [text for text in _runs(document) if "hashedfs" in text]
    assert scripts, f"{block.name} runs no hashedfs"
    for script in _runs(document):
        # What the pipeline puts in is a word.
        text = re.sub(r"\$\{\{.*?\}\}", "word", script)
        done = subprocess.run(
            ["shellcheck", "--shell=bash", "-"],
            input=text,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout


def _runs(node):
    """The commands of GitHub's steps and of GitLab's jobs."""
    if isinstance(node, list):
        for item in node:
            yield from _runs(item)
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        if key == "run":
            yield value
        elif key in ("before_script", "script"):
            yield "\n".join(value)
        elif key == "command":
            yield value[-1]
        else:
            yield from _runs(value)
