"""nginx over a mount, beside nginx over the plain directory; all in the page
cache. The figure is answers a second."""

import contextlib
import os
import pathlib
import re
import socket
import subprocess
import time
import urllib.parse
import urllib.request

from measure import medians
from places import BUILD

TREE = BUILD / "inputs/fontawesome-free"
CONFIG = """\
{user}daemon off;
worker_processes {cpus};
error_log {top}/error.log;
pid {top}/nginx.pid;
events {{ worker_connections 256; }}
http {{
	access_log off;
	include /etc/nginx/mime.types;
	client_body_temp_path {top}/body;
	proxy_temp_path {top}/proxy;
	fastcgi_temp_path {top}/fastcgi;
	uwsgi_temp_path {top}/uwsgi;
	scgi_temp_path {top}/scgi;
	sendfile on;
	open_file_cache {cache};
	server {{
		listen 127.0.0.1:{port};
		root {root};
	}}
}}
"""
# Each thread asks for one after the other.
SCRIPT = """\
local paths = {{}}
for line in io.lines("{paths}") do paths[#paths + 1] = line end
local i = 0
request = function()
	i = i % #paths + 1
	return wrk.format("GET", paths[i])
end
"""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def nginx(bench, root, cache):
    top = bench.top / "nginx"
    top.mkdir(exist_ok=True)
    port = free_port()
    user = "user root;\n" if os.geteuid() == 0 else ""
    config = top / "nginx.conf"
    config.write_text(
        CONFIG.format(
            user=user, cpus=bench.cpus, top=top, root=root, port=port, cache=cache
        )
    )
    server = subprocess.Popen(
        ["nginx", "-c", config, "-p", top], stderr=subprocess.DEVNULL
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)


def answers_a_second(bench, root, cache="off"):
    paths = bench.top / "paths"
    names = [path for path in pathlib.Path(root).rglob("*") if path.is_file()]
    urls = [urllib.parse.quote("/" + str(path.relative_to(root))) for path in names]
    paths.write_text("".join(f"{url}\n" for url in sorted(urls)))
    script = bench.top / "wrk.lua"
    script.write_text(SCRIPT.format(paths=paths))
    with nginx(bench, root, cache) as url:
        deadline = time.monotonic() + 20
        while True:
            try:
                urllib.request.urlopen(url + min(urls), timeout=5).read()
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        found = subprocess.run(
            ["wrk", "-t1", "-c32", "-d3s", "-s", script, url],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    if "Non-2xx" in found:
        log = (bench.top / "nginx/error.log").read_text()
        raise SystemExit(f"bench: nginx: {found}{log[-2000:]}")
    return float(re.search(r"Requests/sec:\s*([0-9.]+)", found)[1])


def measure(bench):
    kept = "max=10000 inactive=60s"

    def plain():
        return {
            "plain": answers_a_second(bench, TREE),
            "plain, files kept open": answers_a_second(bench, TREE, kept),
        }

    def over():
        with bench.mounts.hashedfs(TREE) as (point, _):
            return {
                "mount": answers_a_second(bench, point),
                "mount, files kept open": answers_a_second(bench, point, kept),
            }

    found = medians(bench.rounds, plain, over)
    where = "over a plain directory"
    ratio = bench.table.ratio
    ratio(found, "answers a second of nginx over a mount", "mount", "plain", where)
    ratio(
        found,
        "the same with `open_file_cache`",
        "mount, files kept open",
        "plain, files kept open",
        where,
    )
