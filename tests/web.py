"""Servers of pages, for the length of a `with` block."""

import contextlib
import shutil
import socket
import subprocess

from conftest import not_run
from person import ROOT

NGINX = """
user {user};
worker_processes 1;
daemon off;
pid {top}/nginx.pid;
error_log {top}/error.log;
events {{}}
http {{
	include /etc/nginx/mime.types;
	sendfile on;
	log_format short "$status $request_uri";
	access_log {top}/access.log short;
	client_body_temp_path {top}/body;
	proxy_temp_path {top}/proxy;
	fastcgi_temp_path {top}/fastcgi;
	uwsgi_temp_path {top}/uwsgi;
	scgi_temp_path {top}/scgi;
	server {{
		listen 127.0.0.1:{port};
{server}
	}}
}}
"""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def program(name):
    """Its path, also where users do not look."""
    found = shutil.which(name, path="/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    if not found:
        not_run(f"no {name} here")
    return found


@contextlib.contextmanager
def running(*argv, person=ROOT, **kwargs):
    process = person.popen(*map(str, argv), **kwargs)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


@contextlib.contextmanager
def nginx(top, server, person=ROOT, user="nobody nogroup"):
    """nginx with the lines of a server, at a port; what it was asked for stands
    in top/access.log. Root's reads files as the user."""
    port = free_port()
    conf = top / "nginx.conf"
    conf.write_text(NGINX.format(top=top, port=port, server=server, user=user))
    argv = [program("nginx"), "-c", conf, "-p", top, "-e", top / "error.log"]
    with running(*argv, person=person, stderr=subprocess.DEVNULL):
        yield port
