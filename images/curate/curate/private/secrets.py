"""All kinds of secrets in one search."""

import re
from collections.abc import Iterator

from contract.config.private import Action, SecretRule, Secrets
from curate.private.allow import Allowed
from curate.private.entropy import entropy
from curate.private.rules import RULES, Rule
from curate.private.spans import PLACEHOLDER, Span, apart

STAND_INS = re.compile(
    r"(?i)your|example|sample|dummy|placeholder|changeme|change_me|insert|replace|redacted|todo|xxxx|\*\*\*|\.\.\.|1234567"
    r"|abcdef|<|\$\{|\{\{|\$\(|%\(|^\$\w|^%\w+%$|getenv|environ|process\.env|secrets\.|vault\.|config\.|settings\.|self\."
)
"""Values that stand for a secret without being one."""
WORDS = re.compile(r"[A-Za-z]+\d{0,4}(?:[-_./:@ ]+[A-Za-z]*\d{0,4})*\W?")
"""Words, each with a few digits at most: a name, a path or a version, not a random value."""
HOLDS_DIGIT, HOLDS_LETTER = re.compile(r"\d"), re.compile(r"[A-Za-z]")
HOLDS_MARK = re.compile(r"[\d\W]")


class SecretsFinder:
    """Finds what a config asks for. `screen` is an expression (RE2) found in every text that holds any of it."""

    drop_above: int | None = None

    def __init__(self, config: Secrets) -> None:
        actions = {rule.name: action_of(config, rule.name) for rule in RULES}
        self.rules = [rule for rule in RULES if actions[rule.name] != "ignore"]
        self.dropping = frozenset(name for name, action in actions.items() if action == "drop")
        self.screen = "|".join(sorted({rule.gate for rule in self.rules})) or r"[^\s\S]"
        self._min_entropy = config.min_entropy
        self._allowed = Allowed(config.allow, config.allow_patterns)

    def find(self, text: str) -> list[Span]:
        """All spans of secrets in a text, in order, none overlapping another."""
        found = apart(span for rule in self.rules if rule.may_hold(text) for span in self._spans(rule, text))
        return [span for span in found if not self._allowed(text, span)]

    def _spans(self, rule: Rule, text: str) -> Iterator[Span]:
        for found in rule.form.finditer(text):
            start, end = found.span(_group_of(found))
            value = text[start:end]
            if not rule.assigned or self._looks_random(value) or (rule.name == "assigned_password" and _chosen(value)):
                yield Span(start, end, rule.name, rule.label)

    def _looks_random(self, value: str) -> bool:
        mixed = HOLDS_DIGIT.search(value) and HOLDS_LETTER.search(value) and entropy(value) >= self._min_entropy
        return bool(mixed) and not STAND_INS.search(value) and not WORDS.fullmatch(value)


def action_of(config: Secrets, name: SecretRule) -> Action:
    """What happens to what a rule finds."""
    return config.rules.get(name, config.action)


def _chosen(value: str) -> bool:
    """Whether a value in quotes after `password =` may be a password that a person chose."""
    return HOLDS_MARK.search(value) is not None and not STAND_INS.search(value) and not PLACEHOLDER.fullmatch(value)


def _group_of(found: re.Match[str]) -> str | int:
    """The group that holds the value; 0 where it is all that matched."""
    return next((name for name, value in found.groupdict().items() if value is not None), 0)
