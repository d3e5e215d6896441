"""substring: against plain loops over tuples of words, and on texts with planted passages."""

import random
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.config.substring import Substring
from curate.deduplicate.cutting import cut, merged, word_spans
from curate.deduplicate.substring import FOLLOWS, Choice, may_share, shared_passages
from curate.shingles import words

KEPT = -1


def choose(texts, folder, config, place=None, follows=None, settled=None, step=3, workers=1) -> Choice:
    """Run both passes over batches of `step` texts; every text is in question."""
    count = len(texts)

    def batches():
        for start in range(0, count, step):
            part = texts[start : start + step]
            yield np.arange(start, start + len(part)), part

    folder.mkdir(exist_ok=True)
    shared = may_share(batches, 1000, config.length, folder, workers)
    default = np.arange(count), np.full(count, -1), np.zeros(count)
    chosen = [
        given if given is not None else other for given, other in zip((place, follows, settled), default, strict=True)
    ]
    return shared, shared_passages(
        shared, *(np.array(item, np.int64) for item in chosen[:2]), np.array(chosen[2], np.uint8), config
    )


def by_hand(texts, config, place, settled):
    """The rule in plain loops: which rows go, and how many words of each row stand in kept ones."""
    length, held, gone, covered = config.length, set(), set(), {}
    for row in sorted(range(len(texts)), key=lambda row: place[row]):
        found = re.findall(r"\w+", texts[row].lower())
        windows = [tuple(found[i : i + length]) for i in range(len(found) - length + 1)]
        inside = {i + k for i, window in enumerate(windows) if window in held for k in range(length)}
        covered[row] = len(inside)
        limit = {
            "report": len(found),
            "cut": len(found) - config.minimum,
            "drop": int(len(found) * config.share + 1e-9),
        }
        if covered[row] and covered[row] > limit[config.action] and not settled[row]:
            gone.add(row)
        else:
            held |= set(windows)
    return gone, covered


TEXTS = st.lists(st.lists(st.sampled_from("ab"), max_size=24).map(" ".join), max_size=14)
CONFIGS = st.builds(
    Substring, length=st.integers(5, 9), action=st.sampled_from(["report", "cut", "drop"]),
    share=st.sampled_from([0, 0.3, 0.5, 0.9]), minimum=st.sampled_from([0, 4, 10]),
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("passages")


@settings(max_examples=150)
@given(TEXTS, CONFIGS, st.randoms(use_true_random=False))
def test_rows_are_decided_as_plain_loops_decide(folder, texts, config, rng):
    place = list(range(len(texts)))
    rng.shuffle(place)
    settled = [int(rng.random() < 0.1) for _ in texts]
    shared, choice = choose(texts, folder, config, place, settled=settled)
    gone, covered = by_hand(texts, config, place, settled)
    assert {int(row) for row, partner in zip(shared.rows, choice.partner, strict=True) if partner != KEPT} == gone
    found = dict(zip(shared.rows.tolist(), choice.share.tolist(), strict=True))
    for row, text in enumerate(texts):
        assert found.get(row, 0) == pytest.approx(covered[row] / max(len(text.split()), 1))
    kept = set(range(len(texts))) - gone
    assert {int(partner) for partner in choice.partner if partner >= 0} <= kept
    for row, start, end, holder, there in zip(*(column.tolist() for column in choice.passages), strict=True):
        assert end - start >= config.length
        assert texts[row].split()[start:end] == texts[holder].split()[there : there + end - start]
        assert holder in kept
        assert place[holder] < place[row]


def prose(rng, count):
    return [f"w{rng.randrange(5000)}" for _ in range(count)]


@pytest.fixture(scope="module")
def planted():
    """Texts of 200 words; every fifth repeats 60 words of the one before it, every seventh only 40."""
    rng = random.Random(1)
    texts = [prose(rng, 200) for _ in range(400)]
    for row in range(5, 400, 5):
        texts[row][50:110] = texts[row - 1][20:80]
    for row in range(7, 400, 7):
        if row % 5 in (1, 2, 3):
            texts[row][50:90] = texts[row - 1][20:60]
    return [" ".join(text) for text in texts]


def test_planted_passages_are_found_whole_and_shorter_ones_are_not(planted, folder):
    _, choice = choose(planted, folder, Substring(length=50), step=37)
    found = {
        row: (start, end, holder)
        for row, start, end, holder, _ in zip(*map(np.ndarray.tolist, choice.passages), strict=True)
    }
    assert set(found) == set(range(5, 400, 5))
    for row, (start, end, holder) in found.items():
        assert holder == row - 1
        assert start <= 50
        assert end >= 110
    assert (choice.partner == KEPT).all()


def test_threads_and_batches_change_nothing(planted, folder, tmp_path):
    _, one = choose(planted, folder, Substring(length=30), step=400)
    _, other = choose(planted, tmp_path, Substring(length=30), step=7, workers=2)
    assert np.array_equal(np.array(one.passages), np.array(other.passages))


def test_a_row_that_was_dropped_stays_so_while_its_leader_does(folder):
    rng = random.Random(2)
    first, second, third = prose(rng, 30), prose(rng, 30), prose(rng, 30)
    texts = [" ".join(part) for part in (first + second, first + third[:8], first + third[:7], third)]
    config = Substring(length=20, action="drop", share=0.5)
    _, kept_leader = choose(texts[1:], folder, config, follows=[-1, 0, -1])
    assert kept_leader.partner.tolist() == [KEPT, FOLLOWS]
    shared, gone_leader = choose(texts, folder, config, follows=[-1, -1, 1, -1])
    assert shared.rows.tolist() == [0, 1, 2]
    assert gone_leader.partner.tolist() == [KEPT, 0, 0]


@given(st.text(alphabet="aB ÉİıΣς'_\n.(東京١-", max_size=40))
def test_words_are_where_the_scan_sees_them(text):
    spans = word_spans(text)
    assert len(spans) == words([text]).lengths[0]
    assert all(text[start:end].lower().strip("\u0307") for start, end in spans)
    assert [span for pair in spans for span in pair] == sorted(span for pair in spans for span in pair)


@pytest.mark.parametrize(
    ("text", "passages", "left"),
    [
        ("One two three. Four five.", [(0, 3)], "Four five."),
        ("One two. Three four. (Five) six.", [(2, 4)], "One two. (Five) six."),
        ("One two three.\nFour five.", [(2, 3)], "One two \nFour five."),
        ("One two\n\nThree four\n\nFive", [(2, 4)], "One two\n\nFive"),
        ("One two three four", [(0, 2), (1, 4)], ""),
        ("One two three four.", [(2, 4)], "One two"),
        ("İstanbul two three", [(0, 1)], "stanbul two three"),
    ],
)
def test_cutting(text, passages, left):
    assert cut(text, passages) == left


def test_passages_that_touch_are_one():
    assert merged([(5, 8), (0, 3), (3, 4), (6, 9)]) == [(0, 4), (5, 9)]


def test_a_long_run_of_marks_after_a_passage_takes_no_time_to_speak_of():
    """With a repeat that tries each place anew it took minutes for 100,000 marks, and hours for a million."""
    assert cut(f"gone gone {'-' * 500_000}kept", [(0, 2)]) == "-" * 500_000 + "kept"
    assert cut(f"gone gone{'-' * 500_000}kept", [(0, 2)]) == "-" * 500_000 + "kept"
