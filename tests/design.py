#!/usr/bin/env python3
"""Checks of the design that a compiler does not make.

    design.py floors     who includes whom, and which library is used where
    design.py symbols    the engine links without libfuse and jansson, and so do
                         without libfuse the programs that do not mount
    design.py circles    no file calls itself by way of others
    design.py help       --help fits, and says what the manual page says

Every check yields sentences about what is wrong.
"""

import os
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent

# Which doors a room may knock at, besides base's and its own.
EDGES = {
    "fs/base": set(),
    "fs/source": set(),
    "fs/refs": set(),
    "fs/digest": {"fs/source"},
    "fs/view": {"fs/source", "fs/refs", "fs/digest"},
    "fs/control": {"fs/view"},
    "fs/fuse": {"fs/control", "fs/view"},
    "manifest": {"fs/control", "fs/view"},
    # The mains put a program together, out of two frontends where it mounts
    # and writes a manifest.
    "tools": {"fs/control", "fs/fuse", "fs/source", "fs/view", "manifest"},
}
# Where the headers of a foreign library may be included.
FOREIGN = {
    r"openssl/": r"fs/digest/hash\.c",
    r"sqlite3\.h": r"fs/digest/store\.c",
    r"jansson\.h": r"manifest/json\.c",
    r"fuse": r"fs/fuse/.*",
}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)
PROGRAMS = {
    "hashedfs": "tools/hashedfs.1",
    "hashedfs-run": "tools/hashedfs-run.1",
    "hashedfs-export": "tools/hashedfs-export.1",
    "hashedfs-manifest": "manifest/hashedfs-manifest.1",
}
VERBS = ("snapshot", "check", "stats", "lookup", "diff", "prune", "merge", "verify")


def floors():
    for room, doors in EDGES.items():
        for file in sorted((TOP / room).glob("*.[ch]")):
            path = str(file.relative_to(TOP))
            for kind, header in INCLUDE.findall(file.read_text()):
                if kind == '"':
                    yield from _own_header(path, room, doors, header)
                else:
                    yield from _foreign_header(path, header)


def _own_header(path, room, doors, header):
    if not (TOP / header).is_file():
        yield f"{path} includes {header}, which is not there by that name"
        return
    other = os.path.dirname(header)
    if other == room:
        return
    if other not in doors | {"fs/base"}:
        yield f"{path} includes {header}: {room} does not know {other}"
    elif header != f"{other}/{os.path.basename(other)}.h":
        yield f"{path} includes {header}, which is not the door of {other}"


def _foreign_header(path, header):
    for pattern, place in FOREIGN.items():
        if re.match(pattern, header) and not re.fullmatch(place, path):
            yield f"{path} includes <{header}>, which belongs to {place}"


def symbols(library="build/plain/libhashedfs.a"):
    text = _run("nm", "--undefined-only", TOP / library)
    for symbol in sorted(set(re.findall(r"^\s+U (\w+)", text, re.M))):
        if re.match(r"(fuse|json)_", symbol):
            yield f"the engine needs {symbol}"


def circles(directory="build/plain"):
    calls = _calls(TOP / directory)
    for file in sorted(calls):
        reached, todo = set(), [file]
        while todo:
            new = calls[todo.pop()] - reached
            reached |= new
            todo += new
        if file in reached:
            yield f"{file} calls what calls it"


def _calls(directory):
    """File -> files that it calls. Those of fs/view are one: they have a state in
    common, which all of them ask and change."""
    needed, homes = {}, {}
    for room in EDGES:
        for source in (TOP / room).glob("*.c") if room != "fs/view" else ():
            file = str(source.relative_to(TOP))
            lines = _run("nm", directory / file.replace(".c", ".o")).splitlines()
            symbols = [line.split()[-2:] for line in lines]
            needed[file] = {name for kind, name in symbols if kind == "U"}
            homes.update((name, file) for kind, name in symbols if kind in "TDBR")
    return {
        file: {homes[name] for name in names if name in homes} - {file}
        for file, names in needed.items()
    }


def programs(directory="build"):
    for program in ("hashedfs-manifest", "hashedfs-export"):
        if "libfuse" in _run("readelf", "-d", TOP / directory / program):
            yield f"{program} is linked with libfuse"


def help_pages(directory="build"):
    for program, page in PROGRAMS.items():
        yield from _help_page(program, TOP / directory / program, TOP / page)


def _help_page(program, path, page):
    if not page.exists():
        yield f"{page.relative_to(TOP)} is not there"
        return
    texts = [run_help(path)]
    if program == "hashedfs-manifest":
        texts += [run_help(path, verb) for verb in VERBS]
    shown = set()
    for text in texts:
        for line in text.splitlines():
            if len(line) > 80:
                yield f"{program} --help has a line of {len(line)} columns"
        shown |= {f"--{name}" for name in re.findall(r"--([a-z][a-z-]+)", text)}
        shown |= {f"-o {name}" for name in re.findall(r"^    ([a-z]\w+)\b", text, re.M)}
    items, mentioned = _described(page)
    for word in sorted(shown - items):
        # The words of -o have their items in one page; the other names them.
        if page.name == "hashedfs.1" or word.removeprefix("-o ") not in mentioned:
            yield f"{page.name} does not describe {word}"
    for word in sorted(items - shown):
        yield f"{program} --help does not show {word}"


def _described(page):
    """The options that have an item in the page, "--long" and "-o word"; and
    everything that is set as a command."""
    items, mentioned = set(), set()
    for line in page.read_text().splitlines():
        words = line.replace("Fl Fl ", "Fl -").split()
        if ".Cm" in words or "Cm" in words:
            mentioned |= set(re.findall(r"\w+", line))
        if words[:1] != [".It"]:
            continue
        items |= {f"-{word}" for word in words if re.fullmatch("-[a-z][a-z-]+", word)}
        items |= {f"-o {name}" for name in re.findall(r"(?:\.It|,) Cm (\w+)", line)}
    return items - {f"-o {verb}" for verb in VERBS}, mentioned


def run_help(path, *verb):
    done = subprocess.run(
        [path, *verb, "--help"], stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode or done.stderr or not done.stdout:
        sys.exit(f"{path} {verb} --help: exit {done.returncode}, {done.stderr!r}")
    return done.stdout


def _run(*argv):
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout


CHECKS = {
    "floors": floors,
    "symbols": lambda: [*symbols(), *programs()],
    "circles": circles,
    "help": help_pages,
}

if __name__ == "__main__":
    wrong = [line for word in sys.argv[1:] for line in CHECKS[word]()]
    print("\n".join(wrong), end="\n" if wrong else "")
    sys.exit(bool(wrong))
