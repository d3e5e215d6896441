"""A source is one file or a folder of them, anywhere, also right at a bucket's root."""

import pytest

from contract.config.base import Source
from contract.failures import BadConfig
from contract.uris import parse_uri
from stagekit.sources import source_files
from stagekit.store import open_store


def names(uri):
    return [entry.name for entry in source_files(Source(uri=uri))[1]]


def test_a_source_is_a_file_or_what_a_folder_holds(root):
    store = open_store(root)
    for name in ("b.json", "a.json", "deep/c.json", "deep/.hidden/d.json"):
        store.write(name, b"{}")
    assert names(str(root)) == ["a.json", "b.json", "deep/c.json"]
    assert names(f"{root}/deep/c.json") == ["c.json"]


@pytest.mark.parametrize("place", ["/proc/self/environ", "/dev", "{folder}/link/self/environ"])
def test_what_the_system_shows_of_its_processes_is_no_source(tmp_path, place):
    (tmp_path / "link").symlink_to("/proc")
    with pytest.raises(BadConfig, match="part of the system"):
        names(place.format(folder=tmp_path))


@pytest.mark.needs_docker
def test_a_file_at_a_buckets_root_is_found(s3_env, bucket):
    open_store(parse_uri(f"s3://{bucket}")).write("lonely.json", b"{}")
    assert names(f"s3://{bucket}/lonely.json") == ["lonely.json"]
