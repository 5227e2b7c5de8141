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

    found = medians(
        bench.rounds,
        native,
        *[lambda kind=kind: over(kind) for kind in bench.kinds()],
    )
    ratio = bench.table.ratio
    for name, command in (("tar", "tar \\| cat"), ("cp", "cp -a")):
        for kind in ("refs=none", "refs"):
            for key, work in (
                (name, f"mount, `{command}`, {kind}"),
                (f"{name} again", f"`{command}` again, {kind}"),
            ):
                ratio(found, work, f"{key}, {kind}", name, "natively")
                ratio(found, work, f"{key}, {kind}", f"{key}, bindfs", "bindfs")
