"""Looking at every name: find -printf %s, ls -lR; first and again."""

from measure import find, ls, md5sum, medians

MD5SUM = "md5sum of all files, on all processors"


def measure(bench):
    def native():
        return {
            "find": find(bench.tree),
            "ls": ls(bench.tree),
            MD5SUM: md5sum(bench.tree),
        }

    def over(kind, look, name):
        with bench.mount(kind) as (point, seconds):
            first = seconds + look(point)
            return {f"{name}, {kind}": first, f"{name} again, {kind}": look(point)}

    jobs = [native]
    for kind in bench.kinds():
        jobs.append(lambda kind=kind: over(kind, find, "find"))
        jobs.append(lambda kind=kind: over(kind, ls, "ls"))
    found = medians(bench.rounds, *jobs)
    ratio = bench.table.ratio
    for name in ("find", "ls"):
        command = {"find": "find -printf %s", "ls": "ls -lR"}[name]
        for kind in ("refs=none", "refs"):
            work = f"mount, `{command}`, {kind}"
            ratio(found, work, f"{name}, {kind}", MD5SUM)
            ratio(found, work, f"{name}, {kind}", name, "natively")
            ratio(found, work, f"{name}, {kind}", f"{name}, bindfs", "bindfs")
        work = f"`{command}` again"
        ratio(found, work, f"{name} again, refs", name, "natively")
        ratio(found, work, f"{name} again, refs", f"{name} again, bindfs", "bindfs")
