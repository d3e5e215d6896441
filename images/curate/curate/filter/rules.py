"""The table of all rules, in the order in which the first to say no counts.

A new rule is a function (a measure of rows, or what finds something to object to in a text) and one entry here.
"""

from collections.abc import Callable
from typing import NamedTuple

from contract.config.filter import FilterConfig
from curate.filter import gopher, origin, shape, web
from curate.filter.files import Files
from curate.filter.licences import licensed
from curate.filter.measured import FAMILY_OF, measured
from curate.filter.rows import Check, Measure, Number, at_least, at_most

Build = Callable[[FilterConfig, Files], Check | None]


class Rule(NamedTuple):
    """One rule. `build` makes its check from the config, or None where the config leaves it off."""

    name: str
    description: str
    build: Build


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


def _switch(on: Callable[[FilterConfig], bool], check: Check | None) -> Build:
    return lambda config, files: check if on(config) else None


def _below(switch: str, name: str, bound: Number) -> Build:
    """Fails where a measure does not reach the bound."""
    return _published(switch, at_least, name, bound)


def _above(switch: str, name: str, bound: Number) -> Build:
    """Fails where a measure exceeds the bound."""
    return _published(switch, at_most, name, bound)


def _published(switch: str, held: Callable[[Measure, Number | None], Check | None], name: str, bound: Number) -> Build:
    check = held(measured(FAMILY_OF[switch], name), bound)
    return _switch(lambda config: bool(getattr(config.quality, switch)), check)


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

    wanted = config.quality.classifier
    return classified(files.path(wanted.model), wanted.label, wanted.minimum) if wanted.model else None


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
        _switch(lambda c: c.format.valid_json, shape.is_json),
    ),
    Rule(
        "unfinished",
        "does not end like a sentence",
        _switch(lambda c: c.format.ends_like_a_sentence, shape.ends_like_a_sentence),
    ),
    Rule(
        "broken_code",
        "a code block does not parse",
        _switch(lambda c: c.format.code_parses, shape.code_parses),
    ),
    Rule(
        "refusal",
        "the answer declines to answer",
        _switch(lambda c: c.samples.refusals, origin.refusal),
    ),
    Rule(
        "mentions_source",
        "the instruction speaks of its source text",
        _switch(lambda c: c.samples.mentions_source, origin.mentions_source),
    ),
    Rule(
        "copies_instruction",
        "the answer repeats the instruction",
        lambda c, f: at_most(origin.copied_share, c.samples.copies_instruction),
    ),
    Rule(
        "gopher_few_words",
        "Gopher: fewer than 50 words",
        _below("gopher_quality", "words", gopher.WORDS[0]),
    ),
    Rule(
        "gopher_many_words",
        "Gopher: more than 100,000 words",
        _above("gopher_quality", "words", gopher.WORDS[1]),
    ),
    Rule(
        "gopher_short_words",
        "Gopher: mean word under 3 characters",
        _below("gopher_quality", "word_length", gopher.WORD_LENGTH[0]),
    ),
    Rule(
        "gopher_long_words",
        "Gopher: mean word over 10 characters",
        _above("gopher_quality", "word_length", gopher.WORD_LENGTH[1]),
    ),
    Rule(
        "gopher_symbols",
        "Gopher: over 0.1 number signs or ellipses per word",
        _above("gopher_quality", "signs", gopher.SYMBOLS),
    ),
    Rule(
        "gopher_bullets",
        "Gopher: over 90 % of lines begin with a bullet",
        _above("gopher_quality", "bullets", gopher.BULLET_LINES),
    ),
    Rule(
        "gopher_ellipses",
        "Gopher: over 30 % of lines end in an ellipsis",
        _above("gopher_quality", "ellipses", gopher.ELLIPSIS_LINES),
    ),
    Rule(
        "gopher_letters",
        "Gopher: under 80 % of words hold a letter",
        _below("gopher_quality", "letters", gopher.WITH_LETTER),
    ),
    Rule(
        "gopher_stop_words",
        "Gopher: fewer than 2 of 8 stop words",
        _below("gopher_quality", "stop_words", gopher.STOP_WORDS),
    ),
    Rule(
        "gopher_lines",
        "Gopher: over 30 % duplicate lines",
        _above("gopher_repetition", "lines", gopher.DUPLICATE_LINES),
    ),
    Rule(
        "gopher_paragraphs",
        "Gopher: over 30 % duplicate paragraphs",
        _above("gopher_repetition", "paragraphs", gopher.DUPLICATE_PARAGRAPHS),
    ),
    Rule(
        "gopher_line_characters",
        "Gopher: over 20 % of characters in duplicate lines",
        _above("gopher_repetition", "line_characters", gopher.DUPLICATE_LINE_CHARACTERS),
    ),
    Rule(
        "gopher_paragraph_characters",
        "Gopher: over 20 % of characters in duplicate paragraphs",
        _above("gopher_repetition", "paragraph_characters", gopher.DUPLICATE_PARAGRAPH_CHARACTERS),
    ),
    *(
        Rule(
            f"gopher_top_{n}gram",
            f"Gopher: over {bound:.0%} of characters in the top {n}-gram",
            _above("gopher_repetition", f"top_{n}", bound),
        )
        for n, bound in gopher.TOP_NGRAMS.items()
    ),
    *(
        Rule(
            f"gopher_duplicate_{n}gram",
            f"Gopher: over {bound:.0%} of characters in duplicate {n}-grams",
            _above("gopher_repetition", f"repeated_{n}", bound),
        )
        for n, bound in gopher.DUPLICATE_NGRAMS.items()
    ),
    Rule(
        "c4_lorem_ipsum",
        "C4: filler text",
        _above("c4", "filler", 0),
    ),
    Rule(
        "c4_curly_bracket",
        "C4: a curly bracket in a finished line",
        _above("c4", "curly", 0),
    ),
    Rule(
        "c4_few_sentences",
        "C4: fewer than 5 sentences in finished lines",
        _below("c4", "sentences", web.SENTENCES),
    ),
    Rule(
        "fineweb_line_ends",
        "FineWeb: under 12 % of lines end in punctuation",
        _below("fineweb", "ended_lines", web.ENDED_LINES),
    ),
    Rule(
        "fineweb_short_lines",
        "FineWeb: over 67 % of lines have 30 characters or fewer",
        _above("fineweb", "short_lines", web.SHORT_LINES),
    ),
    Rule(
        "fineweb_repeats",
        "FineWeb: over 1 % of characters in duplicate lines",
        _above("fineweb", "repeated_characters", web.REPEATED),
    ),
    Rule(
        "fineweb_list",
        "FineWeb: over 0.3 line ends per word",
        _above("fineweb", "line_ends", web.LINE_ENDS),
    ),
    Rule(
        "classifier",
        "the trained classifier gives `quality.classifier.label` too little",
        _classified,
    ),
)
