"""Addresses read one way everywhere."""

import pytest

from contract.failures import BadConfig
from contract.uris import parse_uri


@pytest.mark.parametrize(
    ("uri", "base", "text"),
    [
        ("s3://bucket/a/b/", None, "s3://bucket/a/b"),
        ("s3://bucket", None, "s3://bucket/"),
        ("file:///a/b%20c", None, "file:///a/b c"),
        ("/a/b", "s3://bucket/x", "file:///a/b"),
        ("raw/demo", "s3://bucket/x", "s3://bucket/x/raw/demo"),
        ("./raw/demo", "file:///store", "file:///store/raw/demo"),
        (".", "file:///store", "file:///store"),
    ],
)
def test_an_address_reads_as(uri, base, text):
    assert str(parse_uri(uri, base)) == text


@pytest.mark.parametrize("uri", ["s3:///x", "file://host/x", "https://host/x", "gs://bucket/x"])
def test_other_places_are_refused(uri):
    with pytest.raises(BadConfig, match="expected"):
        parse_uri(uri)


def test_a_child_of_a_bucket_has_no_leading_slash():
    assert parse_uri("s3://bucket").child("a", "b").path == "a/b"


def test_a_refused_address_does_not_repeat_its_password():
    with pytest.raises(BadConfig, match=r"https://\*\*\*@a\.example") as refused:
        parse_uri("https://ada:hunter2@a.example/x.json")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("uri", "base", "problem"),
    [
        ("/a/" + "x" * 256, None, "a name of 256 bytes"),
        ("ä" * 128 + "/b.json", "file:///store", "a name of 256 bytes"),
        ("/x" * 2_001, None, "an address of 4,002 bytes"),
        ("s3://bucket/" + "x" * 1_001, None, "an address of 1,001 bytes"),
    ],
)
def test_what_no_disk_or_bucket_takes_is_refused(uri, base, problem):
    with pytest.raises(BadConfig, match=problem):
        parse_uri(uri, base)


def test_the_longest_names_are_taken():
    assert parse_uri("/" + "x" * 255).path == "/" + "x" * 255
    assert parse_uri("s3://bucket/" + "x" * 1_000).path == "x" * 1_000
