"""Programs that copy a view, and what they leave behind.

A client has a place of its own. prepare() puts there what stood at the
destination before; argv() is the command that copies a view; found() is what
stands at the destination afterwards, as name -> bytes.
"""

import contextlib
import os
import socket
import sys
import tarfile

from conftest import TOP, give
from person import eventually
from web import nginx

# The time that hashed files have.
CONSTANT = 946684800
# What stands at the destination under a name whose bytes must be sent.
TO_BE_SENT = b"to be sent"
# A file of the destination that the view does not have.
EXTRANEOUS = "a/old.0123456789ab.txt"
AWS = TOP / "build/venv/bin/aws"


class Client:
    """mirrors: it deletes at the destination what the view does not have."""

    mirrors = False

    def __init__(self, place, person):
        self.place = place
        self.person = person
        self.dest = place / "dest"

    def prepare(self, files, sent):
        """`files` are the view's, name -> bytes; those in `sent` must differ."""
        self.dest.mkdir()
        give(self.dest, self.person)

    def env(self):
        return {}

    @contextlib.contextmanager
    def ready(self, _view):
        """What must be there while the command runs."""
        yield

    @contextlib.contextmanager
    def started(self, view):
        """The running command."""
        with (
            self.ready(view),
            open(self.place / "stdout", "wb") as out,
            open(self.place / "stderr", "wb") as err,
        ):
            yield self.person.popen(
                *self.argv(view), env=self.env(), stdout=out, stderr=err
            )

    def said(self):
        return (self.place / "stderr").read_text(errors="replace")

    def found(self, _files):
        found = {}
        for directory, _, names in os.walk(self.dest):
            for name in names:
                path = os.path.join(directory, name)
                with open(path, "rb") as file:
                    found[os.path.relpath(path, self.dest)] = file.read()
        return found


class Cat(Client):
    """All files in one, in the order of their names."""

    def prepare(self, files, sent):
        self.names = sorted(files)

    def argv(self, view):
        return ("cat", *(os.path.join(view, name) for name in self.names))

    def found(self, files):
        rest = (self.place / "stdout").read_bytes()
        found = {}
        for name in self.names:
            if rest.startswith(files[name]):
                found[name] = files[name]
                rest = rest[len(files[name]) :]
            elif rest and os.path.commonprefix([rest, files[name]]):
                start = os.path.commonprefix([rest, files[name]])
                found[name] = start
                rest = rest[len(start) :]
        assert not rest, f"cat printed {rest[:100]!r}, which no file has"
        return found


class Cp(Client):
    def argv(self, view):
        return ("cp", "-r", f"{view}/.", str(self.dest))


class Tar(Client):
    def argv(self, view):
        return ("tar", "-C", str(view), "-cf", str(self.dest / "archive.tar"), ".")

    def found(self, _files):
        found = {}
        with contextlib.suppress(tarfile.ReadError, FileNotFoundError):
            with tarfile.open(self.dest / "archive.tar") as archive:
                for member in archive:
                    if member.isreg():
                        name = os.path.normpath(member.name)
                        found[name] = archive.extractfile(member).read()
        return found


class Walk(Client):
    """Looks at everything, and tells each error that it meets."""

    def argv(self, view):
        return ("python3", "-c", WALKER, str(view), str(self.dest))


WALKER = """
import os, sys
view, dest = sys.argv[1:]
bad = 0
def note(error):
    global bad
    bad = 1
    print(error, file=sys.stderr, flush=True)
for directory, _, names in os.walk(view, onerror=note):
    for name in names:
        path = os.path.join(directory, name)
        copy = os.path.join(dest, os.path.relpath(path, view))
        try:
            os.stat(path)
            with open(path, "rb") as file:
                data = file.read()
        except OSError as error:
            note(error)
            continue
        os.makedirs(os.path.dirname(copy), exist_ok=True)
        with open(copy, "wb") as file:
            file.write(data)
sys.exit(bad)
"""


class Mirror(Client):
    """All is there already, but for what must be sent; and one file more."""

    mirrors = True

    def prepare(self, files, sent):
        super().prepare(files, sent)
        there = {name: TO_BE_SENT if name in sent else files[name] for name in files}
        there[EXTRANEOUS] = b"old"
        for name, data in there.items():
            path = self.dest / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            os.utime(path, (CONSTANT, CONSTANT))
        give(self.dest, self.person)


class Rsync(Mirror):
    def argv(self, view):
        return ("rsync", "-a", "--delete", f"{view}/", f"{self.dest}/")


class RsyncDeleteAfter(Mirror):
    def argv(self, view):
        return ("rsync", "-a", "--delete-after", f"{view}/", f"{self.dest}/")


class Rclone(Mirror):
    def argv(self, view):
        return (
            *("rclone", "--config", "/dev/null", "sync", "--transfers", "1"),
            *("--checkers", "1", "--retries", "1", str(view), str(self.dest)),
        )


class Aws(Mirror):
    """To a real S3 server, which keeps its objects in a directory."""

    s3 = None

    def __init__(self, place, person):
        super().__init__(place, person)
        self.dest = self.s3.directory / "data/matrix" / place.name

    def env(self):
        return self.s3.env

    def argv(self, view):
        return (
            *(sys.executable, str(AWS)),
            *("--endpoint-url", self.s3.url, "s3", "sync", "--delete"),
            *("--no-progress", str(view), f"s3://matrix/{self.place.name}"),
        )


# What came with status 200 is kept, whole or not; anything else ends with 1.
BROWSER = """
import http.client, os, sys
address, dest, *names = sys.argv[1:]
bad = 0
for name in names:
    try:
        connection = http.client.HTTPConnection(address, timeout=60)
        connection.request("GET", "/" + name)
        answer = connection.getresponse()
        status = answer.status
        data = answer.read()
    except http.client.IncompleteRead as error:
        bad = 1
        data = error.partial
    except (OSError, http.client.HTTPException) as error:
        status = 0
    if status != 200:
        bad = 1
        print(name, status, file=sys.stderr)
        continue
    os.makedirs(os.path.dirname(dest + "/" + name), exist_ok=True)
    with open(dest + "/" + name, "wb") as file:
        file.write(data)
sys.exit(bad)
"""


class Nginx(Client):
    """A web server over the view, and a browser that asks for each name. A
    file is found if it came with status 200."""

    def prepare(self, files, sent):
        super().prepare(files, sent)
        self.names = sorted(files)

    @contextlib.contextmanager
    def ready(self, view):
        top = self.place / "nginx"
        top.mkdir()
        give(top, self.person)
        # Who looks at a mount has to be who mounted it.
        user = "root" if self.person.uid == 0 else "nobody nogroup"
        with nginx(top, f"root {view};", self.person, user) as self.port:
            assert eventually(self.answers, 20, 0.005), "nginx does not answer"
            yield

    def answers(self):
        with socket.create_connection(("127.0.0.1", self.port), 1):
            return True

    def argv(self, _view):
        address = f"127.0.0.1:{self.port}"
        return ("python3", "-c", BROWSER, address, str(self.dest), *self.names)
