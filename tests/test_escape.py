"""Nothing from outside the sources is ever shown: neither bytes, nor names
that carry their hash, nor sizes. Two locks hold that, openat2(2) and
Landlock, and each is tried without the other."""

import contextlib
import os
import time

import oracle
import pytest
from conftest import BIN_DIR, not_run
from person import WHOEVER

SECONDS = 8  # four races: root and somebody else, with Landlock and without
MARK = b"SECRET-OF-OUTSIDE"
SECRETS = {
    "secret.txt": MARK * 1931,
    "secret.css": b"a{background:url(secret.txt)}/*" + MARK * 1933 + b"*/",
    "dir/secret.txt": MARK * 1949,
    "dir/secret.js": b"//" + MARK * 1951,
    "dir/deep/secret.txt": MARK * 1973,
}
SIZES = {len(data) for data in SECRETS.values()}
HASHES = [oracle.md5(data).encode() for data in SECRETS.values()]
# References that lead out, in every spelling. Each stays as it is written.
REFERENCES = (
    "../../../../../../../../etc/passwd",
    "../../outside/secret.txt",
    "..%2f..%2foutside%2fsecret.txt",
    "%2e%2e/%2e%2e/outside/secret.txt",
    "..\\\\..\\\\outside\\\\secret.txt",
    "/static/../../outside/secret.txt",
    "/static/..%2foutside/secret.txt",
    "/static//../outside/secret.txt",
    "file-link.txt/../../outside/secret.txt",
    "/outside/secret.txt",
    "absolute.txt",
    "up.txt",
    "up/secret.txt",
    "up/../outside/secret.txt",
    "magic/root/secret.txt",
)
STYLE = "".join(f'.a{{background:url("{url}")}}\n' for url in REFERENCES).encode()


# --- what may never be seen ---------------------------------------------------


def leaks(where, data):
    """Sentences about what of the outside is in some text that came out."""
    data = os.fsencode(data)
    found = [needle for needle in (MARK, *HASHES) if needle in data]
    return [f"{where} holds {needle.decode()}" for needle in found]


def look(top):
    """Reads everything there is below `top`, errors aside. Sentences about
    what leaked, and how many files could be read."""
    found, good = [], 0
    for directory, folders, files in os.walk(top):
        for name in folders + files:
            path = os.path.join(directory, name)
            found += leaks("a name", name)
            with contextlib.suppress(OSError):
                if os.lstat(path).st_size in SIZES:
                    found.append(f"{path} has the size of a secret")
        for name in files:
            path = os.path.join(directory, name)
            with contextlib.suppress(OSError):
                with open(path, "rb") as file:
                    found += leaks(path, file.read())
                good += 1
    return found, good


def look_again(top, seconds):
    deadline = time.monotonic() + seconds
    found, good = [], 0
    while time.monotonic() < deadline:
        more, n = look(top)
        found += more
        good += n
    return found[:20], good


def explain_again(m, seconds):
    """The same of the control files."""
    deadline = time.monotonic() + seconds
    found, good = [], 0
    while time.monotonic() < deadline:
        for name in ("map", "problems", "findings", "references", "status"):
            # A tree that never holds still has no map.
            with contextlib.suppress(OSError):
                text = m.control(name)
                found += leaks(name, text)
                found += [f"{name} tells a size" for size in SIZES if f"\t{size}\t" in text]
                good += 1
    return found[:20], good


def snapshot_again(program, person, sources, seconds, env):
    deadline = time.monotonic() + seconds
    found, good = [], 0
    while time.monotonic() < deadline:
        for more in ((), ("--partial",)):
            done = person.run(
                str(program), "snapshot", *more, "--source", str(sources),
                check=False, env=env,
            )  # fmt: skip
            found += leaks("the manifest", done.stdout + done.stderr)
            good += done.returncode in (0, 4)
    return found[:20], good


# --- the farm -----------------------------------------------------------------


