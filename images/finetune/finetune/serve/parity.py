"""Is what answers over HTTP the model that was trained? Compared by token ids and by greedy answers.

It speaks the two calls that vLLM's server has as well, so it checks either.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from contract.failures import BadInput, RemoteTrouble
from finetune.exported import ANSWER_TOKENS, Exchange

PATIENCE = 300.0
"""Seconds for one answer of 16 tokens; a large model on a CPU takes its time."""


@dataclass(frozen=True)
class Parity:
    """How many conversations were asked, and for how many the ids and the answers were the same."""

    asked: int
    same_ids: int
    same_answers: int
    first_difference: str = ""

    @property
    def holds(self) -> bool:
        """Whether nothing differs at all."""
        return self.asked == self.same_ids == self.same_answers


def check_parity(url: str, model: str, exchanges: Sequence[Exchange]) -> Parity:
    """Ask a server what the export wrote down. Raises `RemoteTrouble` when it does not answer."""
    ids = answers = 0
    first = ""
    for exchange in exchanges:
        asked = {"model": model, "messages": exchange.messages}
        got = _ask(f"{url}/tokenize", asked)["tokens"]
        said = _ask(f"{url}/v1/chat/completions", asked | {"temperature": 0, "max_tokens": ANSWER_TOKENS})
        text = said["choices"][0]["message"]["content"]
        ids, answers = ids + (got == exchange.ids), answers + (text.strip() == exchange.answer.strip())
        first = first or _difference(exchange, got, text)
    return Parity(len(exchanges), ids, answers, first)


def require(parity: Parity, where: str, exact: bool) -> None:
    """Raises `BadInput` where the ids differ, and where `exact`, where an answer does: other kernels than the export's
    may round another way, but no server may make other ids of a conversation."""
    if parity.same_ids < parity.asked or (exact and not parity.holds):
        raise BadInput(
            f"not the trained model: of {parity.asked} conversations {parity.same_ids} have the same token ids, "
            f"{parity.same_answers} the same answer; {parity.first_difference}",
            expected="all of them",
            where=where,
            hint="the server renders with another chat template, or adds a begin token of its own",
        )


def _difference(exchange: Exchange, ids: list[int], text: str) -> str:
    if ids != exchange.ids:
        at = next((i for i, pair in enumerate(zip(ids, exchange.ids, strict=False)) if pair[0] != pair[1]), -1)
        at = min(len(ids), len(exchange.ids)) if at < 0 else at
        return f"ids differ from token {at} on ({len(ids)} served, {len(exchange.ids)} trained)"
    return "" if text.strip() == exchange.answer.strip() else f"answered {text[:60]!r} and not {exchange.answer[:60]!r}"


def _ask(url: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.loads(answer.read())
    except urllib.error.HTTPError as error:
        said = error.read(300).decode(errors="replace")
        raise RemoteTrouble(f"the server refused with {error.code}: {said}", where=url) from None
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise RemoteTrouble(f"the server does not answer: {getattr(error, 'reason', error)}", where=url) from None
