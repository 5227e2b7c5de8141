#!/usr/bin/env python3
"""What the completions offer is what --help shows, in every shell.

    completions.py [DIRECTORY]      of the programs, build/ by default

Each shell is asked itself. Yields sentences about what is wrong.
"""

import re
import shutil
import subprocess
import sys

import design

COMPLETIONS = design.TOP / "tools/completions"

# The function that completes, with the completion of option words faked, which
# a shell that is no terminal has not.
BASH = """
source "$1"
compopt() { :; }
COMP_LINE=$2 COMP_POINT=${#2} COMPREPLY=()
_hashedfs "${2%% *}"
printf '%s\\n' "${COMPREPLY[@]}"
"""
FISH = 'source "$argv[1]"; complete -C "$argv[2]"'
# What the function hands to those that complete, one specification a line.
ZSH = """
_arguments() { print -rl -- "$@"; state=verb }
_values() { print -rl -- "$@" }
_describe() { print -rl -- ${(P)2} | sed 's/:.*//' }
words=(${=2}) service=$words[1]
source "$1" >/dev/null
if [[ $2 = *"-o " ]]; then _hashedfs_words; else _hashedfs; fi
"""


def bash(line):
    return _ask("bash", "-c", BASH, "bash", COMPLETIONS / "hashedfs.bash", line)


def fish(line):
    # It offers letters and names by turns.
    letters = line.replace(" --", " -")
    found = set()
    for text in {line, letters}:
        argv = "fish", "--no-config", "-c", FISH, COMPLETIONS / "hashedfs.fish", text
        found |= {word.partition("\t")[0] for word in _ask(*argv)}
    return found


def zsh(line):
    found = set()
    for spec in _ask("zsh", "-f", "-c", ZSH, "zsh", COMPLETIONS / "_hashedfs", line):
        spec = re.sub(r"^(\([^)]*\)|\*)+", "", spec)
        word = re.match(r"--?[a-zA-Z0-9][a-z0-9-]*|[a-z]\w*", spec)
        options = line.endswith(("-", "-o "))
        if word and ("[" in spec) == options and (options or spec[0] != "-"):
            found.add(word[0])
    return found


def _ask(*argv):
    done = subprocess.run(argv, check=True, capture_output=True, text=True, cwd="/")
    if done.stderr:
        sys.exit(f"{argv[0]} says {done.stderr!r}")
    return set(done.stdout.splitlines())


def _help(path, *verb):
    """The options of --help, and the words of -o with their values dropped."""
    text = design.run_help(path, *verb)
    lines = re.findall(r"^ {2,6}(-.*?)(?:  |$)", text, re.M)
    options = {
        word for line in lines for word in re.findall(r"--?[a-zA-Z0-9][a-z0-9-]*", line)
    }
    words = set(re.findall(r"^    ([a-z]\w+)\b", text, re.M))
    return options, words


def wrong(directory="build"):
    for shell in bash, zsh, fish:
        if not shutil.which(shell.__name__):
            yield f"there is no {shell.__name__} here"
            continue
        for program in design.PROGRAMS:
            verbs = design.VERBS if program == "hashedfs-manifest" else ()
            path = design.TOP / directory / program
            for verb in verbs or [None]:
                line = " ".join([program, *([verb] if verb else [])])
                shown, words = _help(path, *([verb] if verb else []))
                yield from _compare(shell, f"{line} --", shown)
                if words:
                    yield from _compare(shell, f"{line} -o ", words)
            if verbs:
                yield from _compare(shell, f"{program} ", set(verbs))


def _compare(shell, line, expected):
    offered = shell(line)
    if line.endswith(" --") and shell is bash:
        offered |= shell(line[:-1])
    if line.endswith("-o "):
        offered = {word.partition("=")[0] for word in offered}
    for word in sorted(expected - offered):
        yield f"{shell.__name__} does not complete `{line}` with {word}"
    for word in sorted(offered - expected):
        yield f"{shell.__name__} completes `{line}` with {word}, which --help does not show"


if __name__ == "__main__":
    found = list(wrong(*sys.argv[1:]))
    print("\n".join(found), end="\n" if found else "")
    sys.exit(bool(found))
