"""Answers that were paid for, one object each, shared by all runs and recipes."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import orjson
from pydantic import ValidationError

from generate.llm.answer import Answer, Stored
from generate.llm.question import Question
from stagekit.store import Store


class AnswerCache:
    """Answers by the key of their question. Only complete answers are kept: trouble is never remembered,
    and what turns out to be trouble in the guise of answers is forgotten."""

    def __init__(self, store: Store, log: logging.Logger) -> None:
        self.store, self.log = store, log

    @property
    def threads(self) -> int:
        """How many threads of its own such a store is worth: S3 makes them wait; a file is quicker than that."""
        return 16 if self.store.root.scheme == "s3" else 0

    def get_all(self, questions: Sequence[Question]) -> list[Answer | None]:
        """The answers kept for some questions."""
        return [self.get(question) for question in questions]

    def put_all(self, answers: Sequence[tuple[Question, Answer]]) -> list[Answer]:
        """Keep some answers; returns the ones to use."""
        return [self.put(question, answer) for question, answer in answers]

    def get(self, question: Question) -> Answer | None:
        """The answer kept for a question, or None."""
        data = self.store.read(_name(question))
        return None if data is None else self._decode(question, data)

    def put(self, question: Question, answer: Answer) -> Answer:
        """Keep an answer; returns the one to use: the first of two runs that asked the same at once wins."""
        data = _encoded(question, answer)
        if self.store.create(_name(question), data, synced=False):
            return answer
        first = self.get(question)
        if first is None:
            self.store.write(_name(question), data)
        return first or answer

    def known(self, questions: Sequence[Question]) -> int:
        """How many of some questions have an answer here."""
        names = map(_name, questions)
        if not self.threads:
            return sum(self.store.stat(name) is not None for name in names)
        with ThreadPoolExecutor(self.threads) as threads:
            return sum(entry is not None for entry in threads.map(self.store.stat, names))

    def forget_all(self, questions: Sequence[Question]) -> Sequence[Question]:
        """Remove the answers to some questions."""
        for question in questions:
            self.store.delete(_name(question))
        return questions

    def _decode(self, question: Question, data: bytes) -> Answer | None:
        """A damaged object counts as absent; the answer that is then paid for replaces it."""
        try:
            return Stored.model_validate_json(data).answer
        except ValidationError:
            self.log.warning("damaged answer in the cache, asking again", extra={"fields": {"key": question.key}})
            return None


def _encoded(question: Question, answer: Answer) -> bytes:
    """A `Stored`; half a UTF-16 pair, which models write, is kept as it came."""
    try:
        return orjson.dumps({"format": 1, "question": question.identity, "answer": answer.model_dump()})
    except TypeError:
        stored = Stored(question=question.identity, answer=answer)
        return stored.model_dump_json().encode("utf-8", "surrogatepass")


def _name(question: Question) -> str:
    return f"{question.key[:2]}/{question.key}.json"
