"""How many tokens a prompt may have, before a server has counted them."""

import string
from collections.abc import Iterable

from contract.records import Message

LETTERS = (string.ascii_letters + string.whitespace).encode()
# The rule of thumb is four characters of English prose per token; three is on the safe side. Every digit, sign and
# character beyond ASCII is taken for a token of its own.
LETTERS_PER_TOKEN = 3
TOKENS_PER_MESSAGE = 8
"""Role and separators of one message in a chat template."""


def most_tokens(messages: Iterable[Message]) -> int:
    """A number of tokens that a prompt is unlikely to pass."""
    return sum(TOKENS_PER_MESSAGE + text_tokens(message.content) for message in messages)


def text_tokens(text: str) -> int:
    """The same for one text."""
    data = text.encode("utf-8", "surrogatepass")
    letters = len(data) - len(data.translate(None, LETTERS))
    return -(-letters // LETTERS_PER_TOKEN) + len(text) - letters
