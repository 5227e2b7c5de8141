"""Parts of a tree, named by many machines, and merged."""

import os
import re
import shutil
import subprocess

import oracle
import pytest
import yaml  # comes with awscli
from conftest import TOP, not_run
from releasing import TREE, names, refused, snapshot, write

__all__ = ["snapshot"]  # a fixture

PAGE = TOP / "manifest/hashedfs-manifest.1"


def test_merge_refuses_contradictions(work, manifest, anyone):
    one = write(work / "1.json", {"a": "a.1", "b": "b.1"})
    two = write(work / "2.json", {"a": "a.2"})
    same = write(work / "3.json", {"a": "a.1", "c": "c.1"})
    output = work / "out.json"
    done = manifest(anyone, "merge", "--output", output, one, two, check=False)
    assert done.returncode == 1 and b"a has another name" in done.stderr
    assert not output.exists()
    done = manifest(anyone, "merge", one, same)
    assert done.stdout == oracle.manifest_bytes({"a": "a.1", "b": "b.1", "c": "c.1"})
    value = {"integrity": {"x": "sha384-QUJD"}}
    mixed = write(work / "4.json", {"x": "x.1"}, **value)
    done = manifest(anyone, "merge", one, mixed, check=False)
    assert done.returncode == 1 and b"integrity" in done.stderr


def check_shards(n, work, snapshot, manifest, anyone, *args):
    whole = snapshot(*args)
    parts = []
    for k in range(1, n + 1):
        part = work / f"part.{k}.json"
        part.write_bytes(snapshot("--shard", f"{k}/{n}", *args))
        parts.append(part)
    assert manifest(anyone, "merge", *parts).stdout == whole
    return [len(names(part)) for part in parts]


@pytest.mark.parametrize("n", range(1, 17))
def test_shards(n, make, work, snapshot, manifest, anyone):
    """Equal bytes for every number, with references and a circle across."""
    files = dict(TREE)
    for i in range(12):
        files[f"d{i}/m.css"] = f'@import "../d{i + 1}/m.css";'.encode()
    files["d12/m.css"] = b'@import "../d11/m.css";'
    tree = make(files)
    counts = check_shards(
        n, work, snapshot, manifest, anyone, "--integrity", "sha256", tree, "-o", "cache=none"
    )
    assert sum(counts) == len(files)
    assert n == 1 or max(counts) < len(files)


def test_shards_of_a_real_tree(inputs, work, snapshot, manifest, anyone):
    counts = check_shards(5, work, snapshot, manifest, anyone, inputs("django-admin"))
    assert max(counts) < sum(counts)


def recipes():
    """The listings of the manual page, unescaped."""
    text = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed", text, re.M | re.S)
    return [block.replace("\\e", "\\") for block in blocks]


def recipe(word):
    (found,) = [text for text in recipes() if word in text]
    return found


def test_the_recipe_for_gnu_parallel(bed, make, work, snapshot, anyone):
    if not shutil.which("parallel"):
        not_run("no GNU parallel here")
    tree = make(TREE, "static")
    whole = snapshot(tree)
    home = anyone.home
    path = f"{bed.bin}:/usr/bin:/bin"
    script = work / "recipe.sh"
    script.write_text(recipe("parallel '"))
    os.chmod(work, 0o777)
    anyone.run("bash", "-eu", script, cwd=work, env={"PATH": path, "HOME": home})
    assert (work / "staticfiles.json").read_bytes() == whole


def test_the_recipe_for_slurm(bed, make, work, snapshot, manifest, anyone):
    """What Slurm would run eight times, by bash."""
    whole = snapshot(make(TREE, "static"))
    script = work / "recipe.sh"
    script.write_text(recipe("#SBATCH"))
    subprocess.run(["bash", "-n", script], check=True)
    os.chmod(work, 0o777)
    for k in range(1, 9):
        env = {"PATH": f"{bed.bin}:/usr/bin:/bin", "SLURM_ARRAY_TASK_ID": str(k)}
        anyone.run("bash", script, cwd=work, env=env)
    parts = [work / f"part.{k}.json" for k in range(1, 9)]
    assert manifest(anyone, "merge", *parts).stdout == whole


def test_the_recipe_for_kubernetes(bed, make, work, snapshot, manifest, anyone):
    """yamllint finds nothing, and each pod's command does its part."""
    text = recipe("kind: Job")
    file = work / "job.yaml"
    file.write_text(text)
    if not shutil.which("yamllint"):
        not_run("no yamllint here")
    rules = "{extends: default, rules: {document-start: disable}}"
    done = subprocess.run(
        ["yamllint", "-d", rules, "--strict", file], stdout=subprocess.PIPE, text=True
    )
    assert done.returncode == 0, done.stdout
    spec = yaml.safe_load(text)["spec"]
    assert spec["completionMode"] == "Indexed"
    (container,) = spec["template"]["spec"]["containers"]
    tree = make(TREE, "static")
    command = [
        word.replace("/app/static", str(tree)).replace("/parts/", f"{work}/")
        for word in container["command"]
    ]
    whole = snapshot(tree)
    os.chmod(work, 0o777)
    for index in range(spec["completions"]):
        env = {"PATH": f"{bed.bin}:/usr/bin:/bin", "JOB_COMPLETION_INDEX": str(index)}
        anyone.run(*command, env=env)
    parts = [work / f"{index}.json" for index in range(spec["completions"])]
    assert manifest(anyone, "merge", *parts).stdout == whole


@pytest.mark.parametrize("word", ["0/1", "2/1", "1", "1/0", "a/b", "1/65537", "/", "-1/2", "01/2"])
def test_no_shard(word, make, manifest, anyone):
    tree = make(TREE)
    done = manifest(anyone, "snapshot", "--source", "--shard", word, tree, check=False)
    refused(done, 2, "--shard must be K/N")
