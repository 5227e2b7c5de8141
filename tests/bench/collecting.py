"""The whole job, which is names, rewritten files and a manifest, beside
collectstatic. Django ends at the first file that it cannot make sense of, so
such files are left out of the tree for both."""

import json

from measure import medians, run, timed
from places import BUILD, EXPORT, MANIFEST, TOP, emptied, snapshot
from trees import count_files, without_faults

COLLECT = TOP / "tests/django_collect.py"
ENHANCED = (
    "django_manifeststaticfiles_enhanced.storage.EnhancedManifestStaticFilesStorage"
)
DJANGOS = {
    "collectstatic of Django 5.2": ("venv", "django-5.2", None),
    "collectstatic of Django 6.1": ("venv-django61", "django-6.1", None),
    "manifeststaticfiles-enhanced": ("venv-bench", None, ENHANCED),
}


def mounted(bench, tree, options, manifest):
    """Mount, name everything, write the manifest: all files can be read then."""
    with bench.mounts.hashedfs(tree, options) as (point, start):
        return start + timed(
            *(MANIFEST, "snapshot", "-q", "--output", manifest, point)
        )


def same(ours, theirs):
    if json.loads(ours.read_bytes()) != json.loads(theirs.read_bytes()):
        raise SystemExit("bench: the manifests differ")


def beside(bench, name, place, where):
    venv, profile, storage = DJANGOS[name]
    python = BUILD / venv / "bin/python"
    if not python.exists():
        return
    tree = bench.top / "collected"
    manifest = bench.top / "staticfiles.json"
    options = f"cache=none,refs={profile or 'django-6.1'}"
    remembered = options.replace("none", str(bench.top / "remembered"), 1)

    def job():
        with emptied(place / "root") as root:
            arguments = ["--storage", storage] if storage else []
            collect = [python, COLLECT, *arguments, root, tree]
            found = {"django": timed(*collect)}
            if profile:
                mounted(bench, tree, options, manifest)
                same(manifest, root / "staticfiles.json")
            found["django again"] = timed(*collect)
        found["mount"] = mounted(bench, tree, options, manifest)
        mounted(bench, tree, remembered, manifest)
        found["mount again"] = mounted(bench, tree, remembered, manifest)
        found["snapshot"] = snapshot(tree, options, "--output", manifest)
        with emptied(place / "export") as export:
            write = [EXPORT, "-q", "-o", options, "--manifest", manifest, tree, export]
            found["export"] = timed(*write)
            found["export again"] = timed(*write)
        return found

    # The tree was written a moment ago: it is in the page cache.
    found = medians(bench.django_rounds, job, warm_up=False)
    ratio = bench.table.ratio
    ratio(found, "`snapshot --source`", "snapshot", "django", f"{name}, {where}")
    ratio(found, "mount, snapshot", "mount", "django", f"{name}, {where}")
    ratio(found, f"export, {where}", "export", "django", f"{name}, {where}")
    again = f"{name}, {where}, nothing changed"
    ratio(found, "mount, snapshot, remembered", "mount again", "django again", again)
    ratio(found, f"export again, {where}", "export again", "django again", again)


def measure(bench):
    tree = bench.top / "collected"
    left_out = without_faults(bench.tree, tree, "django-6.1")
    bench.say(
        f"beside collectstatic: {count_files(tree)} files, without {left_out} on "
        "which Django gives up"
    )
    for name in DJANGOS:
        beside(bench, name, bench.memory, "in memory")
        beside(bench, name, bench.top, "on disk")
    run("rm", "-rf", tree)
