"""Elimination: which evolved instructions and answers are of no use to learn from.

After section 2.2 of WizardLM (arXiv 2304.12244), which drops an evolution that brings nothing new, whose answer is
short and sorry, whose answer is punctuation and stop words only, or that copies words of the prompt; and after the
failure detector of Auto Evol-Instruct (arXiv 2406.00770), whose answers ask back.
"""

from generate.evolve.prompt import Prompt
from generate.llm.refusals import declines
from generate.words import content_words, normal, words

RULES = {
    "no_substance": "punctuation and function words only",
    "no_change": "the evolved instruction holds no word that the one before it did not",
    "no_gain": "the evolved instruction asks for the same as the one before it, a model says",
    "copied_prompt": "the evolved instruction repeats words of the prompt",
    "refusal": "the model declined",
    "asks_back": "the answer asks for what the instruction should have brought",
    "too_short": "the answer has fewer words than `min_answer_words`",
    "copied_instruction": "the answer only repeats the instruction",
}
SORRY_WORDS = 80
"""WizardLM's length (words) below which an answer that says "sorry" is a refusal."""
Fault = tuple[str, str]
"""A rule, and the evidence."""


def instruction_fault(before: str, after: str, prompt: Prompt) -> Fault | None:
    """The rule that drops an evolved instruction and the words that caused it, or None."""
    if not content_words(after):
        return "no_substance", after[:100]
    if declines(after):
        return "refusal", after[:100]
    if set(words(after)) <= set(words(before)):
        return "no_change", after[:100]
    known, lower = before.lower(), after.lower()
    found = next((phrase for phrase in prompt.copied if phrase in lower and phrase not in known), None)
    return ("copied_prompt", found) if found else None


def answer_fault(instruction: str, answer: str, prompt: Prompt, least: int) -> Fault | None:
    """The same for an answer, which has at least `least` words."""
    said = words(answer)
    if declines(answer) or ("sorry" in said and len(said) < SORRY_WORDS):
        return "refusal", answer[:100]
    if not content_words(answer):
        return "no_substance", answer[:100]
    if len(said) < least:
        return "too_short", str(len(said))
    if found := prompt.asking_back.match(answer):
        return "asks_back", found.group().strip()
    if normal(answer) == normal(instruction):
        return "copied_instruction", answer[:100]
    return None
