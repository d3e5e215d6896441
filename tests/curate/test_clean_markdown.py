"""clean: Markdown becomes prose, and code stays as it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.clean.code import outside_blocks, outside_code
from curate.clean.markdown import markdown


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("# Title #\n\nText\n## Next", "Title\n\nText\nNext"),
        ("Title\n=====\nand\n---\nmore", "Title\nand\nmore"),
        ("before\n\n***\n\nafter", "before\n\n\nafter"),
        ('see [the docs](https://x.org/a_(b) "T") and [more](<u>)', "see the docs and more"),
        ("[![Build](https://x/b.svg)](https://ci) ![a cat](c.png)", "Build a cat"),
        (
            "[one][1], [Two], [three][], [four]\n\n[1]: https://x\n[two]: <y> 'T'\n[three]: z",
            "one, Two, three, [four]\n\n",
        ),
        ("<https://x.org> <mailto:a@b.c> <b>", "https://x.org mailto:a@b.c <b>"),
        ("text[^1]\n\n[^1]: The note.", "text\n\nThe note."),
        ("**bold** *it* __bold__ _it_ ***both*** ~~gone~~", "bold it bold it both gone"),
        ("snake_case_name, 2 * 3 * 4, **kwargs, *args, __init__.py, a*b*c, ~~", None),
        ("\\*not\\* emphasis \\_x\\_", "*not* emphasis _x_"),
        ("> quoted\n> > twice\n2 > 1", "quoted\ntwice\n2 > 1"),
        ("- [x] done\n- [ ] open\n* item\n1. one", "- done\n- open\n* item\n1. one"),
        ("| a | `x|y` |\n|---|:-:|\n| 1 | **2** |\nafter", "a, `x|y`\n1, 2\nafter"),
        ("a | b without a rule", None),
        ("costs $5 and $10, $a_i * b_i$, $$x_1 *y* z$$ and \\(a*b*c\\)", None),
        ("`**code** [x](y)` and ``a ` *b*``", None),
        ("```python\n# *no* [x](y)\n```\n~~~\n**no**\n~~~", None),
        ("- item\n  ```\n  **no**\n  ```\n- **yes**", "- item\n  ```\n  **no**\n  ```\n- yes"),
        ("```\nunclosed **code**", None),
        ("    indented *code*\n\n\ttoo *x*", None),
        ("- a\n    - [nested](u)", "- a\n    - nested"),
    ],
)
def test_marks_go_and_code_stays(before, after):
    assert markdown(before) == (before if after is None else after)


@given(st.text(alphabet="ab*_`~[]()#>|-\\$ \n\t\x1a1:!", max_size=60))
def test_any_text_loses_marks_and_no_letters(text):
    changed = markdown(text)
    assert len(changed) <= len(text) + text.count("|")
    if "]" not in text and "`" not in text:  # link targets and fences' names may hold letters
        assert [c for c in changed if c in "ab"] == [c for c in text if c in "ab"]


@given(st.text(alphabet="a`~\n ", max_size=60))
def test_parts_of_code_and_not_make_the_whole(text):
    assert outside_code(text, str) == outside_blocks(text, str) == text


def test_long_texts_of_nothing_but_marks_take_time_in_proportion():
    for piece in (
        "[",
        "](",
        "*a ",
        "_",
        "`",
        "![",
        "$",
        "|-",
        "# ",
        "> ",
        "**",
        "\n---\n",
        "[a]: b\n",
        "    x\n",
        "```\n",
    ):
        markdown(piece * (60_000 // len(piece)))
