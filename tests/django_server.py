"""Runs real collectstatic, over and over, for whoever asks.

    python django_server.py

One JSON object a line on standard input is one tree, one on standard output
says what Django made of it:

    dirs        [[prefix, directory], ...], as STATICFILES_DIRS
    root        STATIC_ROOT, which must not exist
    static_url  STATIC_URL
    storage     "django": the storage as it is; "lenient": see below
    modules     support_js_module_import_aggregation

    manifest    staticfiles.json as text, null after an error
    error       null, or [class, text] of what ended the run
    notes       what the lenient storage did otherwise, [[file, kind, text], ...]
    plain       files that it left under their names

The Django is that of the Python that runs this.

The lenient storage departs from Django in what hashedfs does otherwise, and in
nothing else, and notes each time that it does. What it has no note of is what
Django itself makes.
"""

import io
import json
import os
import posixpath
import re
import sys
from hashlib import md5
from urllib.parse import unquote, urldefrag, urlsplit

import django
from django.conf import settings
from django.contrib.staticfiles import finders, storage
from django.contrib.staticfiles.management.commands import collectstatic
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.base import ContentFile

TEXTS = (".css", ".js")
# As many files may import each other in a row. Django itself stops at 5.
PASSES = 20
# What call_command() makes of its arguments, which takes it as long as the rest.
OPTIONS = vars(
    collectstatic.Command()
    .create_parser("", "collectstatic")
    .parse_args(["--no-input", "--verbosity=0", "--skip-checks"])
)


class Keep(ValueError):
    """The reference stays as it is written."""


class Strict(storage.ManifestStaticFilesStorage):
    notes = ()
    plain = ()


class Lenient(storage.ManifestStaticFilesStorage):
    max_post_process_passes = PASSES

    def note(self, name, kind, text=""):
        if [name, kind, text] not in self.notes:
            self.notes.append([name, kind, text])

    # --- which files are named, and which rewritten ---------------------------

    def post_process(self, paths, **options):
        self.notes = []
        self.plain = {}
        self.verbatim = set()
        self.targets = {}  # text -> what it refers to
        self.inside = set()  # references to these stay
        self.digests = {}  # text in a circle -> digest in its name
        self.earlier = {}  # text -> a name that it had
        self.found = dict(paths)
        for name, (source, path) in paths.items():
            with source.open(path) as file:
                self.judge(name, file.read())
        matches = storage.matches_patterns

        # Asked with all patterns for the name, with one for the path in its
        # own directory, which may be another file's name.
        def matches_but_verbatim(path, patterns):
            if patterns is self._patterns and path in self.verbatim:
                return False
            return matches(path, patterns)

        storage.matches_patterns = matches_but_verbatim
        named = {name: paths[name] for name in paths if name not in self.plain}
        try:
            yield from self.processed(named, options)
        finally:
            storage.matches_patterns = matches

    def judge(self, name, data):
        why = self.why_plain(name, data)
        if why:
            self.note(name, "name", why)
            self.plain[name] = name
        elif name.endswith(TEXTS):
            try:
                data.decode("utf-8")
            except UnicodeDecodeError as error:
                self.note(name, "encoding", str(error))
                self.verbatim.add(name)

    def why_plain(self, name, data):
        """Why a file cannot stand under the name that Django would give it,
        or None."""
        try:
            value = self.hashed_name(name, ContentFile(data))
        except ValueError as error:
            return str(error)
        directory, base = posixpath.split(value)
        if "\\" in unquote(name) or any(c in name for c in "\t\r\n"):
            return "the manifest tells another name than that on the disk"
        if directory != posixpath.dirname(name):
            return "it would stand elsewhere"
        if "\0" in value or len(os.fsencode(base)) > 255:
            return "no file can be called that"
        return None

    def is_text(self, name):
        return name.endswith(TEXTS) and name not in self.verbatim

    def processed(self, named, options):
        for name, value, processed in super().post_process(named, **options):
            if not isinstance(processed, RuntimeError):
                yield name, value, processed

    def save_manifest(self):
        circles = list(filter(self.is_circle, self.components()))
        for members in circles:
            self.note(members[0], "circle", ", ".join(members))
        if circles:
            self.name_circles()
        self.hashed_files.update(self.plain)
        super().save_manifest()

    # --- references -----------------------------------------------------------

    def url_converter(self, name, *args, **kwargs):
        convert = super().url_converter(name, *args, **kwargs)

        def converter(match):
            self.current = name
            try:
                return convert(match)
            except Keep as error:
                kind, text = "kept", str(error)
            except SuspiciousFileOperation as error:
                kind, text = "outside", str(error)
            except (ValueError, AssertionError) as error:
                kind, text = "missing", str(error)
            self.note(name, kind, text)
            return match[0]

        return converter

    def refer(self, target):
        if target in self.plain:
            raise Keep(f"{target} stands under its plain name")
        if target in self.inside:
            raise Keep(f"{target} is in the same circle")

    def _url(self, stored_name, name, *args, **kwargs):
        self.inner = urldefrag(name)[1]
        return super()._url(stored_name, name, *args, **kwargs)

    def show(self, value, target):
        """What follows the last slash goes into the text: true if this is the
        hash in the value, too, so that the text depends on the target."""
        hashes = re.findall(r"\.([0-9a-f]{12})", value)
        last = unquote(value + "#" + self.inner).replace("\\", "/").rpartition("/")[2]
        shown = any(hash in last for hash in hashes)
        if shown:
            self.targets.setdefault(self.current, set()).add(target)
        return shown

    def _stored_name(self, name, hashed_files):
        name = posixpath.normpath(name)
        key = self.clean_name(name)
        if key in self.found:
            self.refer(key)
            # Where none of it is shown, any will do.
            value = hashed_files.get(key) or self.earlier.get(key)
            value = value or super()._stored_name(name, hashed_files)
            self.show(value, key)
            return value
        # What follows is hashed_name() of something that is no file's name.
        target = posixpath.normpath(urlsplit(unquote(name)).path.strip())
        if target in self.found:
            self.refer(target)
            value = super()._stored_name(name, hashed_files)
            if self.show(value, target) and self.is_text(target):
                return self.rewritten(name, target, hashed_files)
            return value
        elif self.exists(target) and not os.path.isdir(self.path(target)):
            raise Keep(f"{target} is no file of the sources")
        return super()._stored_name(name, hashed_files)

    def rewritten(self, name, target, hashed_files):
        """Django hashes the copy that is not rewritten."""
        self.note(self.current, "raw", name)
        if target not in hashed_files:
            raise Keep(f"{target} has no name yet")
        with self.open(hashed_files[target]) as file:
            self.forced = self.digests.get(target)
            value = self.hashed_name(name, file)
            self.forced = None
        return self.clean_name(value)

    # --- circles --------------------------------------------------------------
    #
    # Texts that refer to each other in a circle, of which Django makes nothing:
    # with the references between them left as they are, their digests make one
    # for all of them; that and its path make the digest in a member's name.

    forced = None

    def file_hash(self, name, content=None):
        return self.forced or super().file_hash(name, content)

    def name_circles(self):
        self.earlier = dict(self.hashed_files)
        for name in list(filter(self.is_text, self.hashed_files)):
            del self.hashed_files[name]
        for members in list(self.components()):
            circle = self.is_circle(members)
            if circle:
                self.inside = set(members)
                texts = [self.text(name) for name in members]
                self.inside = set()
                whole = md5(
                    b"".join(
                        os.fsencode(name) + b"\0" + md5(text).digest()
                        for name, text in zip(members, texts, strict=True)
                    )
                ).digest()
                for name in members:
                    digest = md5(whole + os.fsencode(name)).hexdigest()[:12]
                    self.enter(name, digest)
            for name in members:
                text = self.text(name)
                if not circle:
                    self.enter(name, md5(text).hexdigest()[:12])
                with open(self.path(self.hashed_files[name]), "wb") as file:
                    file.write(text)

    def enter(self, name, digest):
        self.digests[name] = self.forced = digest
        value = self.hashed_name(name, ContentFile(b""))
        self.forced = None
        self.hashed_files[name] = self.clean_name(value)
        # rewritten() opens it.
        open(self.path(self.hashed_files[name]), "wb").close()

    def after(self, name):
        return {t for t in self.targets.get(name, ()) if self.is_text(t)} - set(
            self.plain
        )

    def is_circle(self, members):
        return len(members) > 1 or members[0] in self.after(members[0])

    def components(self):
        """Lists of texts that can reach each other, leaves first."""
        texts = sorted(
            (n for n in self.found if self.is_text(n) and n not in self.plain),
            key=os.fsencode,
        )
        reach = {name: self.after(name) for name in texts}
        for _ in texts:
            for name in texts:
                reach[name] |= set().union(*(reach[t] for t in reach[name]))
        done = set()
        while len(done) < len(texts):
            for name in texts:
                same = {t for t in reach[name] if name in reach[t]} | {name}
                if name not in done and reach[name] - same <= done:
                    done |= same
                    yield sorted(same, key=os.fsencode)

    def text(self, name):
        source, path = self.found[name]
        with source.open(path) as file:
            content = file.read().decode("utf-8")
        for extension, patterns in self._patterns.items():
            if not name.endswith(extension.lstrip("*")):
                continue
            for pattern, template, *ignored in patterns:
                blocks = [self.get_ignored_blocks(content, i) for i in ignored]
                converter = self.url_converter(
                    name, self.hashed_files, template, *blocks
                )
                content = pattern.sub(converter, content)
        return content.encode("utf-8")


