"""What people get to work with: the samples drawn, the form to fill in, and both as Argilla's client reads them.

`argilla.Dataset.from_disk(path="review/argilla")` of version 2 creates the dataset from `.argilla/dataset.json` (name
and status) and `.argilla/settings.json` (fields, questions, metadata), then logs `records.json`; what it writes by
`to_disk` after people have answered is read by decide.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from contract.config.review import ReviewConfig
from contract.records import Chunk, Decision, conversation_key
from contract.review_files import DrawnSample, Passage, ReviewForm
from curate.review.strata import Drawn

SHOWN = ("messages", "scores", "tags", "source", "document_id", "chunk_id")
VERDICTS = {"accept": "Accept", "edit": "Edit", "reject": "Reject"}
LABELS_SHOWN = 3  # Argilla's least number of labels that are visible at once


def form(config: ReviewConfig) -> ReviewForm:
    """The form: what reviewers are told, the verdicts, the statements to tick."""
    return ReviewForm(
        guidelines=config.guidelines,
        verdicts=[*VERDICTS],
        checklist=config.checklist,
        reviewers=config.reviewers,
    )


def line(drawn: Drawn, decisions: Sequence[Decision], passage: Chunk | None) -> DrawnSample:
    """One sample to look at, with who has decided about it, and the passage that it was made from, if known."""
    sample = drawn.sample
    return DrawnSample(
        content=conversation_key(sample.messages),
        sample_id=sample.id,
        stratum=drawn.stratum._asdict(),
        passage=passage and Passage(**passage.model_dump(include=set(Passage.model_fields))),
        reviewers=sorted(decision.reviewer for decision in decisions),
        **{name: getattr(sample, name) for name in SHOWN},
    )


def argilla_settings(config: ReviewConfig) -> dict[str, Any]:
    """Fields, questions and metadata of the dataset."""
    questions = [
        _question("verdict", "Verdict", _labels("label_selection", VERDICTS, visible_options=LABELS_SHOWN), True),
        _question("edited_answer", "The whole answer as it should be", {"type": "text", "use_markdown": True}),
        _question("comment", "Why", {"type": "text", "use_markdown": False}),
    ]
    if len(config.checklist) > 1:  # Argilla refuses a question with one label to choose from
        statements = _labels("multi_label_selection", {text: text for text in config.checklist})
        questions.append(_question("checklist", "What holds", statements))
    return {
        "guidelines": config.guidelines,
        "fields": [{"name": "conversation", "title": "Conversation", "required": True, **_chat()}],
        "questions": questions,
        "metadata": [_terms("content"), _terms("topic"), _terms("score"), _terms("length")],
        "vectors": [],
        "allow_extra_metadata": True,
        "distribution": {"strategy": "overlap", "min_submitted": config.reviewers},
        "mapping": None,
    }


def argilla_dataset(name: str, config: ReviewConfig) -> dict[str, Any]:
    """The dataset itself."""
    return {
        "name": name,
        "status": "ready",
        "guidelines": config.guidelines,
        "allow_extra_metadata": True,
        "distribution": {"strategy": "overlap", "min_submitted": config.reviewers},
    }


def argilla_record(drawn: DrawnSample) -> dict[str, Any]:
    """A line of the samples as a record."""
    return {
        "id": drawn.sample_id,
        "fields": {"conversation": [message.model_dump() for message in drawn.messages]},
        "metadata": {"content": drawn.content, **drawn.stratum},
        "suggestions": {},
        "responses": {},
        "vectors": {},
    }


def _chat() -> dict[str, Any]:
    return {"settings": {"type": "chat", "use_markdown": True}, "type": "chat"}


def _question(name: str, title: str, settings: dict[str, Any], required: bool = False) -> dict[str, Any]:
    return {"name": name, "title": title, "required": required, "settings": settings, "type": settings["type"]}


def _labels(kind: str, labels: Mapping[str, str], **more: Any) -> dict[str, Any]:
    options = [{"value": value, "text": text} for value, text in labels.items()]
    return {"type": kind, "options": options, "visible_options": None, **more}


def _terms(name: str) -> dict[str, Any]:
    settings = {"type": "terms", "values": None, "visible_for_annotators": name != "content"}
    return {"name": name, "title": name.capitalize(), "settings": settings, "visible_for_annotators": name != "content"}
