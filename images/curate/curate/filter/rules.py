"""The table of all rules, in the order in which the first to say no counts."""

from collections.abc import Callable
from typing import NamedTuple

from contract.config.filter import FilterConfig
from curate.filter import gopher, origin, shape, web
from curate.filter.keywords import excludes, includes
from curate.filter.row import Check, Finding, Measure, Row, at_least, at_most

Build = Callable[[FilterConfig], Check | None]


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


def active_rules(config: FilterConfig) -> list[ActiveRule]:
    """The rules that a config switches on, in the table's order."""
    built = ((rule, rule.build(config)) for rule in RULES)
    return [ActiveRule(rule.name, rule.description, check) for rule, check in built if check]


def findings(row: Row, rules: list[ActiveRule]) -> list[tuple[str, Finding]]:
    """Every rule that says no, by name, in order."""
    return [(rule.name, finding) for rule in rules if (finding := rule.check(row))]


def _switch(on: Callable[[FilterConfig], bool], check: Check | None) -> Build:
    return lambda config: check if on(config) else None


def _gopher(check: Check | None) -> Build:
    return _switch(lambda config: config.quality.gopher_quality, check)


def _repeats(measure: Measure, bound: float) -> Build:
    return _switch(lambda config: config.quality.gopher_repetition, at_most(measure, bound))


def _c4(check: Check | None) -> Build:
    return _switch(lambda config: config.quality.c4, check)


def _fineweb(check: Check | None) -> Build:
    return _switch(lambda config: config.quality.fineweb, check)


RULES: tuple[Rule, ...] = (
    Rule(
        "too_short",
        "shorter than `length.minimum`",
        lambda c: at_least(shape.length_in(c.length.unit), c.length.minimum),
    ),
    Rule(
        "too_long", "longer than `length.maximum`", lambda c: at_most(shape.length_in(c.length.unit), c.length.maximum)
    ),
    Rule("license", "licence not in `licenses`", lambda c: origin.licensed(c.licenses)),
    Rule("excluded_phrase", "holds a phrase of `keywords.exclude`", lambda c: excludes(c.keywords.exclude)),
    Rule("no_included_phrase", "holds no phrase of `keywords.include`", lambda c: includes(c.keywords.include)),
    Rule("no_match", "`format.must_match` is not found", lambda c: shape.must_match(c.format.must_match)),
    Rule(
        "forbidden_match", "`format.must_not_match` is found", lambda c: shape.must_not_match(c.format.must_not_match)
    ),
    Rule("not_json", "not one JSON value", _switch(lambda c: c.format.valid_json, shape.is_json)),
    Rule(
        "unfinished",
        "does not end like a sentence",
        _switch(lambda c: c.format.ends_like_a_sentence, shape.ends_like_a_sentence),
    ),
    Rule("broken_code", "a code block does not parse", _switch(lambda c: c.format.code_parses, shape.code_parses)),
    Rule("refusal", "the answer declines to answer", _switch(lambda c: c.samples.refusals, origin.refusal)),
    Rule(
        "mentions_source",
        "the instruction speaks of its source text",
        _switch(lambda c: c.samples.mentions_source, origin.mentions_source),
    ),
    Rule(
        "copies_instruction",
        "the answer repeats the instruction",
        lambda c: at_most(origin.copied_share, c.samples.copies_instruction),
    ),
    Rule("gopher_few_words", "Gopher: fewer than 50 words", _gopher(at_least(gopher.word_count, gopher.WORDS[0]))),
    Rule("gopher_many_words", "Gopher: more than 100,000 words", _gopher(at_most(gopher.word_count, gopher.WORDS[1]))),
    Rule(
        "gopher_short_words",
        "Gopher: mean word under 3 characters",
        _gopher(at_least(gopher.mean_word_length, gopher.WORD_LENGTH[0])),
    ),
    Rule(
        "gopher_long_words",
        "Gopher: mean word over 10 characters",
        _gopher(at_most(gopher.mean_word_length, gopher.WORD_LENGTH[1])),
    ),
    Rule(
        "gopher_symbols",
        "Gopher: over 0.1 number signs or ellipses per word",
        _gopher(at_most(gopher.symbols_per_word, gopher.SYMBOLS)),
    ),
    Rule(
        "gopher_bullets",
        "Gopher: over 90 % of lines begin with a bullet",
        _gopher(at_most(gopher.bullet_lines, gopher.BULLET_LINES)),
    ),
    Rule(
        "gopher_ellipses",
        "Gopher: over 30 % of lines end in an ellipsis",
        _gopher(at_most(gopher.ellipsis_lines, gopher.ELLIPSIS_LINES)),
    ),
    Rule(
        "gopher_letters",
        "Gopher: under 80 % of words hold a letter",
        _gopher(at_least(gopher.words_with_letter, gopher.WITH_LETTER)),
    ),
    Rule(
        "gopher_stop_words", "Gopher: fewer than 2 of 8 stop words", _gopher(at_least(gopher.stop_words, gopher.STOP))
    ),
    Rule("gopher_lines", "Gopher: over 30 % duplicate lines", _repeats(gopher.duplicate_lines, gopher.DUPLICATE_LINES)),
    Rule(
        "gopher_paragraphs",
        "Gopher: over 30 % duplicate paragraphs",
        _repeats(gopher.duplicate_paragraphs, gopher.DUPLICATE_PARAGRAPHS),
    ),
    Rule(
        "gopher_line_characters",
        "Gopher: over 20 % of characters in duplicate lines",
        _repeats(gopher.duplicate_line_characters, gopher.DUPLICATE_LINE_CHARACTERS),
    ),
    Rule(
        "gopher_paragraph_characters",
        "Gopher: over 20 % of characters in duplicate paragraphs",
        _repeats(gopher.duplicate_paragraph_characters, gopher.DUPLICATE_PARAGRAPH_CHARACTERS),
    ),
    *(
        Rule(
            f"gopher_top_{n}gram",
            f"Gopher: over {bound:.0%} of characters in the top {n}-gram",
            _repeats(gopher.top_ngram(n), bound),
        )
        for n, bound in gopher.TOP_NGRAMS.items()
    ),
    *(
        Rule(
            f"gopher_duplicate_{n}gram",
            f"Gopher: over {bound:.0%} of characters in duplicate {n}-grams",
            _repeats(gopher.duplicate_ngrams(n), bound),
        )
        for n, bound in gopher.DUPLICATE_NGRAMS.items()
    ),
    Rule("c4_lorem_ipsum", "C4: filler text", _c4(web.lorem_ipsum)),
    Rule("c4_curly_bracket", "C4: a curly bracket", _c4(web.curly_bracket)),
    Rule("c4_few_sentences", "C4: fewer than 5 sentences", _c4(at_least(web.sentence_count, web.SENTENCES))),
    Rule(
        "fineweb_line_ends",
        "FineWeb: under 12 % of lines end in punctuation",
        _fineweb(at_least(web.ended_lines, web.ENDED_LINES)),
    ),
    Rule(
        "fineweb_short_lines",
        "FineWeb: over 67 % of lines have 30 characters or fewer",
        _fineweb(at_most(web.short_lines, web.SHORT_LINES)),
    ),
    Rule(
        "fineweb_repeats",
        "FineWeb: over 1 % of characters in duplicate lines",
        _fineweb(at_most(web.repeated_line_characters, web.REPEATED)),
    ),
    Rule(
        "fineweb_list", "FineWeb: over 0.3 line ends per word", _fineweb(at_most(web.line_ends_per_word, web.LINE_ENDS))
    ),
)
