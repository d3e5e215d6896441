"""One line of a file as decisions: as the review page writes them, or a record exported from Argilla.

Argilla's `Dataset.to_disk` and `records.to_json` write records with `fields`, `metadata` and `responses`; each question
has a list of one answer per user. The questions are those that review asks: `verdict`, `edited_answer`, `checklist`
and `comment`.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pydantic import ValidationError

from contract.keys import canonical_json, digest
from contract.records import Decision, Message, conversation_key

MALFORMED, UNANSWERED, UNSUBMITTED = "malformed", "unanswered", "not_submitted"
SURROGATE = re.compile("[\ud800-\udfff]")
Line = Mapping[str, Any]


class Refused(NamedTuple):
    """What is no decision, by which rule, and why."""

    rule: str
    why: str


class NoDecision(Exception):
    """A line that says something else; the message says what is wrong."""


def decisions_of(line: Line, names: Mapping[str, str]) -> Iterator[Decision | Refused]:
    """Every decision that a line holds, one for each reviewer; or what stands in its place."""
    try:
        if "responses" in line and "fields" in line:
            yield from _of_argilla(line, names)
        else:
            yield _decision({**line, "reviewer": _named(line.get("reviewer"), names)})
    except NoDecision as problem:
        yield Refused(MALFORMED, str(problem))


def _of_argilla(record: Line, names: Mapping[str, str]) -> Iterator[Decision | Refused]:
    answers = _by_user(record.get("responses") or {})
    if not answers:
        yield Refused(UNANSWERED, "nobody has answered yet")
    for user, answered in answers.items():
        try:
            yield _answered(record, _named(user, names), answered)
        except NoDecision as problem:
            yield Refused(MALFORMED, f"reviewer {user}: {problem}")


def _by_user(responses: Any) -> dict[str, dict[str, Line]]:
    """The answers of each user, by question."""
    if not isinstance(responses, dict):
        raise NoDecision(f"`responses` is a {type(responses).__name__}; expected answers by question")
    users: dict[str, dict[str, Line]] = {}
    for question, answers in responses.items():
        for answer in answers or []:
            if not isinstance(answer, dict):
                raise NoDecision(f"an answer to {question!r} is a {type(answer).__name__}; expected value and user_id")
            users.setdefault(str(answer.get("user_id")), {})[question] = answer
    return users


def _answered(record: Line, reviewer: str | None, answers: Mapping[str, Line]) -> Decision | Refused:
    statuses = {str(answer.get("status") or "submitted") for answer in answers.values()}
    if statuses != {"submitted"}:
        return Refused(UNSUBMITTED, f"reviewer {reviewer}: {', '.join(sorted(statuses))}")
    if "verdict" not in answers:
        return Refused(UNANSWERED, f"reviewer {reviewer} gave no verdict")
    given = {question: answer.get("value") for question, answer in answers.items()}
    shown = _shown(record)
    return _decision(
        {
            "sample_id": record.get("id"),
            "content": (record.get("metadata") or {}).get("content") or conversation_key(shown),
            "reviewer": reviewer,
            "verdict": given["verdict"],
            "messages": _edited(shown, given.get("edited_answer")) if given["verdict"] == "edit" else [],
            "checklist": dict.fromkeys(given.get("checklist") or [], True),
            "comment": given.get("comment") or "",
        }
    )


def _shown(record: Line) -> list[Message]:
    """The conversation that the reviewer saw."""
    turns = (record.get("fields") or {}).get("conversation")
    try:
        return [Message.model_validate(turn) for turn in turns or []]
    except (ValidationError, TypeError):
        raise NoDecision("`fields.conversation` is no list of turns with role and content") from None


def _edited(shown: Sequence[Message], answer: Any) -> list[dict[str, Any]]:
    if not isinstance(answer, str) or not answer.strip():
        raise NoDecision("the verdict is edit, but `edited_answer` is empty")
    if not shown or shown[-1].role != "assistant":
        raise NoDecision("the verdict is edit, but the conversation does not end with an answer")
    return [message.model_dump() for message in shown[:-1]] + [{"role": "assistant", "content": answer}]


def _decision(fields: Mapping[str, Any]) -> Decision:
    try:
        found = Decision.model_validate({**fields, "id": ""})
    except ValidationError as error:
        raise NoDecision(_in_words(error)) from None
    _check(found)
    if SURROGATE.search(canonical_json(found.model_dump())):
        raise NoDecision("it holds half a UTF-16 pair, which no file can store")
    found = found.model_copy(update={"decided_at": _in_utc(found.decided_at)})
    return found.model_copy(update={"id": f"decision-{digest(found.model_dump(exclude={'id'}))[:20]}"})


def _check(decision: Decision) -> None:
    for name in ("sample_id", "reviewer"):
        if not getattr(decision, name).strip():
            raise NoDecision(f"`{name}` is empty")
    if decision.seconds is not None and not (decision.seconds >= 0 and math.isfinite(decision.seconds)):
        raise NoDecision(f"`seconds` is {decision.seconds}; expected 0 or more")
    spoken = [message.role for message in decision.messages]
    spoken = spoken[1:] if spoken[:1] == ["system"] else spoken
    if decision.verdict != "edit":
        if spoken:
            raise NoDecision(f"the verdict is {decision.verdict}, but there are edited `messages`")
    elif not spoken or spoken != ["user", "assistant"] * (len(spoken) // 2):
        raise NoDecision(f"edited turns are {', '.join(spoken) or 'absent'}; expected user and assistant in turn")
    elif not all(message.content.strip() for message in decision.messages):
        raise NoDecision("an edited turn is empty")


def _in_utc(moment: str | None) -> str | None:
    """A time in UTC, so that two can be compared as text; one that names no zone is taken as UTC."""
    if moment is None:
        return None
    try:
        found = datetime.fromisoformat(moment)
    except ValueError:
        raise NoDecision(f"`decided_at` is {moment!r}; expected a time such as 2026-01-31T12:00:00Z") from None
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    return found.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _named(reviewer: Any, names: Mapping[str, str]) -> Any:
    return names.get(reviewer, reviewer) if isinstance(reviewer, str) else reviewer


def _in_words(error: ValidationError) -> str:
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"])
    return f"`{field}`: {first['msg']}"
