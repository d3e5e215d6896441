"""The sentences below the fields of a class, read from its source.

pydantic can do this too (`use_attribute_docstrings`), but does it whenever a class is made, which takes a third of the
time in which the command line of a stage gets ready.
"""

import ast
import inspect
import sys
from collections.abc import Iterable
from functools import cache
from itertools import pairwise


def field_docs(classes: Iterable[type]) -> dict[str, str]:
    """Each field's sentence; of several classes that have a field, the last one's."""
    found: dict[str, str] = {}
    for owner in classes:
        found |= _sentences(owner.__module__).get(owner.__qualname__, {})
    return found


@cache
def _sentences(module: str) -> dict[str, dict[str, str]]:
    """The sentences of all classes at the top of a module, by class and field."""
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {node.name: dict(_below_fields(node)) for node in tree.body if isinstance(node, ast.ClassDef)}


def _below_fields(node: ast.ClassDef) -> Iterable[tuple[str, str]]:
    for field, below in pairwise(node.body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(below, ast.Expr):
            sentence = below.value
            if isinstance(sentence, ast.Constant) and isinstance(sentence.value, str):
                yield field.target.id, inspect.cleandoc(sentence.value).strip()
