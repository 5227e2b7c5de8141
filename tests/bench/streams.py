"""Reading every file: tar, cp -a."""

from measure import medians, tar, timed
from places import emptied


def copy(source, target):
    with emptied(target):
        return timed("cp", "-a", f"{source}/.", target)


def measure(bench):
    target = bench.memory / "copy"

    def native():
        return {"tar": tar(bench.tree), "cp": copy(bench.tree, target)}

    def over(kind):
        with bench.mount(kind) as (point, seconds):
            found = {f"tar, {kind}": seconds + tar(point)}
            found[f"tar again, {kind}"] = tar(point)
            found[f"cp again, {kind}"] = copy(point, target)
        with bench.mount(kind) as (point, seconds):
            found[f"cp, {kind}"] = seconds + copy(point, target)
        return found

    kinds = [kind for kind in bench.kinds() if kind != "refs=none"]
    found = medians(
        bench.rounds, native, *[lambda kind=kind: over(kind) for kind in kinds]
    )
    ratio = bench.table.ratio
    for name, command in (("tar", "tar \\| cat"), ("cp", "cp -a")):
        work = f"mount, `{command}`"
        ratio(found, work, f"{name}, refs", name, "natively")
        ratio(found, work, f"{name}, refs", f"{name}, bindfs", "bindfs")
        work = f"`{command}` again"
        ratio(found, work, f"{name} again, refs", name, "natively")
        ratio(found, work, f"{name} again, refs", f"{name} again, bindfs", "bindfs")
