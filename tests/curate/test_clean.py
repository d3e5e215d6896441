"""clean: what each mapper changes and leaves alone, and what it counts."""

from collections import Counter
from itertools import takewhile

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contract.config.clean import CleanConfig
from contract.records import Document
from curate.clean.mappers import mappers, plain, strip_html, unicode, whitespace
from curate.clean.page import marked
from curate.clean.tally import changed_characters, first_difference
from curate_texts import document, read, write_dataset

MAPPERS = mappers(CleanConfig())
ODD = "aé ’“ﬁÃ¶　ｈﾊe\u0301\u200b\ufeff\x0c\x1f\x85\u2028\ufffa\x9cŉ\r\n\t `<&;*_[](|)#-$\\"


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("unicode", "âœ” schÃ¶n", "✔ schön"),
        ("unicode", "It’s “so”\x07", 'It\'s "so"'),
        ("unicode", "AT&amp;T", "AT&amp;T"),
        ("unicode", "one\r\ntwo", "one\ntwo"),
        ("html", "<p>Fish &amp; <b>chips</b></p><!-- no -->", "\nFish & chips\n"),
        ("html", "a < b && c > d, Map<String, List<T>>", "a < b && c > d, Map<String, List<T>>"),
        (
            "html",
            "Use `<b>` and\n```html\n<p>&amp;</p>\n```\n<i>now</i>",
            "Use `<b>` and\n```html\n<p>&amp;</p>\n```\nnow",
        ),
        ("html", "<script>track()</script>Text<br/>line", "Text\nline"),
        (
            "html",
            "<!DOCTYPE html><html><head><title>T</title></head><body><p>Whole page</p></body></html>",
            "Whole page",
        ),
        ("whitespace", "a\u00a0 b  \r\n\r\n\r\n\n  code  x\ufeff\n", "a b\n\n  code x"),
        ("whitespace", "👩\u200d🔬 می\u200cخواهم", "👩\u200d🔬 می\u200cخواهم"),
        ("plain", "  Don't “stop” - go_on: 50% (ok)!?\n\nNaïve… №5. ", "Don't stop go_on 50 ok !? Naïve 5."),
        ("boilerplate", "Body\nShare this post\nsubscribe now\nShare this idea", "Body\nShare this idea"),
    ],
)
def test_a_mapper_changes_what_it_is_for(name, before, after):
    assert MAPPERS[name].change(before) == after


@given(st.text())
def test_plain_leaves_only_its_characters_and_single_spaces(text):
    cleaned = plain(text)
    assert all(c.isalnum() or c in "_ .,!?'" or not c.isascii() for c in cleaned)
    assert plain(cleaned) == cleaned == " ".join(cleaned.split())


@given(st.text(alphabet="ab <>&;/p\n\t \u00a0`#\r"))
def test_mappers_are_total_and_whitespace_settles(text):
    for mapper in MAPPERS.values():
        assert isinstance(mapper.change(text), str)
    assert whitespace(whitespace(text)) == whitespace(text)


@given(st.text(alphabet=ODD))
@example("Ã©té \r\n\x85 â€œ")
def test_repairing_line_by_line_is_repairing_the_whole(text):
    import ftfy

    assert unicode(text) == ftfy.fix_text(text, ftfy.TextFixerConfig(unescape_html=False))


@pytest.mark.parametrize("name", ["unicode", "html", "markdown", "whitespace", "plain"])
@given(text=st.text(alphabet=ODD, max_size=20))
def test_a_screen_finds_every_text_that_its_mapper_changes(name, text):
    mapper = MAPPERS[name]
    found = pc.match_substring_regex(pa.array([text]), mapper.screen)[0].as_py()
    assert found or mapper.change(text) == text


@given(st.text(alphabet="aé😀 x", max_size=12), st.text(alphabet="aé😀 x", max_size=12))
def test_figures_of_a_change_are_those_of_a_plain_count(before, after):
    left, right = Counter(before), Counter(after)
    assert changed_characters(before, after) == max((left - right).total(), (right - left).total())
    assert first_difference(before, after) == sum(
        1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False))
    )


def test_changed_characters_are_those_taken_out_or_put_in():
    assert changed_characters("hello", "hello") == 0
    assert changed_characters("a\u00a0b", "a b") == 1
    assert changed_characters("abc", "") == 3
    assert changed_characters("&amp;", "&") == 4


def test_html_on_a_large_text_with_open_angles_is_linear():
    assert strip_html("<" * 200_000) == "<" * 200_000
    assert strip_html("&" * 200_000) == "&" * 200_000


def test_the_stage_counts_changes_and_keeps_what_it_emptied_in_the_ledger(run_anywhere, tmp_path):
    texts = ["Fine already.", "Fish &amp; chips, please.", "Share this post", "<p></p>", "ok"]
    rows = write_dataset(tmp_path / "in", [document(n, text, title="T") for n, text in enumerate(texts)], Document)
    result = run_anywhere("curate", "clean", {"min_characters": 3}, [("rows", rows)]).result
    dataset = read(result["uri"])
    assert [d.text for d in dataset.records(Document)] == ["Fine already.", "Fish & chips, please."]
    assert [(e.id, e.rule, e.value, e.threshold) for e in dataset.ledger()] == [
        ("doc-2", "emptied", "0", "3"),
        ("doc-3", "emptied", "0", "3"),
        ("doc-4", "too_short", "2", "3"),
    ]
    assert '"text":"Share this post"' in next(dataset.ledger()).row, "the ledger holds the text as it came"
    metrics = dataset.manifest.metrics
    assert (metrics["html_rows"], metrics["html_characters"]) == (2, 4 + 7)
    assert (metrics["boilerplate_rows"], metrics["unicode_rows"]) == (1, 0)
    assert dataset.manifest.accounts["rows"].dropped == {"emptied": 2, "too_short": 1}


def test_examples_are_escaped_and_their_difference_marked():
    before, after = marked({"id": "x", "before": "… a <b>&amp;</b>\tc …", "after": "… a &\tc and more …"})
    assert before == "… a <del>&lt;b&gt;</del>&amp;<del>amp;&lt;/b&gt;</del>\tc …"
    assert after == "… a &amp;\tc …"


def test_what_may_stand_where_the_other_text_was_cut_is_not_marked():
    before, after = marked({"id": "x", "before": "menu: on\nmenu: off\nThe wolf …", "after": "Find the wolf, and run."})
    assert ("<del>menu" in before, after.count("<ins>")) == (True, 0)
    before, after = marked({"id": "x", "before": "one two three four <b>", "after": "one two three four five …"})
    assert (before, after) == ("one two three four &lt;b&gt;", "one two three four <ins>five</ins> …")