def collect(dirs, root, static_url="/static/", storage_name="django", modules=False):
    settings.STATICFILES_DIRS = [
        (prefix, directory) if prefix else directory for prefix, directory in dirs
    ]
    settings.STATIC_ROOT = root
    settings.STATIC_URL = static_url
    finders.get_finder.cache_clear()
    kind = Lenient if storage_name == "lenient" else Strict
    kind = type(kind.__name__, (kind,), {"support_js_module_import_aggregation": modules})
    store = storage.staticfiles_storage._wrapped = kind()
    answer = {"manifest": None, "error": None}
    try:
        # The command appends to its patterns.
        given = {**OPTIONS, "ignore_patterns": []}
        collectstatic.Command(stderr=io.StringIO()).execute(**given)
        with open(os.path.join(root, "staticfiles.json"), encoding="ascii") as file:
            answer["manifest"] = file.read()
    except Exception as error:
        cause = error.__cause__ if type(error).__name__ == "CommandError" else None
        answer["error"] = [type(cause or error).__name__, str(error)]
    answer["notes"] = list(store.notes)
    answer["plain"] = sorted(store.plain)
    return answer


def main():
    settings.configure(
        SECRET_KEY="tests",
        MEDIA_URL="/media/",
        INSTALLED_APPS=["django.contrib.staticfiles"],
        STATICFILES_FINDERS=["django.contrib.staticfiles.finders.FileSystemFinder"],
    )
    django.setup()
    python = ".".join(map(str, sys.version_info[:3]))
    print(json.dumps({"django": django.get_version(), "python": python}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        answer = collect(
            request["dirs"],
            request["root"],
            request.get("static_url", "/static/"),
            request.get("storage", "django"),
            request.get("modules", False),
        )
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
