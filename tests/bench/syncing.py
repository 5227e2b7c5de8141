"""Uploading and copying from a mount, beside a plain directory."""

import sys

from measure import medians, timed
from places import BUILD, TOP, emptied

sys.path.insert(0, str(TOP / "tests"))

# The aws client needs a hundredth of a second for each file.
FEW = BUILD / "inputs/bootstrap"


def rsync(source, target):
    return timed("rsync", "-a", f"{source}/", f"{target}/")


def both(source, target, sync):
    with emptied(target):
        return sync(source, target), sync(source, target)


def rows(bench, command, plain, over):
    found = medians(bench.rounds, plain, over)
    ratio = bench.table.ratio
    ratio(found, f"mount, `{command}`", "first", "plain", "from a plain directory")
    ratio(
        found, f"`{command}` again", "again", "plain again", "from a plain directory"
    )


def beside_rsync(bench):
    target = bench.memory / "target"

    def plain():
        first, again = both(bench.tree, target, rsync)
        return {"plain": first, "plain again": again}

    def over():
        with bench.mount("refs") as (point, seconds):
            first, again = both(point, target, rsync)
        return {"first": seconds + first, "again": again}

    rows(bench, "rsync -a", plain, over)


def beside_aws(bench):
    import s3 as servers

    with servers.serve(bench.top / "s3") as s3:

        def sync(source, bucket):
            aws = [sys.executable, BUILD / "venv/bin/aws", "--endpoint-url", s3.url]
            return timed(
                *(*aws, "s3", "sync", "--only-show-errors", source, bucket), env=s3.env
            )

        def uploaded(source):
            s3.aws("s3api", "create-bucket", "--bucket", "bench")
            first = sync(source, "s3://bench")
            again = sync(source, "s3://bench")
            s3.aws("s3", "rb", "--force", "s3://bench")
            return first, again

        def plain():
            first, again = uploaded(FEW)
            return {"plain": first, "plain again": again}

        def over():
            with bench.mounts.hashedfs(FEW) as (point, seconds):
                first, again = uploaded(point)
            return {"first": seconds + first, "again": again}

        rows(bench, "aws s3 sync", plain, over)


def measure(bench):
    beside_rsync(bench)
    beside_aws(bench)
