"""All kinds of secrets in one search."""

import re
from collections.abc import Callable, Iterator

from contract.config.private import Action, SecretRule, Secrets
from curate.private.allow import Allowed
from curate.private.entropy import entropy
from curate.private.finder import Finder, Kind
from curate.private.rules import RULES, Rule
from curate.private.spans import PLACEHOLDER, Span

STAND_INS = re.compile(
    r"(?i)your|example|sample|dummy|placeholder|changeme|change_me|insert|replace|redacted|todo|xxxx|\*\*\*|\.\.\.|1234567"
    r"|abcdef|<|\$\{|\{\{|\$\(|%\(|^\$\w|^%\w+%$|getenv|environ|process\.env|secrets\.|vault\.|config\.|settings\.|self\."
)
"""Values that stand for a secret without being one."""
WORDS = re.compile(r"[A-Za-z]+\d{0,4}(?:[-_./:@ ]+[A-Za-z]*\d{0,4})*\W?")
"""Words, each with a few digits at most: a name, a path or a version, not a random value."""
HOLDS_DIGIT, HOLDS_LETTER = re.compile(r"\d"), re.compile(r"[A-Za-z]")
HOLDS_MARK = re.compile(r"[\d\W]")


def secrets_finder(config: Secrets) -> Finder:
    """What finds the secrets that a config asks for."""
    actions = {rule: action_of(config, rule.name) for rule in RULES}
    return Finder(
        [Kind(rule.name, rule.gate, _find(rule, config.min_entropy)) for rule in RULES if actions[rule] != "ignore"],
        Allowed(config.allow, config.allow_patterns),
        frozenset(rule.name for rule, action in actions.items() if action == "drop"),
    )


def action_of(config: Secrets, name: SecretRule) -> Action:
    """What happens to what a rule finds."""
    return config.rules.get(name, config.action)


def _find(rule: Rule, min_entropy: float) -> Callable[[str], Iterator[Span]]:
    def find(text: str) -> Iterator[Span]:
        for found in rule.form.finditer(text):
            start, end = found.span(_group_of(found))
            if not rule.assigned or _is_secret(rule, text[start:end], min_entropy):
                yield Span(start, end, rule.name, rule.label)

    return find


def _is_secret(rule: Rule, value: str, min_entropy: float) -> bool:
    """Whether a value without a form of its own is a secret, and not a stand-in, a name or words (without digits)."""
    if STAND_INS.search(value) or PLACEHOLDER.fullmatch(value):
        return False
    if rule.name == "assigned_password":  # in quotes: may be short and chosen by a person
        return HOLDS_MARK.search(value) is not None
    mixed = HOLDS_DIGIT.search(value) and HOLDS_LETTER.search(value) and not WORDS.fullmatch(value)
    return bool(mixed) and entropy(value) >= min_entropy


def _group_of(found: re.Match[str]) -> str | int:
    """The group that holds the value; 0 where it is all that matched."""
    return next((name for name, value in found.groupdict().items() if value is not None), 0)
