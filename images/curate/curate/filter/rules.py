"""The table of all rules, in the order in which the first to say no counts.

A new rule is a function (a measure of rows, or what finds something to object to in a text) and one entry here.
"""

from typing import NamedTuple

from contract.config.filter import FilterConfig
from curate.filter import origin, shape
from curate.filter.files import Files
from curate.filter.licences import licensed
from curate.filter.measured import FAMILY_OF
from curate.filter.published import PUBLISHED
from curate.filter.rows import Check, Measure, at_least, at_most
from curate.filter.rule import Rule, switched

LEARNED_LABEL = "high"
"""What learn_quality calls a good text."""


class ActiveRule(NamedTuple):
    """A rule that the config switches on."""

    name: str
    description: str
    check: Check


def active_rules(config: FilterConfig, files: Files) -> list[ActiveRule]:
    """The rules that a config switches on, in the table's order."""
    built = ((rule, rule.build(config, files)) for rule in RULES)
    return [ActiveRule(rule.name, rule.description, check) for rule, check in built if check]


def families(config: FilterConfig) -> set[str]:
    """The families of published measures that the config's rules need."""
    return {family for switch, family in FAMILY_OF.items() if getattr(config.quality, switch)}


def _length(config: FilterConfig, files: Files) -> Measure:
    if config.length.unit == "tokens":
        return shape.tokens(files.path(config.length.tokenizer))
    measure: Measure = shape.characters if config.length.unit == "characters" else shape.words
    return measure


def _excluded(config: FilterConfig, files: Files) -> Check | None:
    from curate.filter.keywords import excludes  # compiled loops: only rules that need them pay for loading

    return excludes([*config.keywords.exclude, *files.lines(config.keywords.exclude_file)])


def _included(config: FilterConfig, files: Files) -> Check | None:
    from curate.filter.keywords import includes

    return includes([*config.keywords.include, *files.lines(config.keywords.include_file)])


def _language(config: FilterConfig, files: Files) -> Check | None:
    from curate.filter.models import in_language

    return in_language(config.language.allowed) if config.language.allowed else None


def _confidence(config: FilterConfig, files: Files) -> Check | None:
    from curate.filter.models import confidence

    return at_least(confidence, config.language.minimum) if config.language.allowed else None


def _classified(config: FilterConfig, files: Files) -> Check | None:
    from curate.filter.models import classified

    wanted, model = config.quality.classifier, files.classifier(config)
    return classified(model, wanted.label or LEARNED_LABEL, wanted.minimum) if model else None


RULES: tuple[Rule, ...] = (
    Rule(
        "too_short",
        "shorter than `length.minimum`",
        lambda c, f: at_least(_length(c, f), c.length.minimum) if c.length.minimum is not None else None,
    ),
    Rule(
        "too_long",
        "longer than `length.maximum`",
        lambda c, f: at_most(_length(c, f), c.length.maximum) if c.length.maximum is not None else None,
    ),
    Rule(
        "license",
        "licence not in `licenses`",
        lambda c, f: licensed(c.licenses),
    ),
    Rule(
        "language",
        "language not in `language.allowed`",
        _language,
    ),
    Rule(
        "language_unsure",
        "language found with less confidence than `language.minimum`",
        _confidence,
    ),
    Rule(
        "excluded_phrase",
        "holds a phrase to exclude",
        _excluded,
    ),
    Rule(
        "no_included_phrase",
        "holds none of the phrases to include",
        _included,
    ),
    Rule(
        "no_match",
        "`format.must_match` is not found",
        lambda c, f: shape.must_match(c.format.must_match),
    ),
    Rule(
        "forbidden_match",
        "`format.must_not_match` is found",
        lambda c, f: shape.must_not_match(c.format.must_not_match),
    ),
    Rule(
        "not_json",
        "not one JSON value",
        switched(lambda c: c.format.valid_json, shape.is_json),
    ),
    Rule(
        "unfinished",
        "does not end like a sentence",
        switched(lambda c: c.format.ends_like_a_sentence, shape.ends_like_a_sentence),
    ),
    Rule(
        "broken_code",
        "a code block does not parse",
        switched(lambda c: c.format.code_parses, shape.code_parses),
    ),
    Rule(
        "refusal",
        "the answer declines to answer",
        switched(lambda c: c.samples.refusals, origin.refusal),
    ),
    Rule(
        "mentions_source",
        "the instruction speaks of its source text",
        switched(lambda c: c.samples.mentions_source, origin.mentions_source),
    ),
    Rule(
        "copies_instruction",
        "the answer repeats the instruction",
        lambda c, f: at_most(origin.copied_share, c.samples.copies_instruction),
    ),
    Rule(
        "low_score",
        "a score below its bound in `samples.scores`",
        lambda c, f: origin.scores_reach(c.samples.scores),
    ),
    *PUBLISHED,
    Rule(
        "classifier",
        "the trained classifier gives `quality.classifier.label` too little",
        _classified,
    ),
)
