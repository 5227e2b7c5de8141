"""Names and a manifest straight from the sources, nothing remembered and all."""

from measure import find, md5sum, medians
from places import snapshot
from walking import MD5SUM


def measure(bench):
    tree = bench.tree

    def job():
        return {
            "find": find(tree),
            MD5SUM: md5sum(tree),
            "cold, refs=none": snapshot(tree, "cache=none,refs=none"),
            "cold, refs": snapshot(tree, "cache=none"),
            "warm, refs=none": snapshot(tree, "refs=none"),
            "warm, refs": snapshot(tree, "refs=django-6.1"),
        }

    found = medians(bench.rounds, job)
    for kind in ("refs=none", "refs"):
        work = f"`snapshot --source`, {kind}"
        bench.table.ratio(found, work, f"cold, {kind}", MD5SUM)
        work = f"`snapshot --source`, {kind}, remembered"
        bench.table.ratio(found, work, f"warm, {kind}", "find", "`find -printf %s`")
