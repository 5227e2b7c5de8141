"""Runs real collectstatic; printed is where its manifest lies.

    python django_collect.py [--storage CLASS] STATIC_ROOT [PREFIX=]DIR...

With the Django of whichever Python runs this.
"""

import pathlib
import sys

import django
from django.conf import settings
from django.core.management import call_command

words = sys.argv[1:]
storage = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
if words[0] == "--storage":
    storage = words[1]
    words = words[2:]
root = pathlib.Path(words[0])
dirs = []
for word in words[1:]:
    prefix, equals, directory = word.partition("=")
    dirs.append((prefix, directory) if equals else prefix)

settings.configure(
    SECRET_KEY="tests",
    STATIC_URL="/static/",
    STATIC_ROOT=str(root),
    STATICFILES_DIRS=dirs,
    INSTALLED_APPS=["django.contrib.staticfiles"],
    STORAGES={"staticfiles": {"BACKEND": storage}},
)
django.setup()
call_command("collectstatic", interactive=False, verbosity=0)
print(root / "staticfiles.json")
