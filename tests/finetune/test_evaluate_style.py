"""How answers read, and what they copy: measures that can be recounted by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.evaluate.copies import SHORTEST, longest_copies
from finetune.evaluate.style import author, style, words_of

WORDS = st.lists(st.sampled_from(["the", "a", "of", "and", "sea", "road", "house", "went", "blue"]), max_size=40)


def test_measures_of_style_can_be_recounted():
    found = style(["It rained. We, of course, went out!", "Don't stop…"], author([], []))
    assert found.words == 9
    assert found.sentence_length == pytest.approx((2 + 5 + 2) / 3)
    assert found.word_length == pytest.approx(sum(map(len, words_of("it rained we of course went out don't stop"))) / 9)
    assert found.marks == pytest.approx(100 * 4 / 9)
    assert found.delta is None


@given(st.lists(WORDS, min_size=4, max_size=12), WORDS)
def test_delta_is_zero_for_the_same_words_in_any_order_and_never_below(train, said):
    texts_of = [" ".join(words * 50) for words in train]
    like = author(texts_of, texts_of)
    same = style(texts_of[::-1], like).delta
    other = style([" ".join(said * 50)], like).delta
    assert same is None or same == pytest.approx(0)
    assert other is None or other >= 0


def test_the_author_is_closer_to_the_author_than_another_is():
    ours = [f"the {a} of the {b} and the sea " * 30 + a * 2 for a, b in zip("bcdfghkl", "mnpqrstv", strict=True)]
    like = author(ours, ours[:3])
    theirs = ["a road went by a house and a dog ran to a gate " * 50]
    assert style(ours[3:6], like).delta < style(theirs, like).delta
    assert style(["the sea"], like).delta is None, "two words are close to anybody"


@given(st.lists(WORDS, min_size=1, max_size=4), st.lists(WORDS, max_size=4))
def test_the_longest_copy_is_what_comparing_every_pair_of_places_finds(answers, train):
    found = longest_copies([" ".join(words) for words in answers], [" ".join(words) for words in train])
    for words, copied in zip(answers, found, strict=True):
        lengths = [
            next((n for n in range(len(words)) if words[i : i + n + 1] != other[j : j + n + 1] or i + n >= len(words)
                  or j + n >= len(other)), len(words) - i)
            for other in train for i in range(len(words)) for j in range(len(other))
        ]  # fmt: skip
        best = max(lengths, default=0)
        assert copied.words == (best if best >= SHORTEST else 0)
        assert len(copied.text.split()) == copied.words
        assert not copied.words or any(copied.text in " ".join(other) for other in train)
