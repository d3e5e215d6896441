"""Rephrased tasks made by rule, to learn from: functions of Python's standard library, and small word problems.

A made rephrasing keeps what a real one keeps (what the task is) and changes what a real one changes: words by synonyms
or others, names, numbers in examples, the order of sentences, loops, and most of the solution.
"""

import ast
import random
import re
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

GROUPS = (
    "return give yield produce output; list array sequence collection; string text phrase; number value integer; "
    "check verify test determine; find locate search discover; remove delete drop eliminate; create make build "
    "construct; get obtain fetch retrieve; given provided supplied; contain include hold; element item entry member; "
    "function method routine; argument parameter input; largest biggest greatest maximum; smallest least minimum; "
    "convert transform change turn; compute calculate evaluate; specified stated named; first initial leading; last "
    "final closing; start begin; end finish stop; same equal identical; different distinct unlike; file document; "
    "directory folder; name label title; key identifier; object instance thing; error fault failure; default standard "
    "usual; sort order arrange; count tally quantity; split divide separate; join combine merge; if when whenever; "
    "each every; all every any; should must ought; use employ apply; write record store; read load; add append "
    "insert; line row; character letter symbol; word term; true yes correct; false no wrong; empty blank void; new "
    "fresh; old former previous; raise throw signal; match fit correspond; replace substitute swap; set assign put; "
    "show display print; total sum altogether; many several numerous; buy purchase acquire; sell trade; money cash "
    "funds; day date; cost price; child kid; people persons"
)
SYNONYMS = GROUPS.split("; ")
OTHERS = {word: [other for other in group.split() if other != word] for group in SYNONYMS for word in group.split()}
WORD = re.compile(r"[A-Za-z]+")
NUMBER = re.compile(r"\d+")
SENTENCE = re.compile(r"(?<=[.!?])\s+")
KEPT_WORDS = "def return if else elif for while in not and or is None True False self class import from raise with as"
KEPT = frozenset(KEPT_WORDS.split())
FILLER_WORDS = (
    "the a of which that this is are as so then it its by in on to with for your our one some thing please make sure"
    " note here simply just also out into over given each such"
)
FILLERS = FILLER_WORDS.split()
TAILS = ("value", "data", "result", "input", "item")


class Task(NamedTuple):
    """A task as a benchmark puts it, and the solution that a row may hold beside it."""

    text: str
    solution: str


def with_examples(task: Task, rng: random.Random) -> Task:
    """The task with up to four calls and their results, as tasks for people have them; made up, as nothing is run."""
    found = re.match(r"\s*def (\w+)\(", task.text)
    if not found or not task.text.rstrip().endswith('"""'):
        return task
    forms = [rng.choice(LITERALS) for _ in range(rng.randint(1, 2))]
    result, arrow = rng.choice(LITERALS), rng.choice(["\n    ", " ➞ ", " == ", " => ", " # returns "])
    calls = [
        f"    >>> {found[1]}({', '.join(form(rng) for form in forms)}){arrow}{result(rng)}\n"
        for _ in range(rng.randint(0, 4))
    ]
    return Task(task.text.rstrip().removesuffix('"""') + "\n" + "".join(calls) + '    """\n', task.solution)


def _integer(rng: random.Random) -> str:
    return str(rng.randint(-9, 30))


def _fraction(rng: random.Random) -> str:
    return str(round(rng.uniform(-9, 30), 1))


def _integers(rng: random.Random) -> str:
    return str([rng.randint(-9, 30) for _ in range(rng.randint(0, 7))])


def _string(rng: random.Random) -> str:
    return repr(" ".join("".join(rng.choices("abcdefgh", k=rng.randint(1, 7))) for _ in range(rng.randint(1, 3))))


def _strings(rng: random.Random) -> str:
    return f"[{', '.join(_string(rng) for _ in range(rng.randint(0, 4)))}]"


def _truth(rng: random.Random) -> str:
    return str(rng.random() < 0.5)


LITERALS = (_integer, _integer, _fraction, _integers, _integers, _string, _strings, _truth)


def functions(least_words: int = 12, most_characters: int = 2_500) -> Iterator[Task]:
    """Documented functions of the standard library, in the order of file names; the signature and the docstring are
    the task."""
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        source = path.read_text(encoding="utf-8", errors="replace")
        for node in ast.walk(ast.parse(source)):
            task = _task(node, source) if isinstance(node, ast.FunctionDef) else None
            if task and len(WORD.findall(task.text)) >= least_words and len("".join(task)) <= most_characters:
                yield task


def _task(node: ast.FunctionDef, source: str) -> Task | None:
    documented = ast.get_docstring(node)
    if not documented or len(node.body) < 2:
        return None
    lines = source.splitlines()
    cut = node.body[0].end_lineno or 0
    return Task("\n".join(lines[node.lineno - 1 : cut]) + "\n", "\n".join(lines[cut : node.end_lineno or cut]) + "\n")


class Rephraser:
    """Says tasks in other words, the same ones for the same seed. `others` lend solutions and words."""

    def __init__(self, others: list[Task], seed: int) -> None:
        self.rng = random.Random(seed)
        self.others = others
        self.vocabulary = [word for task in others[:200] for word in WORD.findall(task.text)]

    def rephrased(self, task: Task) -> str:
        """The task in other words, with its own solution under other names or, half the time, another's."""
        names = self._new_names(task)
        text = self._shuffled(task.text) if self.rng.random() < 0.4 else task.text
        text = WORD.sub(lambda found: self._word(found[0], names), text)
        text = NUMBER.sub(lambda found: self._number(found[0]), text)
        own = self.rng.random() < 0.5
        solution = WORD.sub(lambda found: names.get(found[0], found[0]), task.solution)
        return text + self._other_loops(solution if own else self.rng.choice(self.others).solution)

    def _new_names(self, task: Task) -> dict[str, str]:
        """New names for the function and most of its arguments, made of words of the old ones or of others."""
        head = task.text.partition(":\n")[0] if task.solution else ""
        names = {}
        for name in sorted({name for name in re.findall(r"[A-Za-z_]\w*", head) if name not in KEPT}):
            if self.rng.random() < 0.7:
                parts = [self._word(part, {}) for part in WORD.findall(name)]
                self.rng.shuffle(parts)
                names[name] = "_".join([*parts, self.rng.choice(TAILS)][:3])
        return names

    def _word(self, word: str, names: dict[str, str]) -> str:
        """A synonym, nothing, the word with another one after it, some other word, or the word itself."""
        if word in names or word in KEPT:
            return names.get(word, word)
        if word.lower() in OTHERS and self.rng.random() < 0.8:
            return self.rng.choice(OTHERS[word.lower()])
        chance = self.rng.random()
        if chance < 0.32:
            return ""
        if chance < 0.48:
            return f"{word} {self.rng.choice(FILLERS)}"
        return self.rng.choice(self.vocabulary) if chance < 0.8 and len(word) > 3 else word

    def _number(self, number: str) -> str:
        return str(self.rng.randint(0, 9 ** len(number))) if self.rng.random() < 0.7 else number

    def _shuffled(self, text: str) -> str:
        parts = SENTENCE.split(text)
        self.rng.shuffle(parts)
        return " ".join(parts)

    def _other_loops(self, solution: str) -> str:
        lines = [line for line in solution.splitlines() if self.rng.random() > 0.1]
        lines = [f"{line}\n    pass" if self.rng.random() < 0.15 else line for line in lines]
        return re.sub(r"for (\w+) in range\((.*?)\):", r"\1 = 0\n    while \1 < \2:", "\n".join(lines))