def links(src, outside):
    """link -> target: all of them lead out, each in another way."""
    test = os.getpid()
    return {
        "absolute.txt": outside / "secret.txt",
        "absolute": outside,
        "into.txt": outside / "dir/deep/secret.txt",
        "here.txt": src / "file.txt",  # inside, but by way of the outside
        "up.txt": "../outside/secret.txt",
        "up": "../outside",
        "css/up.css": "../../outside/secret.css",
        "css/round.txt": "../../src/../outside/secret.txt",
        "css/deep": "../dir/deep/../../../outside/dir",
        "many.txt": "/".join([".."] * 40) + f"{outside}/secret.txt",
        "chain1": "chain2",
        "chain2": "css/chain3",
        "css/chain3": "../chain4",
        "chain4": "up",
        "file-link.txt": "chain1/secret.txt",
        "through.txt": "dir/../chain4/dir/secret.txt",
        "magic/root": f"/proc/self/root{outside}",
        "magic/root.txt": f"/proc/self/root{outside}/secret.txt",
        "magic/cwd": "/proc/self/cwd",
        "magic/tests": f"/proc/{test}/root{outside}",
        "magic/fd": "/proc/self/fd",
        "magic/fd3": "/proc/self/fd/3",
        "magic/dev": "/dev/fd",
        "magic/dev3": "/dev/fd/3",
        "magic/exe": "/proc/self/exe",
        "magic/environ": "/proc/self/environ",
        "more.txt": "../more/other.txt",  # another source is outside, too
        "more": "../more",
        "mount": "../mnt1",
        "passwd": "/etc/passwd",
        "null": "/dev/null",
    }


@pytest.fixture
def farm(work, make):
    """farm(person) makes src, more and outside; the SOURCES of the first two.
    The person may read the secrets: permissions are not what keeps them."""

    def build(person, links=links):
        outside = make(SECRETS, "outside", owner=person)
        make({"other.txt": b"other root"}, "more", owner=person)
        src = make(
            {
                "css/escape.css": STYLE,
                "css/ok.css": b'.a{background:url("../file.txt")}',
                "file.txt": b"inside",
                "dir/a.txt": b"inside too",
                "dir/deep/b.txt": b"inside as well",
            }
        )
        for name, target in links(src, outside).items():
            os.makedirs((src / name).parent, exist_ok=True)
            (src / name).symlink_to(target)
        return f"{src}:below/prefix={work}/more", src, outside

    return build


@pytest.fixture
def weakened(compiled):
    """weakened("landlock") is the environment of a program without it."""

    def build(*locks):
        if locks and str(BIN_DIR) != "build":
            not_run("nothing can be preloaded into a sanitizer's build")
        if not locks:
            return {}
        return {
            "LD_PRELOAD": str(compiled("weaken.so")),
            "WEAKEN": ":".join(locks),
        }

    return build


def has_landlock(m):
    return m.status()["landlock"].startswith("ABI")


WITHOUT = pytest.mark.parametrize(
    "off", [(), ("landlock",)], ids=["landlock", "no-landlock"]
)


@WITHOUT
def test_links_lead_nowhere(farm, mount, manifest, as_user, weakened, off):
    sources, src, outside = farm(as_user)
    env = weakened(*off)
    h = oracle.md5(b"inside")
    ok = b'.a{background:url("../file.%s.txt")}' % h.encode()
    with mount(sources, "xattr", as_user, env=env) as m:
        assert not (off and has_landlock(m))
        found, good = m.call(look, m.path)
        assert not found
        names = m.names()
        for name in links(src, outside):
            with pytest.raises(OSError):
                m.read(name)
            assert name in names  # and none is left out
        assert good == len(names) - len(links(src, outside)) == 6
        assert m.read(f"file.{h}.txt") == b"inside"
        assert m.read(oracle.hashed("css/ok.css", ok)) == ok
        assert m.read(oracle.hashed("css/escape.css", STYLE)) == STYLE
        for name in ("map", "problems", "findings", "references", "status"):
            assert leaks(name, m.control(name)) == []
    done = manifest(
        as_user, "snapshot", "--partial", "--source", sources, env=env, check=False
    )
    assert leaks("manifest", done.stdout + done.stderr) == []
    assert b"below/prefix/other.txt" in done.stdout


def test_other_file_systems_are_not_entered(farm, mount, as_root, work):
    """With xdev they are, but no link leads out by them."""
    sources, src, outside = farm(as_root)
    (src / "disk").mkdir()
    as_root.run("mount", "-t", "tmpfs", "tmpfs", str(src / "disk"))
    try:
        (src / "disk/in.txt").write_bytes(b"on the disk")
        (src / "disk/out.txt").symlink_to("../../outside/secret.txt")
        (src / "disk/out").symlink_to(outside)
        for options in ("", "xdev"):
            with mount(sources, options, as_root) as m:
                found, good = m.call(look, m.path)
                assert not found
                assert good == (7 if options else 6)
    finally:
        as_root.run("umount", str(src / "disk"))


def test_followed_links_never_use_magic(farm, mount, as_user):
    """With follow the outside is shown, but not what /proc makes of it, nor
    the mount itself."""
    sources, _, _ = farm(as_user)
    secret = SECRETS["secret.txt"]
    with mount(sources, "follow", as_user) as m:
        told = m.status()["landlock"]
        assert told.startswith("no (") or told.endswith(", reading anywhere")
        assert m.read(oracle.hashed("absolute.txt", secret)) == secret
        for name in ("magic/root.txt", "magic/fd3", "magic/dev3", "magic/exe", "mount"):
            with pytest.raises(OSError):
                m.read(name)


