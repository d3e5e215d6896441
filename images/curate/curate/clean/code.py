"""Where Markdown code is, so that mappers leave it as it is."""

import re
from collections.abc import Callable, Iterator

FENCE = (  # `+` after a repeat keeps what it took: a fence is as long as it is, and a line of 100,000 costs no minutes
    r"^[ \t]*+(?P<fence>`{3,}+|~{3,}+)[^\n]*+(?:\n.*?^[ \t]*(?P=fence)[`~]*[ \t]*$|\Z)"  # closed, or the last line
    r"|^[ \t]*`{3,}[^`\n]*\n.*\Z"  # three backticks that nothing closes: code to the end, as CommonMark has it
)
BLOCK = re.compile(FENCE, re.MULTILINE | re.DOTALL)
CODE = re.compile(rf"{FENCE}|(?<!`)(?P<ticks>`+)(?!`)[^\n]*?(?<!`)(?P=ticks)(?!`)", re.MULTILINE | re.DOTALL)


def outside_code(text: str, change: Callable[[str], str]) -> str:
    """The text with a change made to everything but code blocks and inline code."""
    if "`" not in text and "~~~" not in text:
        return change(text)
    return "".join(part if code else change(part) for code, part in _parts(text, CODE))


def outside_blocks(text: str, change: Callable[[str], str]) -> str:
    """The text with a change made to everything but code blocks; a part ends where a line does."""
    if "```" not in text and "~~~" not in text:
        return change(text)
    return "".join(part if code else change(part) for code, part in _parts(text, BLOCK))


def _parts(text: str, code: re.Pattern[str]) -> Iterator[tuple[bool, str]]:
    """The text in parts, each with whether it is code."""
    end = 0
    for found in code.finditer(text):
        if found.start() > end:
            yield False, text[end : found.start()]
        yield True, found[0]
        end = found.end()
    if end < len(text):
        yield False, text[end:]
