"""US social security numbers and the personal numbers of other countries."""

import importlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from contract.config.private import NationalId
from curate.private.context import said_after, said_before, words
from curate.private.spans import Span

SSN = re.compile(
    r"\d(?<![\w.-]\d)(?<!9)\d{2}(?<!000)(?<!666)(?P<mark>[ -]?)(?!00)\d{2}(?P=mark)(?!0000)\d{4}(?!\w|[-.]\d)"
)
SSN_WORDS = words("ssns?", "social security", "soc(?:ial)? sec", "ss#", "tax ?payer id")
NEVER_ISSUED = ("078051120", "219099999")
"""Printed in advertisements: the Social Security Administration withdrew them."""


NUMBER = re.compile(r"\d(?<!\d\d)(?=(?:[ .-]?\d){5}|\d[A-Za-z]\d\d)")
"""Where the digits of a personal number may begin."""
NEVER = re.compile(r"(?!)")


@dataclass(frozen=True)
class Identity:
    """A country's number: its written forms, the module of python-stdnum that checks it, the words beside it.

    `bare` is a form that means nothing without such a word: digits alone pass a check digit too often. `letters` is
    how many characters come before the first digit.
    """

    name: NationalId
    module: str
    form: re.Pattern[str]
    bare: re.Pattern[str] = NEVER
    context: re.Pattern[str] = NEVER
    letters: int = 0


def _form(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w./-])(?:{pattern})(?![\w]|[-./]\d)")


IDENTITIES: tuple[Identity, ...] = (
    Identity("br_cpf", "br.cpf", _form(r"\d{3}\.\d{3}\.\d{3}-\d{2}"), _form(r"\d{11}"), words("cpf")),
    Identity(
        "ca_sin", "ca.sin", NEVER, _form(r"\d{3}([ -]?)\d{3}\1\d{3}"),
        words("sin", "social insurance", "nas", "assurance sociale"),
    ),
    Identity("cn_ric", "cn.ric", _form(r"[1-9]\d{16}[\dXx]")),
    Identity(
        "de_idnr", "de.idnr", NEVER, _form(r"\d{2} ?\d{3} ?\d{3} ?\d{3}"),
        words("steuer-?id(?:entifikationsnummer|nr\\.?)?", "idnr\\.?", "steuerliche identifikationsnummer", "tax id"),
    ),
    Identity(
        "es_dni", "es.dni", _form(r"\d{8}-[A-HJ-NP-TV-Z]"), _form(r"\d{8}[A-HJ-NP-TV-Z]"),
        words("dni", "nif", "documento", "identidad"),
    ),
    Identity("es_nie", "es.nie", _form(r"[XYZ]\d{7}-?[A-HJ-NP-TV-Z]"), letters=1),
    Identity("fi_hetu", "fi.hetu", _form(r"\d{6}[-+A-FU-Y]\d{3}[\dA-FHJ-NPR-Y]")),
    Identity(
        "fr_nir", "fr.nir", _form(r"[12] \d{2} \d{2} (?:\d{2}|2[AB]) \d{3} \d{3} \d{2}"),
        _form(r"[12]\d{4}(?:\d{2}|2[AB])\d{8}"),
        words("nir", "s[ée]curit[ée] sociale", "num[ée]ro de s[ée]cu", "insee"),
    ),
    Identity("gb_nhs", "gb.nhs", NEVER, _form(r"\d{3}([ -]?)\d{3}\1\d{4}"), words("nhs")),
    Identity(
        "in_aadhaar", "in_.aadhaar", NEVER, _form(r"[2-9]\d{3}([ -]?)\d{4}\1\d{4}"),
        words("aadhaar", "aadhar", "uidai"),
    ),
    Identity(
        "it_codicefiscale", "it.codicefiscale", _form(r"(?i:[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z])"),
        letters=6,
    ),
    Identity(
        "nl_bsn", "nl.bsn", NEVER, _form(r"\d{3}\.?\d{3}\.?\d{3}|\d{4}\.\d{2}\.\d{3}"),
        words("bsn", "burgerservicenummer", "sofinummer"),
    ),
    Identity("pl_pesel", "pl.pesel", NEVER, _form(r"\d{11}"), words("pesel")),
    Identity(
        "se_personnummer", "se.personnummer", _form(r"(?:19|20)?\d{6}[-+]\d{4}"), _form(r"(?:19|20)?\d{10}"),
        words("personnummer", "personal (?:identity )?number"),
    ),
    Identity(
        "tr_tckimlik", "tr.tckimlik", NEVER, _form(r"[1-9]\d{10}"),
        words("tc", "t\\.c\\.", "t[cç]kn", "kimlik", "tc kimlik no"),
    ),
    Identity("za_idnr", "za.idnr", NEVER, _form(r"\d{6} ?\d{4} ?\d{3}"), words("id", "identity", "said")),
)  # fmt: skip
BY_NAME: dict[str, Identity] = {identity.name: identity for identity in IDENTITIES}


def social_security(text: str) -> Iterator[Span]:
    """US social security numbers with dashes; with spaces or bare only beside words that say so."""
    for found in SSN.finditer(text):
        if re.sub(r"\D", "", found[0]) in NEVER_ISSUED:
            continue
        if found["mark"] == "-" or said_before(text, found.start(), SSN_WORDS):
            yield Span(*found.span(), "ssn", "SSN")


def national_ids(text: str, names: Sequence[NationalId]) -> Iterator[Span]:
    """Personal numbers of the named kinds that pass the check of python-stdnum."""
    identities = [BY_NAME[name] for name in names]
    for found in NUMBER.finditer(text):
        for identity in identities:
            span = _at(text, found.start() - identity.letters, identity)
            if span and _is_valid(identity.module, text[span[0] : span[1]]):
                yield Span(*span, "national_id", "NATIONAL_ID")
                break


def _at(text: str, start: int, identity: Identity) -> tuple[int, int] | None:
    """Where a number in one of the identity's forms ends, if one begins at `start`."""
    if start < 0:
        return None
    if found := identity.form.match(text, start):
        return found.span()
    found = identity.bare.match(text, start)
    if found and (said_before(text, start, identity.context) or said_after(text, found.end(), identity.context)):
        return found.span()
    return None


def _is_valid(module: str, number: str) -> bool:
    return bool(importlib.import_module(f"stdnum.{module}").is_valid(number))
