"""Runs real collectstatic; printed is where its manifest lies.

    python django_collect.py STATIC_ROOT [PREFIX=]DIR...

With the Django of whichever Python runs this.
"""

import pathlib
import sys

import django
from django.conf import settings
from django.core.management import call_command

root = pathlib.Path(sys.argv[1])
dirs = []
for word in sys.argv[2:]:
    prefix, equals, directory = word.partition("=")
    dirs.append((prefix, directory) if equals else prefix)

settings.configure(
    SECRET_KEY="tests",
    STATIC_URL="/static/",
    STATIC_ROOT=str(root),
    STATICFILES_DIRS=dirs,
    INSTALLED_APPS=["django.contrib.staticfiles"],
    STORAGES={
        "staticfiles": {
            "BACKEND": "django.contrib.staticfiles.storage."
            "ManifestStaticFilesStorage"
        }
    },
)
django.setup()
call_command("collectstatic", interactive=False, verbosity=0)
print(root / "staticfiles.json")
