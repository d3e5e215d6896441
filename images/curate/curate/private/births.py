"""Dates of birth: a date right after words that say so."""

import re
from collections.abc import Iterator

from curate.private.spans import Span

MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
DATE = (
    rf"(?:\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}|\d{{1,2}}[-/.]\d{{1,2}}[-/.](?:\d{{4}}|\d{{2}})"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {MONTH},? \d{{4}}|{MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}})"
)
SAID = (
    r"(?:(?:date|day) of birth|birth[ -]?dates?|birth[ -]?days?|d\.?o\.?b\.?|born on|geburtsdatum|geboren(?: am)?"
    r"|date de naissance|n[ée]e? le|fecha de nacimiento|nacid[oa] el|data di nascita|nat[oa] il)"
)
BIRTH = re.compile(rf"(?<![^\W_]){SAID}[\s:=(\"'|]{{1,4}}(?:is |was |on ){{0,2}}[\"']?({DATE})(?!\d)", re.IGNORECASE)


def birth_dates(text: str) -> Iterator[Span]:
    """The date alone; the words before it stay."""
    for found in BIRTH.finditer(text):
        yield Span(*found.span(1), "birth_date", "BIRTH_DATE")
