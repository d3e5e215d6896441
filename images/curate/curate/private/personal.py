"""All kinds of personal data in one search."""

from functools import partial

from contract.config.private import Personal
from curate.private.accounts import cards, ibans
from curate.private.allow import Allowed
from curate.private.births import birth_dates
from curate.private.finder import Finder, Kind
from curate.private.identities import national_ids, social_security
from curate.private.network import emails, ip_addresses, mac_addresses, url_credentials
from curate.private.phones import phone_numbers

SEVEN_DIGITS = r"\d(?:[^\w\n]{0,3}\d){6}"
NINE_DIGITS = r"\d(?:[^\w\n]{0,3}\d){8}"


def personal_finder(config: Personal) -> Finder:
    """What finds the personal data that a config asks for."""
    actions = {kind: getattr(config, kind.name) for kind in kinds_of(config)}
    return Finder(
        [kind for kind, action in actions.items() if action != "ignore"],
        Allowed(config.allow, config.allow_patterns, config.allow_domains),
        frozenset(kind.name for kind, action in actions.items() if action == "drop"),
        config.drop_above,
    )


def kinds_of(config: Personal) -> tuple[Kind, ...]:
    """Every kind, the surer ones first: where two claim the same characters, the first has them."""
    ip = partial(ip_addresses, private=config.private_ips)
    identities = partial(national_ids, names=config.national_ids)
    phones = partial(phone_numbers, regions=config.regions)
    hexes = r"[\dA-Fa-f]{2}(?:[:-][\dA-Fa-f]{2}){5}|[\dA-Fa-f]{4}\.[\dA-Fa-f]{4}\.[\dA-Fa-f]{4}"
    births = r"(?i:birth|born on|d\.?o\.?b|geb[ou]r|naissance| le |nacid|nacim|nascita| il )[^\n]{0,24}\d"
    return (
        Kind("url_credentials", r"://[^\s/@]{0,400}@", url_credentials),
        Kind("email", r"[^\s]@[^\s]|[\[({]\s?[Aa][Tt]\s?[\])}]", emails),
        Kind("iban", r"[A-Za-z]{2}\d{2}[ -]?[A-Za-z0-9]{4}", ibans),
        Kind("card", NINE_DIGITS, cards),
        Kind("mac", hexes, mac_addresses),
        Kind("ip", r"\d\.\d{1,3}\.\d{1,3}\.\d|[\dA-Fa-f]::|::[\dA-Fa-f]|(?:[\dA-Fa-f]{1,4}:){7}", ip),
        Kind("ssn", NINE_DIGITS, social_security),
        Kind("national_id", r"\d(?:[ .-]?\d){5}[- .A-Z+\d]{2}|[A-Za-z]{6}\d{2}[A-Za-z]\d{2}", identities),
        Kind("birth_date", births, birth_dates),
        Kind("phone", SEVEN_DIGITS, phones),
    )
