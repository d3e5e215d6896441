"""Template parity: what is trained, what our own inference asks, and what a server would send, compared token by token.

A server has no code of ours. It loads the tokenizer's folder, gets messages as plain dictionaries, and calls
`apply_chat_template`, as vLLM and the servers of transformers do. So the folder is written, loaded again, and asked.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from contract.failures import BadInput
from contract.records import Message, Sample
from finetune.chat import Encoded, encode_all, parity_problem, prompt_ids

ASKED = 200
"""Samples put to the reloaded tokenizer; rendering depends on the shape of a conversation more than on its words."""


@dataclass(frozen=True)
class Parity:
    """How much was compared: samples, their answers, and answers asked of the reloaded tokenizer too. In samples `with
    control tokens` the text itself holds tokens that belong to the template."""

    samples: int
    answers: int
    served_answers: int
    with_control_tokens: int


def check_parity(tokenizer: Any, served: Any, samples: Sequence[Sample]) -> Parity:
    """Compare all samples as trained with what is asked later. Raises `BadInput` at the first difference."""
    answers = asked = marked = 0
    control = tokenizer.all_special_tokens
    spoken = encode_all(tokenizer, (sample.messages for sample in samples))
    for number, (sample, encoded) in enumerate(zip(samples, spoken, strict=True)):
        problem = _problem(tokenizer, served if number < ASKED else None, sample.messages, encoded)
        if problem:
            raise BadInput(
                f"training and serving would disagree on sample {sample.id}: {problem}",
                hint="choose another `training.template`",
            )
        said = sum(message.role == "assistant" for message in sample.messages)
        answers, asked = answers + said, asked + said * (number < ASKED)
        marked += holds_any(control, sample.messages)
    return Parity(len(samples), answers, asked, marked)


def served_ids(served: Any, messages: Sequence[Message]) -> list[int]:
    """Token ids that a server makes of a conversation up to where the assistant is to speak."""
    plain = [{"role": message.role, "content": message.content} for message in messages]
    return list(served.apply_chat_template(plain, add_generation_prompt=True, return_dict=True)["input_ids"])


def holds_any(control: Sequence[str], messages: Sequence[Message]) -> bool:
    """Whether a message's own text holds a token of the template, which a reader of tokens cannot tell from a turn."""
    text = "".join(message.content for message in messages)
    return any(token in text for token in control)


def _problem(tokenizer: Any, served: Any, messages: Sequence[Message], encoded: Encoded) -> str | None:
    problem = parity_problem(tokenizer, messages, encoded) or _unended(tokenizer, encoded)
    if problem or served is None:
        return problem
    return next(_served_problems(tokenizer, served, messages), None)


def _unended(tokenizer: Any, encoded: Encoded) -> str | None:
    """Generation stops at the end token, so each learned run has to teach it."""
    begun = {first for first, end in encoded.said if first < end}
    for first, end in encoded.said:
        if first < end and end not in begun and encoded.ids[end - 1] != tokenizer.eos_token_id:
            last = tokenizer.convert_ids_to_tokens(encoded.ids[end - 1])
            return f"an answer ends in {last!r}, and its end token {tokenizer.eos_token!r} is not learned"
    return None


def _served_problems(tokenizer: Any, served: Any, messages: Sequence[Message]) -> Iterator[str]:
    for turn, message in enumerate(messages):
        if message.role != "assistant" or not turn:  # of raw text nobody is asked before
            continue
        ours, theirs = prompt_ids(tokenizer, messages[:turn]), served_ids(served, messages[:turn])
        if ours != theirs:
            at = next((i for i, pair in enumerate(zip(ours, theirs, strict=False)) if pair[0] != pair[1]), len(ours))
            yield f"turn {turn}: a server's prompt of {len(theirs)} tokens differs from ours of {len(ours)} at {at}"
