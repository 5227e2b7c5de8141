"""The blocks of README, recipes and manual pages: what is shown as typed, and
the files that are shown.

A fenced block has a language. `console` is a session: lines that begin with
"$ " are commands, what follows is what they print. `text` is no more than
that. Any other one is a file; a second word is its name:

    ```nginx /etc/nginx/nginx.conf

In manual pages literal blocks are sessions where they have such a line, and
`.Dl` lines are commands.
"""

import dataclasses
import re
import subprocess

from conftest import TOP

PAGES = sorted([*TOP.glob("tools/*.[17]"), *TOP.glob("manifest/*.1")])
TEXTS = [
    TOP / "README.md",
    TOP / "CONTRIBUTING.md",
    *sorted(TOP.glob("tools/recipes/*.md")),
]
# The first line of a literal block of a manual page that is a file.
FILES = {
    r"\[(Unit|Mount)\]": "systemd",
    r"/\S+ /\S+ fuse\.": "fstab",
    r"(FROM|RUN) ": "dockerfile",
    r"apiVersion:": "yaml",
    # These two are run by test_shards.py.
    r"#!/bin/bash": "bash",
    r"parallel ": "bash",
}


@dataclasses.dataclass(frozen=True)
class Block:
    line: int
    language: str
    name: str
    text: str


@dataclasses.dataclass(frozen=True)
class Command:
    line: int
    text: str
    shown: list  # lines that it prints, [] where nothing is shown


def blocks(path):
    """The blocks of a document. What has no language raises ValueError."""
    return list(_fenced(path) if path.suffix == ".md" else _literal(path))


def _fenced(path):
    fence = None
    before = ""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        # Blocks of a list or a quotation are indented.
        opened = re.match(r"([> ]*)```(.*)", line)
        if fence is None and opened:
            fence = number, *(opened[2].split() + ["", ""])[:2], opened[1], []
            if not fence[1]:
                raise ValueError(f"{path.name}:{number}: a block without a language")
        elif fence and opened:
            yield Block(*fence[:3], "".join(fence[4]))
            fence = None
        elif fence:
            fence[4].append(line.removeprefix(fence[3]) + "\n")
        elif line.startswith("    ") and not before.strip():
            raise ValueError(f"{path.name}:{number}: a block without a fence")
        before = line


def _literal(path):
    lines = enumerate(path.read_text().splitlines(), 1)
    for number, line in lines:
        if line.startswith(".Dl "):
            yield Block(number, "console", "", f"$ {_plain(line[4:])}\n")
        if not line.startswith(".Bd -literal"):
            continue
        text = ""
        for _, line in lines:
            if line.startswith(".Ed"):
                break
            text += _plain(line) + "\n"
        yield Block(number, _language(path, number, text), "", text)


def _plain(line):
    return line.replace(r"\e", "\\").replace(r"\&", "")


def _language(path, number, text):
    if re.search(r"^\$ ", text, re.M):
        return "console"
    for pattern, language in FILES.items():
        if re.match(pattern, text):
            return language
    raise ValueError(f"{path.name}:{number}: a block of an unknown kind")


def commands(block):
    """The commands of a session. One goes on while a shell wants more."""
    found = []
    lines = enumerate(block.text.splitlines(), block.line + 1)
    for number, line in lines:
        if not line.startswith("$ "):
            assert found, f"line {number}: nothing was typed yet"
            found[-1].shown.append(line)
            continue
        text = line[2:]
        while not _complete(text):
            text += "\n" + next(lines)[1]
        found.append(Command(number, text, []))
    return found


def _complete(text):
    if text.endswith(("\\", "|")):
        return False
    done = subprocess.run(
        ["bash", "-n"], input=text + "\n", capture_output=True, text=True
    )
    return done.returncode == 0 and "here-document" not in done.stderr


def differs(shown, printed):
    """What a session shows that was not printed: None, or a sentence. "..." is
    anything within a line, and any lines where it stands alone."""
    pattern = ""
    for line in shown:
        if line.strip() == "...":
            pattern += "(?:.*\n)*?"
        else:
            words = map(re.escape, line.rstrip().split("..."))
            pattern += ".*?".join(words) + " *\n"
    text = "".join(f"{line.rstrip()}\n" for line in printed)
    if re.fullmatch(pattern, text):
        return None
    return "shown:\n" + "\n".join(shown) + "\nprinted:\n" + text
