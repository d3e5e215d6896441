"""Bank accounts and payment cards: a format and a checksum, and for weak formats a word nearby."""

import re
from collections.abc import Iterator
from functools import lru_cache

from curate.private.context import said_after, said_before, words
from curate.private.spans import Span

IBAN_CHECK = re.compile(r"\d(?<=[A-Za-z]{2}\d)(?<![^\W_][A-Za-z]{2}\d)\d(?=[ -]?[A-Za-z0-9])")
IBAN_REST = re.compile(r"[ -]?[A-Za-z0-9]")
CARD = re.compile(r"\d(?<![\w.@/+-]\d)(?:[ -]?\d){11,18}(?![\w@]|[-.]\d)")
CARD_GROUPS = re.compile(r"\d{4}([ -])\d{4}\1\d{4}\1\d{1,7}|\d{4}([ -])\d{6}\2\d{4,5}")
CARD_WORDS = words(
    "cards?", "cc", "credit", "debit", "visa", "master ?card", "amex", "american express", "maestro", "pan"
)  # fmt: skip
ISSUERS = re.compile(
    r"4\d{15}|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}"  # Visa, Mastercard
    r"|3[47]\d{13}|6(?:011|4[4-9]\d|5\d\d)\d{12}"  # American Express, Discover
    r"|35(?:2[89]|[3-8]\d)\d{12}|(?:1800|2131)\d{11}|62\d{14}"  # JCB, UnionPay
)
"""First digits and lengths that the networks publish (ISO/IEC 7812)."""
USUAL_LENGTHS = (15, 16)


def ibans(text: str) -> Iterator[Span]:
    """IBANs, with or without spaces, in either case: of their country's length and structure (python-stdnum)."""
    from stdnum import iban

    for found in IBAN_CHECK.finditer(text):
        start = found.start() - 2
        end = _iban_end(text, start, text[start : found.start()].upper())
        if end and iban.is_valid(text[start:end], check_country=False):
            yield Span(start, end, "iban", "IBAN")


def cards(text: str) -> Iterator[Span]:
    """Card numbers that pass Luhn's check: of a known issuer and length, or with a word that says card nearby.

    A known issuer is enough for 15 or 16 digits, bare or in a card's groups; other lengths may be any identifier.
    """
    from stdnum import luhn

    for found in CARD.finditer(text):
        digits = re.sub(r"\D", "", found[0])
        if not luhn.is_valid(digits):
            continue
        form = len(digits) == len(found[0]) or CARD_GROUPS.fullmatch(found[0])
        usual = form and len(digits) in USUAL_LENGTHS and ISSUERS.fullmatch(digits)
        if usual or said_before(text, found.start(), CARD_WORDS) or said_after(text, found.end(), CARD_WORDS):
            yield Span(*found.span(), "card", "CARD")


def _iban_end(text: str, start: int, country: str) -> int | None:
    """Where an IBAN of the country would end, or None where there is no such place."""
    place, left = start + 4, _iban_length(country) - 4
    while left > 0:
        found = IBAN_REST.match(text, place)
        if not found:
            return None
        place, left = found.end(), left - 1
    ends = left == 0 and (place == len(text) or not text[place].isalnum())
    return place if ends else None


@lru_cache(maxsize=2048)
def _iban_length(country: str) -> int:
    """Length of a country's IBANs, 0 for a country without; from the registry that python-stdnum carries."""
    from stdnum import numdb

    _, facts = numdb.get("iban").info(country)[0]
    return 4 + sum(int(digits) for digits in re.findall(r"(\d+)!?[nac]", facts.get("bban", ""))) if facts else 0
