"""Kernels called without numba: what they return, when numba is asked after all, and what is kept between processes."""

import os
import subprocess
import sys
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.scan import ready
from curate.scan.buffers import utf8
from curate.scan.characters import characters
from curate.scan.compiled import compiled
from curate.scan.ready import Ready

TEXTS = st.lists(st.text(max_size=40) | st.text("aZ_9 .-éÉ東İ", max_size=150), min_size=1, max_size=6)


class Pair(NamedTuple):
    values: np.ndarray
    factor: int
    divisor: float = 1.0


@compiled
def scaled(pair: Pair, out: np.ndarray) -> int:
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            out[row, column] = pair.values[row] * pair.factor / pair.divisor + column
    return len(out)


@compiled
def with_an_array(count: int) -> int:
    return np.ones(count, np.int64).sum()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder for machine code."""
    monkeypatch.setattr(ready, "code_folder", lambda: tmp_path)
    return tmp_path


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_a_ready_kernel_does_what_the_kernel_does(texts):
    data, offsets = utf8(texts)
    words_of_all, ngrams_of_all = (
        Ready("curate.scan.words", "words_of_all"),
        Ready("curate.scan.ngrams", "ngrams_of_all"),
    )

    def result(words, ngrams):
        found, bounds = np.zeros(len(data) + 1, np.uint64), np.zeros(len(offsets), np.int64)
        words(data, offsets, characters(), found, bounds)
        grams, ends = np.zeros(len(data) + 1, np.uint64), np.zeros(len(offsets), np.int64)
        ngrams(found[: bounds[-1]], bounds, 3, True, grams, ends)
        return [part.tolist() for part in (found, bounds, grams, ends)]

    assert result(words_of_all, ngrams_of_all) == result(words_of_all.kernel, ngrams_of_all.kernel)


def test_numbers_named_tuples_and_two_dimensions_reach_the_kernel_and_its_value_comes_back(folder):
    out = np.zeros((3, 2))
    assert Ready(__name__, "scaled")(Pair(np.array([1.0, 2.0, 3.0]), 10, -0.5), out) == 3
    assert out.tolist() == [[-20, -19], [-40, -39], [-60, -59]]


def test_a_kernel_that_makes_arrays_runs_through_numba(folder):
    assert Ready(__name__, "with_an_array")(5) == 5
    assert not list(folder.iterdir())


def test_code_is_kept_for_other_processes_and_made_again_where_it_is_damaged(folder, monkeypatch):
    out = np.zeros((1, 1))
    Ready(__name__, "scaled")(Pair(np.array([2.0]), 3), out)
    (kept,) = folder.iterdir()
    with monkeypatch.context() as without:
        without.delattr(sys.modules[__name__], "scaled")
        assert Ready(__name__, "scaled")(Pair(np.array([4.0]), 3), out) == 1
    assert out.tolist() == [[12]]
    kept.write_bytes(b"no code")
    assert Ready(__name__, "scaled")(Pair(np.array([5.0]), 3), out) == 1
    assert out.tolist() == [[15]]
    assert kept.read_bytes()[:4] == b"\x7fELF"


def test_a_folder_that_is_gone_costs_time_only(folder):
    folder.rmdir()
    out = np.zeros((1, 1))
    Ready(__name__, "scaled")(Pair(np.array([2.0]), 3), out)
    assert out.tolist() == [[6]]


@pytest.mark.parametrize("argument", [1j, [1], "a", np.zeros((4, 4))[:, ::2], np.uint64(3)])
def test_other_kinds_of_arguments_are_refused(argument):
    with pytest.raises(TypeError, match="takes no"):
        Ready(__name__, "with_an_array")(argument)


def test_stages_with_ready_kernels_start_without_numba():
    """A second process finds the machine code that the first one kept, if not an earlier one did."""
    program = """if True:
        import sys
        import pyarrow as pa
        from contract.config.deduplicate import DeduplicateConfig
        from curate.deduplicate import stage
        from curate.deduplicate.facts import facts_of
        from curate.deduplicate.shelf import Shelf
        from curate.deduplicate.verdicts import decide
        from curate.decontaminate import stage
        from curate.decontaminate.index import Index
        from curate.filter import stage
        from curate.filter.measures import FAMILIES, measure
        from curate.shingles import words
        texts = ["one and two and three", "One  and two and three", "one and two and three so", "four"]
        config, shelf = DeduplicateConfig(ngram=1, threshold=0.8), Shelf()
        facts = facts_of(pa.record_batch({"id": list("abcd"), "text": texts}), config, None, shelf.holder(0))
        assert (decide(facts, config, shelf.sets).partner == -1).sum() == 2
        found = Index(words(texts), 3).overlaps(words(["so two and three it is"]))
        assert found.item.tolist() == [0, 1, 2]
        measure(pa.array(texts), FAMILIES)
        print("numba" in sys.modules)
    """
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    told = [
        subprocess.run([sys.executable, "-c", program], env=environment, check=True, capture_output=True, text=True)
        for _ in range(2)
    ]
    assert told[1].stdout.split() == ["False"]
