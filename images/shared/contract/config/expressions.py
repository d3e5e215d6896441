"""Expressions for a field: a dotted path (`content.body`), or a template of literal text and paths in braces.

`"{title}\\n\\n{body}"` puts the title before the body. A doubled brace stands for itself. Nothing is evaluated.
"""

import re
from typing import Annotated

from pydantic import AfterValidator

PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


def is_template(expression: str) -> bool:
    """Whether an expression is more than one path."""
    return "{" in expression or "}" in expression


def template_parts(expression: str) -> list[tuple[str, str]]:
    """A template as pairs of literal text and the path that follows it (empty at the end).

    Raises `ValueError` for a brace that is never closed or opened, and for braces around nothing.
    """
    parts: list[tuple[str, str]] = []
    literal, start = "", 0
    for match in PIECE.finditer(expression):
        literal += expression[start : match.start()]
        start = match.end()
        if match[0] in ("{{", "}}"):
            literal += match[0][0]
            continue
        if not (match[1] or "").strip():
            raise ValueError(f"the brace at {match.start()} of {expression!r} holds no path; write {{{{ for a brace")
        parts.append((literal, match[1].strip()))
        literal = ""
    return [*parts, (literal + expression[start:], "")]


def _checked(expression: str) -> str:
    if is_template(expression):
        template_parts(expression)
    if not expression:
        raise ValueError("an expression is empty; expected a dotted path or a template")
    return expression


Expression = Annotated[str, AfterValidator(_checked)]
"""A dotted path, or a template with dotted paths in braces."""
