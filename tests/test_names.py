"""Names: the digest of what is read under them, and Django's."""

import json
import re
import time

import oracle
import pytest

HASHED = re.compile(r"^(?P<root>.*)\.(?P<hash>[0-9a-f]{12})(?P<ext>\.[^./]*)?$", re.S)


def test_every_name_is_the_digest_of_the_bytes_under_it(real_tree, mount, as_user):
    with mount(real_tree, person=as_user) as m:
        files = m.files()
    assert files
    for name, data in files.items():
        match = HASHED.match(name)
        assert match, f"{name} carries no hash"
        assert match["hash"] == oracle.md5(data), name


def test_verbatim_nothing_is_missing_or_changed(real_tree, mount, as_user):
    with mount(real_tree, "refs=none", person=as_user) as m:
        files = m.files()
    want = {oracle.hashed(p, data): data for p, data in oracle.walk(real_tree).items()}
    assert files.keys() == want.keys()
    assert files == want


def test_names_are_the_values_of_the_manifest(real_tree, mount, manifest, as_user):
    with mount(real_tree, person=as_user) as m:
        names = m.names()
        paths = json.loads(manifest(as_user, "snapshot", m).stdout)["paths"]
    assert sorted(paths.values()) == names
    assert paths.keys() == oracle.walk(real_tree).keys()


@pytest.mark.parametrize("options", ["name=%n.%h%e", "refs=none"])
def test_mount_and_source_give_the_same_manifest(
    real_tree, mount, manifest, as_user, work, options
):
    outputs = work / "out"
    outputs.mkdir()
    outputs.chmod(0o777)
    one, two = outputs / "mount.json", outputs / "source.json"
    with mount(real_tree, options, person=as_user) as m:
        manifest(as_user, "snapshot", "--output", one, m)
    manifest(
        as_user, "snapshot", "--output", two, "--source", "-o", options, real_tree
    )
    as_user.run("cmp", str(one), str(two))
    if options == "refs=none":
        want = oracle.manifest_bytes(oracle.mapping(real_tree))
        assert one.read_bytes() == want


@pytest.mark.parametrize("version", ["5.2", "6.0"])
def test_manifest_is_django_s(real_tree, manifest, anyone, work, version):
    tree = oracle.without_references(real_tree, work / "tree")
    ours = manifest(anyone, "snapshot", "--source", tree).stdout
    django = oracle.django(version, work / "root", tree)
    assert json.loads(ours)["paths"] == json.loads(django)["paths"]
    assert json.loads(ours)["hash"] == json.loads(django)["hash"]
    if version == "6.0":  # which sorts, as we do
        assert ours == django


@pytest.mark.parametrize("version", ["5.2", "6.0"])
def test_several_sources_are_django_s(inputs, manifest, mount, anyone, work, version):
    names = ("django-admin", "djangorestframework", "bootstrap")
    trees = [oracle.without_references(inputs(n), work / n) for n in names]
    sources = f"{trees[0]}:rest={trees[1]}:lib/boot={trees[2]}"
    django = json.loads(
        oracle.django(
            version, work / "root", trees[0], f"rest={trees[1]}", f"lib/boot={trees[2]}"
        )
    )
    ours = manifest(anyone, "snapshot", "--source", sources).stdout
    assert json.loads(ours)["paths"] == django["paths"]
    assert json.loads(ours)["hash"] == django["hash"]
    with mount(sources, person=anyone) as m:
        assert m.names() == sorted(django["paths"].values())
        assert manifest(anyone, "snapshot", m).stdout == ours


def test_lookup_both_ways(inputs, mount, manifest, as_user, work):
    path = "admin/css/base.css"
    with mount(inputs("django-admin"), person=as_user) as m:
        output = work / "staticfiles.json"
        output.write_bytes(manifest(as_user, "snapshot", m).stdout)
        name = json.loads(output.read_bytes())["paths"][path]
        for where in (m, output):
            found = manifest(as_user, "lookup", where, path, text=True).stdout
            assert found == name + "\n"
            found = manifest(
                as_user, "lookup", "--reverse", where, name, text=True
            ).stdout
            assert found == path + "\n"
            missing = manifest(as_user, "lookup", where, "no/such", check=False)
            assert missing.returncode == 1


def test_a_name_looked_up_without_listing(make, mount, as_user):
    data = b"body {}\n"
    src = make({"css/a.css": data, "css/b.css": b"b"})
    with mount(src, person=as_user) as m:
        assert m.read(oracle.hashed("css/a.css", data)) == data
        for wrong in ("css/a.css", "css/a.0123456789ab.css", "css/a.css/x", "nope"):
            with pytest.raises((FileNotFoundError, NotADirectoryError)):
                m.read(wrong)


def test_a_file_state_is_hashed_once(make, mount, anyone):
    src = make({f"f{i}": b"%d" % i for i in range(200)})
    time.sleep(2.1)  # what changed a moment ago may change again unseen
    with mount(src, person=anyone) as m:
        assert len(m.listing()) == 200
        again = [m.person.popen("ls", str(m)) for _ in range(8)]
        assert [p.wait(30) for p in again] == [0] * 8
        assert int(m.status()["files_hashed"]) == 200
