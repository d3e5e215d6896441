"""What the review pages show, worked out from a draw and its decisions; no HTML here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from airflow_side.catalog import Catalog
from airflow_side.deciding import can_be_edited, moment
from airflow_side.reviews import Draw, Progress, applied
from contract.agreement import report
from contract.records import Decision
from contract.review_files import DrawnSample

ON_A_SHEET = 100
TITLE = 160  # characters of a sample's heading


@dataclass(frozen=True)
class SampleRow:
    """One line of the list, with my verdict."""

    number: int
    sample: DrawnSample
    title: str
    state: Progress
    verdict: str


@dataclass(frozen=True)
class ListView:
    """A draw: how far it is, and one sheet of its samples. `following` is the next for me, empty where none is."""

    draw: Draw
    me: str
    may_decide: bool
    rows: list[SampleRow]
    sheet: int
    sheets: int
    mine: int
    enough: int
    following: str
    compared: Mapping[str, Any]
    applied: Mapping[str, Any] | None


@dataclass(frozen=True)
class Turn:
    """One turn of the conversation, and what its field holds."""

    role: str
    content: str
    typed: str


@dataclass(frozen=True)
class SampleView:
    """One sample. `others` is None as long as I am not to see what others said."""

    draw: Draw
    sample: DrawnSample
    number: int
    may_decide: bool
    state: Progress
    turns: list[Turn]
    editable: bool
    mine: Decision | None
    others: list[Decision] | None
    before: str
    after: str
    following: str
    done: list[Decision]
    done_content: str
    opened: str


def list_view(catalog: Catalog, draw: Draw, me: str, may_decide: bool, sheet: int) -> ListView:
    """The list, by sheets of a hundred."""
    states = [draw.progress(one, me) for one in draw.samples]
    seen = draw.seen_by(me, may_decide)
    sheets = max(-(-len(states) // ON_A_SHEET), 1)
    sheet = min(max(sheet, 1), sheets)
    following = draw.next_for(me) if may_decide else None
    first = (sheet - 1) * ON_A_SHEET
    shown = list(zip(draw.samples, states, strict=True))[first : first + ON_A_SHEET]
    return ListView(
        draw=draw,
        me=me,
        may_decide=may_decide,
        rows=[
            SampleRow(n, one, _title(one), state, _verdict(seen.get(one.content, ()), me))
            for n, (one, state) in enumerate(shown, first + 1)
        ],
        sheet=sheet,
        sheets=sheets,
        mine=sum(state.mine for state in states),
        enough=sum(state.enough for state in states),
        following=following.content if following else "",
        compared=report([*seen.values()]),
        applied=applied(catalog, draw),
    )


def sample_view(draw: Draw, place: int, me: str, may_decide: bool, done: str, now: datetime) -> SampleView:
    """One sample, and what was decided about the one before it."""
    sample, before = draw.samples[place], draw.place(done)
    wanted = [sample] if before is None or before == place else [sample, draw.samples[before]]
    decisions = draw.files.about(wanted)
    about = decisions.get(sample.content, [])
    mine = _of(about, me)
    edited = mine.messages if mine and len(mine.messages) == len(sample.messages) else sample.messages
    following = draw.next_for(me, place)
    last = decisions.get(done, []) if before is not None else []
    return SampleView(
        draw=draw,
        sample=sample,
        number=place + 1,
        may_decide=may_decide,
        state=draw.progress(sample, me),
        turns=[Turn(m.role, m.content, e.content) for m, e in zip(sample.messages, edited, strict=True)],
        editable=can_be_edited(sample.messages),
        mine=mine,
        others=[each for each in about if each != mine] if mine or not may_decide else None,
        before=draw.samples[place - 1].content if place else "",
        after=draw.samples[place + 1].content if place + 1 < len(draw.samples) else "",
        following=following.content if following else "",
        done=_mine_first(last, me),
        done_content=done,
        opened=moment(now),
    )


def _title(sample: DrawnSample) -> str:
    asked = next((message.content for message in sample.messages if message.role == "user"), sample.sample_id)
    return asked if len(asked) <= TITLE else f"{asked[:TITLE]}…"


def _verdict(decisions: Sequence[Decision], me: str) -> str:
    mine = _of(decisions, me)
    return mine.verdict if mine else ""


def _of(decisions: Sequence[Decision], me: str) -> Decision | None:
    return next((each for each in decisions if each.reviewer == me), None)


def _mine_first(decisions: Sequence[Decision], me: str) -> list[Decision]:
    """What I and then others said; nothing where I have said nothing."""
    mine = _of(decisions, me)
    return [mine, *(each for each in decisions if each != mine)] if mine else []
