"""ingest: an id is known again however many came in between."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.ingest import seen
from curate.ingest.seen import SeenIds

NAMES = st.lists(st.integers(0, 30).map(str) | st.text(max_size=2), max_size=60)


@pytest.fixture(autouse=True, scope="module")
def few_marks():
    """So few that they mislead."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seen, "MARKS", 64)
        yield


@given(NAMES, st.integers(1, 9))
def test_an_id_is_new_once(tmp_path_factory, names, held):
    ids, known = SeenIds(tmp_path_factory.getbasetemp(), held), set()
    for name in names:
        assert ids.add(name) == (name not in known)
        known.add(name)


def test_digests_that_begin_alike_are_told_apart(tmp_path, monkeypatch):
    monkeypatch.setattr(seen, "_digest", lambda name: (7, int(name)))
    ids = SeenIds(tmp_path, 4)
    assert all(ids.add(str(number)) for number in range(50))
    assert not any(ids.add(str(number)) for number in range(50))


def test_older_ids_are_few_runs_of_sixteen_bytes_each(tmp_path):
    ids = SeenIds(tmp_path, 1_000)
    assert all(ids.add(f"row {number}") for number in range(20_500))
    assert sum(run.high.nbytes + run.low.nbytes for run in ids._runs) == 20_000 * 16
    assert [len(run.high) for run in ids._runs] == [16_000, 4_000]
    assert not any(ids.add(f"row {number}") for number in range(20_500))
