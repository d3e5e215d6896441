"""The published rules of text quality, in the order of the table of all rules: Gopher's, C4's, FineWeb's."""

from collections.abc import Callable

from curate.filter import gopher, web
from curate.filter.measured import FAMILY_OF, measured
from curate.filter.rows import Check, Measure, Number, at_least, at_most
from curate.filter.rule import Build, Rule, switched


def _below(switch: str, name: str, bound: Number) -> Build:
    """Fails where a measure does not reach the bound."""
    return _published(switch, at_least, name, bound)


def _above(switch: str, name: str, bound: Number) -> Build:
    """Fails where a measure exceeds the bound."""
    return _published(switch, at_most, name, bound)


def _published(switch: str, held: Callable[[Measure, Number | None], Check | None], name: str, bound: Number) -> Build:
    check = held(measured(FAMILY_OF[switch], name), bound)
    return switched(lambda config: bool(getattr(config.quality, switch)), check)


PUBLISHED: tuple[Rule, ...] = (
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
)
