"""From what a person typed to a decision; no HTML and no store here."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import get_args

from contract.failures import BadInput
from contract.records import Decision, Message
from contract.review_files import DrawnSample, ReviewForm

LONGEST_TURN = 200_000
LONGEST_COMMENT = 5_000
"""Characters that one may type."""
LONGEST_LOOK = 3_600
"""Seconds after which nobody was looking any more, and the time says nothing."""
VERDICTS = get_args(Decision.model_fields["verdict"].annotation)

Fields = Mapping[str, str]


def can_be_edited(messages: Sequence[Message]) -> bool:
    """Whether `decide` would take an edit of this conversation: questions and answers in turn, of a bearable length."""
    spoken = [message.role for message in messages]
    spoken = spoken[1:] if spoken[:1] == ["system"] else spoken
    in_turn = bool(spoken) and spoken == ["user", "assistant"] * (len(spoken) // 2)
    return in_turn and all(len(message.content) <= LONGEST_TURN for message in messages)


def decision_of(sample: DrawnSample, form: ReviewForm, reviewer: str, fields: Fields, now: datetime) -> Decision:
    """The decision that the fields of the form make.

    `verdict`, `turn-N` for each turn, `check-N` for each statement that was ticked, `comment`, and `opened`, when the
    page was made. Whoever ticks nothing has said nothing about the statements. Raises `BadInput` for what is no
    decision, in words for the reviewer.
    """
    verdict = fields.get("verdict", "")
    if verdict not in VERDICTS:
        raise BadInput("no verdict was given", expected="accept, reject or an edit")
    comment = plain(fields.get("comment", "")).strip()
    if len(comment) > LONGEST_COMMENT:
        raise BadInput(f"a comment of {len(comment):,} characters", expected=f"{LONGEST_COMMENT:,} at most")
    ticks = {statement: f"check-{n}" in fields for n, statement in enumerate(form.checklist)}
    edited = [] if verdict == "reject" else _edited(sample, fields)
    if verdict == "accept" and edited:
        raise BadInput("the text was changed, but accepted as it was", expected="Save edit, or the text unchanged")
    if verdict == "edit" and not edited:
        raise BadInput("nothing was changed", expected="a change to save, or Accept")
    return Decision(
        id="",
        sample_id=sample.sample_id,
        content=sample.content,
        reviewer=reviewer,
        verdict=verdict,  # type: ignore[arg-type]
        messages=edited if verdict == "edit" else [],
        checklist=ticks if any(ticks.values()) else {},
        comment=comment,
        seconds=_seconds(fields.get("opened", ""), now),
        decided_at=moment(now),
    )


def moment(now: datetime) -> str:
    """A time as decisions have it."""
    return now.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def plain(text: str) -> str:
    """Text with line breaks as they were before a browser sent them."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _edited(sample: DrawnSample, fields: Fields) -> list[Message]:
    """The conversation with its changes; empty where there are none."""
    before = sample.messages
    after = [_typed(message, fields.get(f"turn-{n}")) for n, message in enumerate(before)]
    if after == before:
        return []
    if not can_be_edited(before):
        raise BadInput("this conversation cannot be edited", expected="accept or reject")
    for number, message in enumerate(after, 1):
        if not message.content.strip():
            raise BadInput(f"turn {number} ({message.role}) is empty", expected="text")
        if len(message.content) > LONGEST_TURN:
            raise BadInput(
                f"turn {number} has {len(message.content):,} characters", expected=f"{LONGEST_TURN:,} at most"
            )
    return after


def _typed(message: Message, text: str | None) -> Message:
    """A turn with what stands in its field; as it was, where that differs in nothing but line breaks."""
    if text is None or plain(text) == plain(message.content):
        return message
    return message.model_copy(update={"content": plain(text)})


def _seconds(opened: str, now: datetime) -> float | None:
    """How long somebody looked, rounded; None where that is not known."""
    try:
        seconds = (now - datetime.fromisoformat(opened)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return round(seconds, 1) if 0 <= seconds <= LONGEST_LOOK else None
