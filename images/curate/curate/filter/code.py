"""Whether code in Markdown parses: JSON, Python by its own parser, other languages by tree-sitter's grammars."""

import ast
import importlib
import json
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, NamedTuple

CODE_BLOCK = re.compile(  # `+` after a repeat keeps what it took, or a line of 5,000 tildes would take half a minute
    r"^(`{3,}+|~{3,}+)[ \t]*+([^\s`{]*+)[^\n]*+\n(.*?)^\1[`~]*+[ \t]*+$", re.MULTILINE | re.DOTALL
)
NAMES = {
    "py": "python", "python3": "python", "js": "javascript", "jsx": "javascript", "mjs": "javascript",
    "node": "javascript", "ts": "typescript", "sh": "bash", "shell": "bash", "zsh": "bash", "h": "c", "c++": "cpp",
    "cc": "cpp", "cxx": "cpp", "hpp": "cpp", "golang": "go", "rs": "rust",
}  # fmt: skip
"""Other names of languages after a fence."""

GRAMMARS = {
    "bash": ("tree_sitter_bash", "language"),
    "c": ("tree_sitter_c", "language"),
    "cpp": ("tree_sitter_cpp", "language"),
    "go": ("tree_sitter_go", "language"),
    "java": ("tree_sitter_java", "language"),
    "javascript": ("tree_sitter_javascript", "language"),
    "rust": ("tree_sitter_rust", "language"),
    "typescript": ("tree_sitter_typescript", "language_typescript"),
    "tsx": ("tree_sitter_typescript", "language_tsx"),
}
"""The package of each grammar, and its function."""


class Blocks(NamedTuple):
    """What is wrong with the first broken code block of each text, and how many blocks could be checked or not."""

    problems: list[str | None]
    checked: int
    unchecked: int


def check_blocks(texts: Iterable[str]) -> Blocks:
    """Parse every fenced code block of a language known here; blocks of others are left unchecked, and counted."""
    counts: Counter[bool] = Counter()
    problems = [_problem(text, counts) for text in texts]
    return Blocks(problems, counts[True], counts[False])


def _problem(text: str, counts: Counter[bool]) -> str | None:
    first: str | None = None
    for _, name, code in CODE_BLOCK.findall(text) if "```" in text or "~~~" in text else ():
        language = NAMES.get(name.lower(), name.lower())
        parser = parser_of(language)
        counts[parser is not None] += 1
        if parser and first is None and (problem := parser(code)):
            first = f"{language}: {problem}"
    return first


def parser_of(language: str) -> Callable[[str], str] | None:
    """What says why code of a language does not parse (empty: it does); None for languages without a parser here."""
    if language == "json":
        return json_problem
    if language == "python":
        return python_problem
    return _by_tree_sitter(language) if language in GRAMMARS else None


def json_problem(text: str) -> str:
    """Why a text is not one JSON value, or nothing."""
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        return str(error) or type(error).__name__
    return ""


def python_problem(code: str) -> str:
    """Why a text is not Python, or nothing."""
    try:
        with warnings.catch_warnings(action="ignore"):
            ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:  # all four are the parser's way to say no
        return str(error) or type(error).__name__
    return ""


@cache
def _by_tree_sitter(language: str) -> Callable[[str], str]:
    from tree_sitter import Language, Parser

    package, function = GRAMMARS[language]
    parser = Parser(Language(getattr(importlib.import_module(package), function)()))

    def problem(code: str) -> str:
        tree = parser.parse(code.encode("utf-8", "replace"))
        return f"syntax error in line {_first_error(tree.root_node)}" if tree.root_node.has_error else ""

    return problem


def _first_error(node: Any) -> int:
    """The line of the first node that is an error or missing."""
    while not (node.is_error or node.is_missing):
        node = next(child for child in node.children if child.has_error)
    line: int = node.start_point.row + 1
    return line
