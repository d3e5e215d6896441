"""Rows of the layouts in which general instruction data is shared, as messages."""

import re
from collections.abc import Callable
from typing import Any

from contract.records import Message

ROLES = {
    "system": "system",
    "human": "user",
    "user": "user",
    "prompter": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "assistant": "assistant",
    "bot": "assistant",
    "model": "assistant",
}
SURROGATE = re.compile("[\ud800-\udfff]")
Fields = dict[str, Any]


class Malformed(Exception):
    """A row that is no conversation; the message says why."""


def alpaca(fields: Fields) -> list[Message]:
    """`instruction`, `input` (put under the instruction), `output`, and sometimes `system`."""
    instruction, output = _text(fields, "instruction"), _text(fields, "output")
    more = fields.get("input") or ""
    question = f"{instruction}\n\n{_is_text(more, 'input')}" if more else instruction
    return _conversation([*_system(fields), ("user", question), ("assistant", output)])


def sharegpt(fields: Fields) -> list[Message]:
    """`conversations`: a list of `from` (human, gpt, system) and `value`."""
    return _turns(fields, "conversations", "from", "value")


def openai(fields: Fields) -> list[Message]:
    """`messages`: a list of `role` and `content`."""
    return _turns(fields, "messages", "role", "content")


LAYOUTS: dict[str, Callable[[Fields], list[Message]]] = {"alpaca": alpaca, "sharegpt": sharegpt, "openai": openai}


def _turns(fields: Fields, name: str, role: str, content: str) -> list[Message]:
    turns = fields.get(name)
    if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
        raise Malformed(f"`{name}` is not a list of turns; the row has {', '.join(map(str, fields)) or 'no fields'}")
    return _conversation([*_system(fields), *((_role(turn.get(role)), _text(turn, content)) for turn in turns)])


def _conversation(turns: list[tuple[str, str]]) -> list[Message]:
    """Turns as messages: at most one system message, then user and assistant in turn, the assistant last."""
    roles = [role for role, _ in turns]
    spoken = roles[1:] if roles[:1] == ["system"] else roles
    if not spoken or spoken != ["user", "assistant"] * (len(spoken) // 2):
        raise Malformed(f"turns are {', '.join(roles) or 'absent'}; expected user and assistant in turn")
    return [Message.model_validate({"role": role, "content": content}) for role, content in turns]


def _system(fields: Fields) -> list[tuple[str, str]]:
    return [("system", _text(fields, "system"))] if fields.get("system") else []


def _role(name: Any) -> str:
    role = ROLES.get(str(name).lower())
    if role is None:
        raise Malformed(f"a turn is by {name!r}; known are {', '.join(ROLES)}")
    return role


def _text(fields: Fields, name: str) -> str:
    text = _is_text(fields.get(name), name)
    if not text.strip():
        raise Malformed(f"`{name}` is empty")
    return text


def _is_text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise Malformed(f"`{name}` is a {type(value).__name__}, not text")
    if SURROGATE.search(value):
        raise Malformed(f"`{name}` holds half a UTF-16 pair, which no file can store")
    return value
