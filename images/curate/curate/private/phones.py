"""Phone numbers: candidates by shape, verdicts by Google's numbering plans (phonenumbers) or by words nearby."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import accumulate

from curate.private.context import said_after, said_before, words
from curate.private.spans import Span

BETWEEN = r"(?:[-./\u2010-\u2013]|[ \u00a0]?\(|\)[ \u00a0.-]?|[ \u00a0])?"
CANDIDATE = re.compile(rf"\d(?<!\d\d)(?:{BETWEEN}\d){{6,17}}(?: ?(?:x|ext\.? ?)\d{{1,6}})?(?![\w@%°$€£=]|[.,:/]\d|-\d)")
LEAD = re.compile(r"(?:\+\(?|\(\+?)\Z")
NOT_BEFORE = re.compile(r"[\w./=#@$€£+-]\Z|\d,\Z")
DIGITS = re.compile(r"\d+")
EXTENSION = re.compile(r" ?(?:x|ext).*$")
SOMETHING_ELSE = re.compile(
    r"(?:19|20)\d{2}[-/. ]\d{1,2}[-/. ]\d{1,2}(?!\d).*|\d{1,2}[-/. ]\d{1,2}[-/. ](?:19|20)\d{2}(?!\d).*"  # dates
    r"|(?:1\d|20)\d{2}[-– /](?:1\d|20)\d{2}"  # years
    r"|\d{1,3}(?:\.\d{3})+|\d+\.\d+(?: \d+\.\d+)*"  # decimals
    r"|(?:\d{1,3}\.){3}\d{1,3}(?:/\d+)?"  # IPv4
    r"|[1-9]\d*/\d+"  # fractions
)

STRONG = words(
    "tel(?:e(?:phone|fon))?", "phones?", "mobile", "cell(?:ular|phone)?", "fax", "whats ?app", "hotline", "helpline",
    "landline", "desk", "dial", "(?:call|text|ring|phone|reach) (?:me|us|him|her|them)", "call (?:at|on)", "sms",
    "contact(?: number)?", "(?:my|our|your|his|her|their) numbers?", "handy", "t[ée]l", "m[óo]vil", "tel[ée]fono",
    "telefone?",
)  # fmt: skip
WEAK = words(
    r"(?:call|ring)(?:ed|ing)?:? ?\Z", "answer(?:s|ed|ing)? (?:at|on)", "messages? (?:to|on|at)",
    "text(?:s|ed|ing)? (?:to|at)", "reach(?:ed|able)?", "voice ?mail", "extension",
)  # fmt: skip
LABEL_AFTER = words("office", "fax", "mobile", "cell", "home", "work", "desk", "tel", "phone")
STRONG_REACH, BARE_REACH, WEAK_REACH, LABEL_REACH = 32, 24, 16, 10
FEWEST, MOST = 7, 15
"""Digits: local numbers without area code have seven; E.164 allows fifteen."""


def phone_numbers(text: str, regions: Sequence[str]) -> Iterator[Span]:
    """Phone numbers by one of three proofs.

    With a plus and a country code, and of a length that the country has, or valid after `00`; valid, and grouped as its
    plan groups it, in one of the `regions` (ISO country codes); or in the shape of a number with a word for phoning
    before it or a label such as `fax` after it, valid or not.
    """
    for found in CANDIDATE.finditer(text):
        start = _start(text, found)
        if start is None:
            continue
        value = EXTENSION.sub("", text[start : found.end()])
        groups = DIGITS.findall(value)
        if not FEWEST <= sum(map(len, groups)) <= MOST or SOMETHING_ELSE.fullmatch(value):
            continue
        grouped = len(groups) > 1
        if _shaped(groups) and (
            _international(value)
            or (grouped and _of_regions(value, regions))
            or _said(text, start, found.end(), grouped)
        ):
            yield Span(start, found.end(), "phone", "PHONE")


def _start(text: str, found: re.Match[str]) -> int | None:
    """Where the number begins, a plus and a bracket that closes before it included; None inside something else."""
    start = found.start()
    lead = LEAD.search(text, max(0, start - 3), start)
    if lead and ("(" not in lead[0] or ")" in found[0][:6]):
        start = lead.start()
    return None if NOT_BEFORE.search(text, max(0, start - 2), start) else start


def _international(value: str) -> bool:
    """A plus and a country code leave little else that it could be; two zeros also begin rows of a hex dump."""
    if value.startswith("00"):
        return bool(_plans("+" + value[2:].lstrip(" -"), None))
    return value.startswith("+") and _possible(value)


def _of_regions(value: str, regions: Sequence[str]) -> bool:
    """With the digits that a plan writes, cut where it cuts them, and in one more place at most."""
    cuts, digits = _cuts(value), DIGITS.findall(value)
    for form in (form for region in regions for form in _plans(value, region)):
        same = "".join(DIGITS.findall(form)) == "".join(digits)
        if same and _cuts(form) <= cuts and len(cuts) <= len(_cuts(form)) + 1:
            return True
    return False


def _possible(value: str) -> bool:
    """Whether the country of its code has numbers of this length."""
    import phonenumbers as plans

    try:
        return bool(plans.is_possible_number(plans.parse(value, None)))
    except plans.NumberParseException:
        return False


@lru_cache(maxsize=4096)
def _plans(value: str, region: str | None) -> tuple[str, ...]:
    """How the numbering plan writes a number, at home and from abroad; nothing if it is not valid."""
    import phonenumbers as plans

    try:
        number = plans.parse(value, region)
    except plans.NumberParseException:
        return ()
    if not plans.is_valid_number(number):
        return ()
    forms = (plans.PhoneNumberFormat.NATIONAL, plans.PhoneNumberFormat.INTERNATIONAL)
    return tuple(plans.format_number(number, form) for form in forms)


def _cuts(value: str) -> frozenset[int]:
    """After how many digits from the end something else stands between two digits."""
    lengths = [len(group) for group in DIGITS.findall(value)]
    return frozenset(accumulate(reversed(lengths[1:])))


def _shaped(groups: Sequence[str]) -> bool:
    """Few groups, none too long, and a single digit only as country code or as the zero in brackets."""
    longest = 11 if len(groups) > 1 else MOST
    return len(groups) <= 6 and max(map(len, groups)) <= longest and sum(len(group) == 1 for group in groups) <= 2


def _said(text: str, start: int, end: int, grouped: bool) -> bool:
    if not grouped:
        return said_before(text, start, STRONG, BARE_REACH)
    return (
        said_before(text, start, STRONG, STRONG_REACH)
        or said_before(text, start, WEAK, WEAK_REACH)
        or said_after(text, end, LABEL_AFTER, LABEL_REACH)
    )
