"""A real S3 server on loopback: versitygw over a directory."""

import contextlib
import json
import os
import socket
import subprocess
import sys

from conftest import TOP, not_run
from person import SYSTEM_PATH, eventually
from web import free_port

KEY, SECRET, REGION = "hashedfs-tests", "hashedfs-tests-secret", "us-east-1"


class S3:
    def __init__(self, directory, port):
        self.directory = directory
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.log = directory / "access.log"
        self.env = {
            "PATH": SYSTEM_PATH,
            "HOME": str(directory),
            "LC_ALL": "C.UTF-8",
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def aws(self, *args):
        """The AWS command line client; what it printed."""
        python, aws = sys.executable, TOP / "build/venv/bin/aws"
        if not aws.exists():
            not_run("no aws client")
        return self._run(python, aws, "--endpoint-url", self.url, *args)

    def rclone(self, *args):
        return self._run("rclone", "--config", "/dev/null", *args)

    def remote(self, bucket):
        """The bucket as rclone spells it."""
        return (
            f":s3,provider=Other,endpoint='{self.url}',access_key_id={KEY},"
            f"secret_access_key={SECRET},region={REGION}:{bucket}"
        )

    def _run(self, *argv):
        done = subprocess.run(
            [str(a) for a in argv],
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=250,
        )
        assert done.returncode == 0, f"{argv}: {done.stdout[-2000:]}"
        return done.stdout

    def headers(self, bucket):
        """key -> (Content-Type, Cache-Control)."""
        text = self.rclone("lsjson", "-R", "-M", "--files-only", self.remote(bucket))
        return {
            row["Path"]: (row["MimeType"], row["Metadata"].get("cache-control"))
            for row in json.loads(text)
        }

    def keys(self, bucket):
        text = self.aws(
            "s3api", "list-objects-v2", "--bucket", bucket, "--query", "Contents[].Key"
        )
        return sorted(json.loads(text))

    def stored(self, bucket, key):
        return (self.directory / "data" / bucket / key).read_bytes()

    def uploads(self):
        """How many objects, or parts of one, the server was sent so far."""
        with open(self.log, encoding="utf-8") as file:
            words = file.read().split()
        return sum(words.count(f"s3_{kind}") for kind in ("PutObject", "UploadPart"))


@contextlib.contextmanager
def serve(directory):
    program = TOP / "build/bin/versitygw"
    if not program.exists():
        not_run("no versitygw: it needs Go >= 1.23 to build")
    data = directory / "data"
    data.mkdir(parents=True)
    try:
        os.setxattr(data, "user.hashedfs-tests", b"1")
    except OSError:
        not_run(f"{directory} keeps no extended attributes, versitygw needs them")
    s3 = S3(directory, free_port())
    server = subprocess.Popen(
        [
            program,
            *("--access", KEY, "--secret", SECRET, "--region", REGION),
            *("--port", f"127.0.0.1:{s3.port}", "--access-log", s3.log, "--quiet"),
            *("posix", data),
        ],
        env=s3.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert eventually(lambda: _answers(s3.port), 20), "versitygw does not answer"
        yield s3
    finally:
        server.terminate()
        server.wait(20)


def _answers(port):
    with socket.create_connection(("127.0.0.1", port), 1):
        return True
