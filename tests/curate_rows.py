"""Rows and files on which each field of a curate stage's config can show what it does."""

import random

from contract.records import Decision
from curate_texts import document, sample

SYLLABLES = ("ba", "cor", "dun", "el", "fir", "gam", "hol", "jas", "kel", "lo", "mur", "nev", "pil", "tas")
PROSE = "The first of them was there to be seen. It had a long way to go, and that was with us all day. "
QUESTION = "How many golden apples does the gardener give to each of her seven clever daughters before winter?"
LONG_QUESTION = QUESTION + " Explain the way in which she counts them, one by one, in front of the old stone house."
WRITES = "Writes functions counting letters, sorting the results: apples come before winter"
INFLECTED = "Write function to count letter, sort the result: apples come before winters. Then a gardener gives to each"


def words(seed: int, count: int) -> list[str]:
    """Made-up words: no two seeds share a run of them."""
    choose = random.Random(seed)
    return ["".join(choose.choices(SYLLABLES, k=3)) for _ in range(count)]


def variant(seed: int, of: list[str], changed: int) -> str:
    """A text with its last words replaced: the more, the less similar."""
    return " ".join(of[: len(of) - changed] + words(seed, changed))


ORIGINAL = words(0, 60)
EXACT_COPY = " ".join(ORIGINAL).upper()
CLOSE, FAR = variant(1, ORIGINAL, 4), variant(2, ORIGINAL, 14)  # Jaccard 0.87 and 0.6 on 5-grams
FAMILY = [variant(100 + n, ORIGINAL, 14) for n in range(30)]
SENTENCES = " ".join(f"{' '.join(words(50 + n, 8)).capitalize()}." for n in range(12))
MARKDOWN = "\n\n".join(f"# Part {n}\n\n{' '.join(words(70 + n, 20))}" for n in range(6))
FAKE_TOKEN = "ghp_" + "a1B2c3D4e5F6g7H8i9J0" * 2  # made up here, so that no scanner takes it for a real one
DOCUMENTS = {
    "plain": [document(0, f"{PROSE * 3}\nAdvert: buy now!"), document(1, "Short – text.", license="MIT")],
    "dupes": [
        document(0, " ".join(ORIGINAL), created_at="2026-02-02"),
        document(1, EXACT_COPY, created_at="2026-01-01"),
        document(2, CLOSE + " and one", created_at="2026-03-03"),
        document(3, FAR),
        document(4, " ".join(sorted(ORIGINAL))),
    ],
    "family": [document(n, text) for n, text in enumerate(FAMILY)],
    "held": [
        document(0, f"{PROSE}\n{QUESTION}\n{PROSE}"),
        document(1, f"{PROSE} {' '.join(QUESTION.split()[:12])}"),
        document(2, "Short item\nand more text below it"),
        document(3, " ".join(LONG_QUESTION.split()[:14])),
        document(4, PROSE),
    ],
    "reworded": [document("inflected", INFLECTED), document(1, PROSE)],
    "from": [
        document("judge", PROSE, url="https://www.judge.example/problem/1"),
        document("set", PROSE, source="exam-set"),
        document("licence", PROSE, license="Exam Only"),
    ],
    "pages": [document(n, f"{'Home | About' if n < 2 else 'Start'}\n{' '.join(words(400 + n, 9))}") for n in range(4)],
    "private": [
        document("who", "Mail ada@mail.example.org, born on 10 December 1985, call 020 7946 0958 or 020 7946 0000."),
        document("bank", "Pay 4111 1111 1111 1111 or GB82WEST12345698765432. SSN 457-55-5462, PESEL 44051401359."),
        document(
            "net", "The host 81.2.69.160 and 10.0.0.7, 00:1b:63:84:45:e6, 8.8.4.44 is an IP, https://ada:lovelace@x.y."
        ),
        document("secret", f"the key is {FAKE_TOKEN} and api_key = 'k3J9x2Qp7Lm4Zt8W'"),
    ],
    "two_batches": [document(n, f"Row {n} – text") for n in range(2_001)],
    "long": [document(0, SENTENCES), document(1, MARKDOWN)],
    "shapes": [
        document("json", '{"a": 1}'),
        document("code", "```python\ndef :\n```\nIt was there."),
        document("repeats", f"{PROSE}\n" * 9),
        document("list", "\n".join(f"- item {n}" for n in range(40))),
        document("open", "Copyright of whoever it was, and then"),
    ],
}


SAMPLES = {
    "pairs": [
        sample(0, "What does the extract say?", PROSE, "d0", license="MIT"),
        sample(1, "Name a fruit that is red", "I'm sorry, but I cannot help with that.", "d1"),
        sample(2, "Repeat these six words after me", "Repeat these six words after me", "d2"),
        sample(3, "A different question altogether", PROSE, "d3"),
    ],
    "scored": [
        sample(
            n,
            f"Question {n} {'kind' if n % 2 else 'rude'}",
            f"{n} {' '.join(words(n % 2, 6))} and {' '.join(words(n, 6))}",
            scores={"quality": n % 2 * 4 + n % 3 / 2, "other": n % 2 * 4 + 1.5},
            tags=[f"tag {n % 2}"],
            source=f"source {n % 3}",
        )
        for n in range(120)
    ],
    "many": [sample(n, f"Question {n}?", " ".join(words(200 + n, 30)), f"d{n}") for n in range(24)]
    + [sample(90 + n, f"Twin {n}?", variant(300 + n, words(9, 60), 14), f"twin{n}") for n in range(2)],
}


VERDICTS = [
    Decision(id=f"d{n}", sample_id=f"sample-{n}", reviewer="ann", verdict="accept" if n % 2 else "reject")
    for n in range(2, 120)
] + [
    Decision(id="b2", sample_id="sample-2", reviewer="bob", verdict="accept"),
    Decision(id="c2", sample_id="sample-2", reviewer="cy", verdict="accept"),
]


LINE = {"sample_id": "sample-1", "reviewer": "u1", "verdict": "accept"}
FILES = {
    "a/one.jsonl": [{"text": "One text.", "title": "One", "by": "Ann", "extra": {"x": 7}}, {"text": "Two."}, {"no": 1}],
    "a/two.jsonl": [{"text": "Another file."}, {"text": "y" * 2_000}],
    "nested.json": {"first": [{"text": "In the first."}], "second": [{"text": "In the second."}]},
    "bench.jsonl": [{"question": QUESTION, "hint": "nothing of it is here"}, {"question": "Short item", "hint": "x"}],
    "long.jsonl": [{"question": LONG_QUESTION}],
    "tasks.jsonl": [{"question": task} for task in (WRITES, "a gardener gives to each daughter")],
    "lists.json": {
        "easy": [{"question": QUESTION, "instruction": "Do easy", "output": "Done easily"}],
        "hard": [{"question": "Never asked of anybody", "instruction": "Do hard", "output": "Done with pains"}],
    },
    "decisions.jsonl": [LINE, {"text": "no decision"}],
    "more_decisions.jsonl": [LINE | {"verdict": "reject"}],
    "lists_of_decisions.json": {"early": [LINE], "late": [LINE | {"verdict": "reject"}]},
    "alpaca.jsonl": [{"instruction": f"Do {n}", "output": f"Done {n}"} for n in range(9)],
    "other.jsonl": [{"instruction": "Do other", "output": "Done other", "messages": []}],
}  # fmt: skip
