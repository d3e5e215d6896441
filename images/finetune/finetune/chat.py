"""Chat templates: the one place where a conversation becomes text, token ids and the mask of the assistant's tokens.

plan, train, evaluate, export and register all render through here, so what is trained is what is served.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from transformers.utils.chat_template_utils import render_jinja_template

from contract.failures import BadInput
from contract.records import Message

TEMPLATES = Path(__file__).parent / "templates"
MARKER = "generation"
BATCH_CHARACTERS, BATCH_CONVERSATIONS = 500_000, 512
"""A batch is tokenised at once, over all cores; so many characters take some 50 MB on the way."""
Span = tuple[int, int]
RAW = "text"
"""The template of raw text: begin, text, end, and all of it learned."""
RESERVED_PADS = ("<|finetune_right_pad_id|>", "<|pad|>", "<pad>", "[PAD]", "<|endoftext|>")
"""What well-known base models keep for padding without naming it (Llama 3.1, Phi, Gemma, BERT's heirs, Qwen)."""


@dataclass(frozen=True)
class Format:
    """One chat format: the token that ends an assistant's turn (empty: the base model's own), and all it needs."""

    end: str = ""
    tokens: tuple[str, ...] = ()


FORMATS: dict[str, Format] = {
    "alpaca": Format(),
    "chatml": Format("<|im_end|>", ("<|im_start|>", "<|im_end|>")),
    "llama3": Format("<|eot_id|>", ("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")),
    "mistral": Format(),
    "phi3": Format("<|end|>", ("<|system|>", "<|user|>", "<|assistant|>", "<|end|>")),
    "gemma": Format("<end_of_turn>", ("<start_of_turn>", "<end_of_turn>")),
}


@dataclass(frozen=True)
class Encoded:
    """A rendered conversation: its text, token ids, and the runs of tokens that the assistant said, each as its first
    place and the place after its last."""

    text: str
    ids: list[int]
    said: list[Span]

    @cached_property
    def mask(self) -> list[bool]:
        """For each token whether the assistant said it."""
        mask = [False] * len(self.ids)
        for first, end in self.said:
            mask[first:end] = [True] * (end - first)
        return mask


def dress(tokenizer: Any, template: str, pad_token: str = "") -> list[str]:
    """Give a tokenizer a chat template with the tokens it needs; returns those that its vocabulary lacked.

    Raises `BadInput` for a tokenizer without an end or padding token, or without a template of its own where that was
    asked for.
    """
    if tokenizer.eos_token is None:
        raise BadInput(
            "the base model's tokenizer names no end token",
            expected="`eos_token` in its tokenizer_config.json, or answers would never end",
        )
    _choose_pad(tokenizer, pad_token)
    if template == "tokenizer":
        tokenizer.chat_template = _own_template(tokenizer)
        return []
    form = FORMATS.get(template, Format())
    missing = [token for token in form.tokens if token not in tokenizer.get_vocab()]
    tokenizer.add_special_tokens({"extra_special_tokens": list(form.tokens)}, replace_extra_special_tokens=False)
    tokenizer.chat_template = (TEMPLATES / f"{template}.jinja").read_text(encoding="utf-8")
    if form.end:
        tokenizer.eos_token = form.end
    return missing


def encode(tokenizer: Any, messages: Sequence[Message]) -> Encoded:
    """A whole conversation as it is trained. A token counts as the assistant's when all of it lies in a marked span."""
    return _tokenise(tokenizer, _render(tokenizer, [messages], prompt=False))[0]


def encode_all(tokenizer: Any, conversations: Iterable[Sequence[Message]]) -> Iterator[Encoded]:
    """Conversations as `encode` has them, in order, batch by batch: the next one is rendered while one is tokenised."""
    rendered = (_render(tokenizer, batch, prompt=False) for batch in _batches(conversations))
    with ThreadPoolExecutor(1, "tokenise") as pool:
        ahead = None
        for batch in rendered:
            last, ahead = ahead, pool.submit(_tokenise, tokenizer, batch)
            yield from last.result() if last else ()
        yield from ahead.result() if ahead else ()


def prompt_ids(tokenizer: Any, messages: Sequence[Message]) -> list[int]:
    """Token ids of a conversation up to where the assistant is to speak, as a server sends them to the model."""
    text, _ = _render(tokenizer, [messages], prompt=True)[0]
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def parity_problem(tokenizer: Any, messages: Sequence[Message], encoded: Encoded) -> str | None:
    """Why training and serving would disagree on this conversation, or None: each prompt must be a prefix, token by
    token, of what is trained, and the mask must begin where the prompt ends."""
    for turn, message in enumerate(messages):
        if message.role != "assistant":
            continue
        prompt = prompt_ids(tokenizer, messages[:turn])
        if encoded.ids[: len(prompt)] != prompt:
            return f"turn {turn}: the serving prompt of {len(prompt)} tokens is not a prefix of the training tokens"
        if not any(encoded.mask[len(prompt) : len(prompt) + 1]) or any(encoded.mask[: len(prompt)][-1:]):
            return f"turn {turn}: the loss mask does not begin at token {len(prompt)}, where the prompt ends"
    bos = tokenizer.bos_token_id
    if bos is not None and bos != tokenizer.eos_token_id and encoded.ids[:2] == [bos, bos]:
        return "the begin token is doubled"
    return None


def _render(tokenizer: Any, conversations: Sequence[Sequence[Message]], prompt: bool) -> list[tuple[str, list[Span]]]:
    """The text of each conversation, and where in it the assistant speaks (not looked for in a `prompt`)."""
    plain = [[{"role": message.role, "content": message.content} for message in some] for some in conversations]
    texts, spans = render_jinja_template(
        plain,
        chat_template=tokenizer.chat_template,
        return_assistant_tokens_mask=not prompt,
        add_generation_prompt=prompt,
        **tokenizer.special_tokens_map,
    )
    return list(zip(texts, spans or [[]] * len(texts), strict=True))


def _batches(conversations: Iterable[Sequence[Message]]) -> Iterator[list[Sequence[Message]]]:
    held: list[Sequence[Message]] = []
    characters = 0
    for messages in conversations:
        held.append(messages)
        characters += sum(len(message.content) for message in messages)
        if characters >= BATCH_CHARACTERS or len(held) == BATCH_CONVERSATIONS:
            yield held
            held, characters = [], 0
    if held:
        yield held


def _tokenise(tokenizer: Any, rendered: Sequence[tuple[str, list[Span]]]) -> list[Encoded]:
    found = tokenizer(
        [text for text, _ in rendered],
        add_special_tokens=False,
        return_attention_mask=False,
        return_token_type_ids=False,
    )
    return [
        Encoded(text, ids, [_inside(tokens, *span) for span in spans])
        for (text, spans), ids, tokens in zip(rendered, found["input_ids"], found.encodings, strict=True)
    ]


def _inside(tokens: Any, low: int, high: int) -> Span:
    """The tokens that lie within some characters. Tokens stand in the order of their characters, so two searches do:
    to ask for the characters of all would take as long as to tokenise."""
    places = range(len(tokens))
    first = bisect_left(places, low, key=lambda place: tokens.token_to_chars(place)[0])
    end = bisect_right(places, high, key=lambda place: tokens.token_to_chars(place)[1])
    return first, max(first, end)


def _choose_pad(tokenizer: Any, wanted: str) -> None:
    vocabulary = tokenizer.get_vocab()
    if wanted and wanted not in vocabulary:
        raise BadInput(f"pad_token {wanted!r} is not in the base model's vocabulary of {len(vocabulary):,} tokens")
    if wanted or tokenizer.pad_token is None:
        reserved = (token for token in RESERVED_PADS if token in vocabulary and token != tokenizer.eos_token)
        tokenizer.pad_token = wanted or next(reserved, None)
    if tokenizer.pad_token is None:
        raise BadInput(
            "the base model's tokenizer names no pad token and has none reserved",
            expected=f"one of {', '.join(RESERVED_PADS)}",
            hint="set `training.pad_token` to a token of its vocabulary that never occurs in text",
        )


def _own_template(tokenizer: Any) -> str:
    """The base model's template, with the assistant's spans marked."""
    template = tokenizer.chat_template
    if not template:
        raise BadInput(
            "the base model has no chat template of its own",
            hint=f"set `training.template` to one of {', '.join(FORMATS)}",
        )
    if MARKER in template:
        return str(template)
    return _marked(tokenizer)


def _marked(tokenizer: Any) -> str:
    from trl.chat_template_utils import get_training_chat_template  # slow to import, and rarely needed

    try:
        return str(get_training_chat_template(tokenizer) or tokenizer.chat_template)
    except ValueError:
        raise BadInput(
            "the base model's own chat template does not mark what the assistant says, and is not a known one",
            expected="{% generation %} around the assistant's words",
            hint=f"set `training.template` to one of {', '.join(FORMATS)}",
        ) from None
