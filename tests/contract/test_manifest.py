"""A manifest that does not add up cannot be made, and one that was damaged cannot be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contract.failures import DamagedData
from contract.manifest import Account, Manifest, Shard, parse_manifest

COUNTS = st.dictionaries(st.sampled_from(["short", "long", "timeout"]), st.integers(0, 50))


def manifest(**changes):
    values = {
        "stage": "clean",
        "stage_version": 1,
        "key": "k",
        "config": {},
        "record": "Document",
        "columns": {"id": "string"},
        "shards": [Shard(path="data/part-00000.parquet", rows=3, bytes=10, sha256="0" * 64)],
        "rows_in": 3,
        "rows_out": 3,
        "accounts": {"rows": Account(total=3, kept=3)},
        "content_hash": "0" * 64,
        "started": "2026-01-01T00:00:00Z",
        "finished": "2026-01-01T00:00:01Z",
    }
    return Manifest(**values | changes)


@given(st.integers(0, 50), COUNTS, COUNTS, COUNTS, st.integers(-5, 5))
def test_an_account_exists_only_where_everything_is_accounted_for(kept, dropped, failed, skipped, missing):
    total = kept + sum(sum(counts.values()) for counts in (dropped, failed, skipped))
    book = {"kept": kept, "dropped": dropped, "failed": failed, "skipped": skipped}
    assert Account(total=total, **book).accounted == total
    if missing:
        with pytest.raises(ValidationError, match=f"{total} are accounted for"):
            Account(total=total + missing, **book)


def test_rows_out_must_be_in_the_shards():
    with pytest.raises(ValidationError, match="rows_out says 4 but the shards hold 3"):
        manifest(rows_out=4)


def test_a_manifest_reads_back_as_it_was_written():
    written = manifest()
    assert parse_manifest(written.model_dump_json(), where="x") == written


@given(st.data())
def test_a_manifest_that_was_cut_off_is_damaged_and_says_what_to_do(data):
    text = manifest().model_dump_json()
    cut = text[: data.draw(st.integers(0, len(text) - 1))]
    with pytest.raises(DamagedData, match=r"manifest cannot be read.*in here\. Try: delete that folder"):
        parse_manifest(cut, where="here")


def test_a_manifest_of_a_later_format_is_not_guessed_at():
    later = manifest().model_dump_json().replace('"format":1', '"format":2')
    with pytest.raises(DamagedData, match="format"):
        parse_manifest(later, where="here")