# --- while names are switched -----------------------------------------------------


@pytest.fixture
def raced(farm, compiled):
    """raced(person) is a farm in which directories and files are exchanged
    for links that lead out, and move out and back, all the time."""

    @contextlib.contextmanager
    def start(person, links=links):
        sources, src, outside = farm(person, links)
        pairs = []
        for name in ("dir", "dir/deep", "css"):
            (src / f"{name}-out").symlink_to(outside / "dir")
            pairs += [src / name, src / f"{name}-out"]
        for name in ("file.txt", "css/ok.css", "dir/a.txt", "dir/deep/b.txt"):
            (src / f"{name}-out").symlink_to(outside / "secret.txt")
            pairs += [src / name, src / f"{name}-out"]
        # While ".." is looked up from in here, it is the outside's.
        for i in range(8):
            (src / f"go{i}/deep").mkdir(parents=True)
            (src / f"go{i}/deep/up.txt").symlink_to("../../secret.txt")
            (src / f"go{i}/deep/up").symlink_to("../../dir")
        (src / "secret.txt").write_bytes(b"the inside's own")
        moves = [x for i in range(8) for x in (src / f"go{i}", outside / f"go{i}")]
        # Names inside what is switched itself would often not be there.
        crews = [pairs[:6], pairs[6:8], moves]
        program = str(compiled("swap"))
        crews = [WHOEVER.popen(program, *map(str, crew)) for crew in crews]
        try:
            yield sources
            assert [crew.poll() for crew in crews] == [None] * len(crews)
        finally:
            for crew in crews:
                crew.kill()
                crew.wait()

    return start


def watch(m, program, sources, env, seconds=SECONDS):
    """(what leaked, what was looked at) while names are switched."""
    tasks = [
        m.person.start(look_again, m.path, seconds),
        m.person.start(look_again, m.path, seconds),
        WHOEVER.start(explain_again, m, seconds),
        WHOEVER.start(snapshot_again, program, m.person, sources, seconds, env),
    ]
    results = [task.result(seconds + 60) for task in tasks]
    return sum((found for found, _ in results), []), [good for _, good in results]


@WITHOUT
def test_a_race_shows_nothing(raced, bed, mount, as_user, weakened, off):
    env = weakened(*off)
    with raced(as_user) as sources, mount(sources, "xattr", as_user, env=env) as m:
        assert not (off and has_landlock(m))
        found, good = watch(m, bed.bin / "hashedfs-manifest", sources, env)
    assert not found
    assert all(good), good


# --- that these tests can fail, and each lock alone ---------------------------------


def test_landlock_alone_keeps_the_bytes(raced, bed, mount, as_user, weakened):
    """If a path led out after all: without openat2's flags."""
    env = weakened("openat2")
    with raced(as_user) as sources, mount(sources, "", as_user, env=env) as m:
        if not has_landlock(m):
            not_run("this kernel has no Landlock")
        found = watch(m, bed.bin / "hashedfs-manifest", sources, {}, 2)[0]
    # Sizes show: looking is not what Landlock forbids.
    assert [line for line in found if " size" not in line] == []


def plain_links(src, outside):
    """Those that a walk comes back from."""
    found = links(src, outside).items()
    return {k: v for k, v in found if not k.startswith(("magic", "mount", "null"))}


def no_links(src, outside):
    return {}


def test_without_both_locks_links_show_all(farm, mount, manifest, as_user, weakened):
    sources, _, _ = farm(as_user, plain_links)
    with mount(sources, "", as_user, env=weakened("openat2", "landlock")) as m:
        found, _ = m.call(look, m.path)
        told = leaks("map", m.control("map"))
    for word in (MARK.decode(), "a name", "size", HASHES[0].decode()):
        assert any(word in line for line in found), word
    assert told
    done = manifest(
        as_user, "snapshot", "--source", sources, env=weakened("openat2"), check=False
    )
    assert leaks("manifest", done.stdout)


def test_without_both_locks_a_race_shows_all(raced, bed, mount, as_user, weakened):
    env = weakened("openat2", "landlock")
    program = bed.bin / "hashedfs-manifest"
    missing = {MARK.decode(), "a name", "size", "the manifest"}
    with raced(as_user, no_links) as sources, mount(sources, "", as_user, env=env) as m:
        for _ in range(10):
            found, _ = watch(m, program, sources, env, 1)
            missing -= {word for word in missing if any(word in x for x in found)}
            if not missing:
                return
    assert not missing
