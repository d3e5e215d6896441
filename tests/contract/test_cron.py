"""Schedules that a scheduler would stumble over are refused with the recipe."""

import pytest

from contract.cron import PRESETS, checked_cron

GOOD = [*PRESETS, "0 2 * * *", "*/15 8-18/2 1,15 jan-Mar mon-fri", "0 0 29 2 *", "0 0 31 2 mon", "59 23 31 12 7"]
WRONG = [
    ("", "0 fields"),
    ("@sometimes", "1 fields"),
    ("* * * * * *", "6 fields"),
    ("60 * * * *", "'60' is no minute; expected 0 to 59"),
    ("* 24 * * *", "no hour"),
    ("* * 0 * *", "no day of the month"),
    ("* * * foo *", "'foo' is no month"),
    ("* * * * 8", "no day of the week"),
    ("5-1 * * * *", "expected a lower number first"),
    ("*/0 * * * *", "steps of 1 or more"),
    ("1, * * * *", "'' is no minute"),
    ("-1 * * * *", "'-1' is no minute"),
    ("\u0661 * * * *", "is no minute"),
    ("0 0 31 4,6 *", "no month of 4,6 has a day 31"),
    ("0 0 30 feb *", "no month of feb has a day 30"),
]


@pytest.mark.parametrize("text", GOOD)
def test_a_schedule_is_taken_as_it_is(text):
    assert checked_cron(text) == text


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_what_is_none_is_refused_in_words(text, said):
    with pytest.raises(ValueError, match=said):
        checked_cron(text)
