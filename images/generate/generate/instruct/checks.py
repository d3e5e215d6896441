"""Whether a pair may be learnt from."""

from collections.abc import Set as AbstractSet

from generate.instruct.pairs import Pair
from generate.instruct.prompt import Prompt
from generate.llm.refusals import declines
from generate.words import normal

RULES = {
    "empty": "instruction or answer without any text",
    "refusal": "the model declined",
    "copied_prompt": "the pair repeats words of the prompt",
    "mentions_context": "points at an extract or article that its reader cannot see",
    "copied_instruction": "the answer only repeats the instruction",
    "duplicate": "the same instruction as an earlier pair of the chunk",
    "surplus": "more pairs than asked for",
    "missing": "asked for and never given",
    "not_grounded": "fewer of the answer's content words than `min_grounding` stand in the chunk",
}

Fault = tuple[str, str]
"""A rule, and the evidence."""


def fault(pair: Pair, seen: AbstractSet[str], prompt: Prompt) -> Fault | None:
    """The rule that drops a pair and the words that caused it, or None. `seen` are earlier instructions, normalised."""
    instruction, answer = normal(pair.instruction), normal(pair.answer)
    if not instruction or not answer:
        return "empty", "answer" if instruction else "instruction"
    if declines(pair.answer):
        return "refusal", pair.answer[:100]
    if instruction == answer:
        return "copied_instruction", pair.instruction[:100]
    if instruction in seen:
        return "duplicate", pair.instruction[:100]
    return _points_outside(pair, prompt)


def _points_outside(pair: Pair, prompt: Prompt) -> Fault | None:
    for text in (pair.instruction, pair.answer):
        lower = text.lower()
        for words in prompt.copied:
            if words in lower:
                return "copied_prompt", words
    if found := prompt.points(pair.instruction):
        return "mentions_context", found
    return None
