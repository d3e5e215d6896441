"""explore's topics, map, languages and histograms: what the words say, whatever the order of rows."""

import json
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.config.explore import Topics
from contract.failures import BadConfig
from contract.records import Sample
from curate.explore.charts import APART, spots_by_topic
from curate.explore.draw import Draw
from curate.explore.histograms import BINS, score_histogram
from curate.explore.languages import languages
from curate.explore.space import NONE, clusters_of, places_of
from curate.explore.terms import Terms, telling, terms_of
from curate.explore.topics import Spot, find_topics
from curate_texts import read, sample, write_dataset
from tiny_onnx import write_model

SUBJECTS = {
    "bread": "flour yeast oven dough crust baker rye loaf knead crumb",
    "stars": "planet orbit comet galaxy telescope nebula moon eclipse asteroid gravity",
    "chess": "bishop rook knight pawn castle opening endgame checkmate queen gambit",
}


def talks(each: int = 30, **scores: float) -> list[Sample]:
    """Samples about three subjects, each with words of its own."""
    choose = random.Random(0)
    return [
        sample(
            f"{subject}-{n}",
            f"Tell me of {' '.join(choose.sample(words.split(), 2))}",
            " ".join(choose.choices(words.split(), k=12)),
            scores={name: value + (subject == "chess") for name, value in scores.items()},
        )
        for subject, words in SUBJECTS.items()
        for n in range(each)
    ]


def drawn(rows, size: int = 1_000, field: str = "conversation"):
    draw = Draw(size, field)
    draw.add(rows)
    return draw.rows()


def subjects_of(found) -> list[set[str]]:
    """Of each topic the subjects of its samples."""
    return [
        {name.split("-")[1] for name, topic in found.of_samples.items() if topic == number + 1}
        for number in range(len(found.topics))
    ]


ENOUGH = [
    Topics(count=3),
    Topics(count=3, embedding={}),
    Topics(count=3, field="answer"),
    Topics(method="hdbscan", least=10),
    Topics(method="dbscan", distance=0.9, dimensions=6),
]


@pytest.mark.parametrize(
    "config", ENOUGH, ids=lambda config: f"{config.method} {config.field} {config.embedding and 1}"
)
def test_each_subject_is_a_topic_named_by_its_words(config):
    found = find_topics(drawn(talks(judge=2.0), field=config.field), config, examples=2)
    assert sorted(map(sorted, subjects_of(found))) == [["bread"], ["chess"], ["stars"]]
    for topic, (subject,) in zip(found.topics, subjects_of(found), strict=True):
        assert set(topic["label"].split(", ")) < set(SUBJECTS[subject].split())
        assert topic["scores"] == {"judge": 3.0 if subject == "chess" else 2.0}
        assert [example["id"].split("-")[1] for example in topic["examples"]] == [subject] * 2
    sizes = [topic["samples"] for topic in found.topics]
    assert sum(sizes) + found.summary(90)["outside"] == 90
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("layout", ["pca", "tsne"])
def test_the_map_puts_samples_of_one_subject_together(layout):
    found = find_topics(drawn(talks()), Topics(count=3, layout=layout), examples=0)
    assert len(found.spots) == 90
    places = np.array([(spot.x, spot.y) for spot in found.spots])
    assert places.min() == 0
    assert places.max() == 1
    subjects = np.array([spot.id.split("-")[1] for spot in found.spots])
    middles = {name: places[subjects == name].mean(axis=0) for name in SUBJECTS}
    for name in SUBJECTS:
        away = min(np.hypot(*(middles[name] - middles[other])) for other in SUBJECTS if other != name)
        assert np.median(np.hypot(*(places[subjects == name] - middles[name]).T)) < away / 2


ORDERED = [Topics(), Topics(embedding={}), Topics(method="hdbscan")]


@pytest.mark.parametrize("config", ORDERED, ids=["words", "vectors", "hdbscan"])
def test_topics_do_not_depend_on_the_order_of_rows(config):
    rows = talks()
    shuffled = random.Random(3).sample(rows, len(rows))
    assert find_topics(drawn(rows), config, 2) == find_topics(drawn(shuffled), config, 2)


def test_the_draw_is_bounded_and_the_same_in_any_order():
    rows = [sample(n, f"question {n}", "x" * 9_000) for n in range(300)]
    some = drawn(rows, size=40)
    assert some == drawn(rows[::-1], size=40)
    assert len(some) == 40
    assert max(len(row.text) + len(row.answer) + len(row.instruction) for row in some) < 6_000
    assert [row.id for row in drawn(rows, size=20)] == [row.id for row in some][:20]


def test_few_rows_and_rows_without_words_have_no_topics():
    assert find_topics(drawn(talks(3)), Topics(), 1) is None
    assert find_topics(drawn([sample(n, "?", f"{n} !") for n in range(50)]), Topics(), 1) is None
    assert find_topics([], Topics(), 1) is None


def test_a_sample_of_no_known_word_has_no_topic():
    found = find_topics(drawn([*talks(), sample("odd", "?", "42 !")]), Topics(count=3), 1)
    assert found.of_samples["sample-odd"] == 0
    assert found.summary(91)["outside"] == 1


def test_equal_samples_are_one_topic():
    rows = [sample(n, "Why?", "The moon is round.") for n in range(6)]
    found = find_topics(drawn([*rows, *(sample(f"b{n}", "How?", "Bread needs yeast.") for n in range(6))]), Topics(), 1)
    assert [topic["samples"] for topic in found.topics] == [6, 6]


def test_dbscan_refuses_a_distance_that_makes_all_neighbours():
    vectors = np.ones((8_000, 2)) / 2**0.5
    with pytest.raises(BadConfig, match="about 64,000,000 pairs of samples are within 1 of each other"):
        clusters_of(vectors, Topics(method="dbscan", distance=1))


@pytest.mark.parametrize("method", ["kmeans", "hdbscan", "dbscan"])
def test_zero_vectors_are_in_no_cluster(method):
    assert (clusters_of(np.zeros((12, 3)), Topics(method=method)) == NONE).all()
    assert places_of(np.zeros((40, 3)), Topics()).shape == (40, 2)


def test_terms():
    assert terms_of("See https://a.example/x?y=1, mail me@b.example: Owls OWLS x2 of 99") == [
        "see", "mail", "owls", "owls",
    ]  # fmt: skip
    assert terms_of("日本語の本") == ["日本", "本語", "語の", "の本"]
    assert terms_of("Tea 茶の道, tea道house") == ["tea", "tea", "house", "茶の", "の道"]
    assert terms_of("żółty Straße") == ["żółty", "straße"]


@pytest.mark.timeout(20)
def test_long_tokens_take_no_more_than_their_length():
    for text in ("a" * 2_000_000, ":/" * 1_000_000, "w" * 1_000_000 + "@", "@" * 1_000_000):
        terms_of(text)


def test_the_weight_of_a_term_is_its_share_times_its_rarity():
    counts = np.array([[2.0, 2.0, 0.0], [1.0, 0.0, 3.0], [9.0, 9.0, 9.0]])
    found = telling(Terms(counts, ["both", "one", "other"]), np.array([0, 1, -1]), 2, 2)
    assert [[term for term, _ in some] for some in found] == [["one", "both"], ["other", "both"]]
    assert found[0][0][1] == pytest.approx(2 / 4 * np.log(1 + 4 / 2), abs=1e-6)


def test_languages():
    german = "Der Mond ist aufgegangen, die goldnen Sternlein prangen am Himmel hell und klar."
    english = "The moon has risen, and the little golden stars shine in the sky so bright and clear."
    rows = [sample(n, "?", text) for n, text in enumerate([german, english, english, " ", ""])]
    found = languages(drawn(rows))
    assert found == {"sampled": 5, "known": 2, "found": [("(no words)", 2), ("en", 2), ("de", 1)]}


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True) | st.integers(0, 10).map(float), max_size=80))
def test_a_histogram_counts_every_finite_score_once(scores):
    bins = score_histogram(scores)
    finite = [score for score in scores if np.isfinite(score)]
    assert sum(entry["count"] for entry in bins) == len(finite)
    assert len(bins) <= BINS + 2
    assert all(entry["from"] <= entry["to"] for entry in bins)


def test_the_bins_of_a_rubric():
    bins = score_histogram([1, 1.5, 2, 4, 5])
    assert (bins[0]["from"], bins[-1]) == (1.0, {"from": 4.8, "to": 5.0, "count": 1})
    assert bins[1] == {"from": 1.2, "to": 1.4, "count": 0}
    assert score_histogram([3.0, 3.0]) == [{"from": 3.0, "to": 3.0, "count": 2}]


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.integers(0, 5)), max_size=60))
def test_numbers_on_the_map_do_not_cover_each_other(places):
    groups = spots_by_topic([Spot(str(n), x, y, topic, "") for n, (x, y, topic) in enumerate(places)])
    assert sum(len(group["points"]) for group in groups) == len(places)
    marks = [group["mark"] for group in groups if group["mark"]]
    assert len(marks) == len({topic for *_, topic in places if topic})
    for n, one in enumerate(marks):
        assert all(abs(one["x"] - other["x"]) + abs(one["y"] - other["y"]) >= APART - 0.5 for other in marks[:n])


HOSTILE = "<script>alert('x')</script> </style></svg>"


def test_the_report_shows_topics_and_says_what_they_rest_on(run_stage, tmp_path):
    rows = [row.model_copy(update={"messages": [row.messages[0], *hostile(row)]}) for row in talks(judge=2.0)]
    env = {"NOCTURNE_STORE": str(tmp_path)}
    write_model(
        tmp_path / "models" / "one", {word: [float(n), 1.0] for n, word in enumerate(["[UNK]", "bread", "moon"])}
    )
    encoder = {"encoder": "sentence_transformer", "model": "models/one"}
    inputs = [("rows", write_dataset(tmp_path / "in", rows, Sample))]
    config = {"sample": 60, "examples": 2, "topics": {"points": 40}}
    done = read(run_stage("curate", "explore", config, inputs, env=env).result["uri"])
    page, topics = done.file("report.html").read_text(), json.loads(done.file("topics.json").read_text())
    assert "<script" not in page
    assert page.count("</style>") == page.count("</svg>") - 3 == 1, "the map, two lengths and a score, and nothing else"
    assert page.count("<circle") == 40 == len(topics["map"])
    assert "They rest on 60 of 90 samples" in page
    assert len(topics["samples"]) == 60
    report = json.loads(done.file("report.json").read_text())
    assert report["topics"]["topics"] == topics["topics"]
    assert sum(entry["count"] for entry in report["scores"]["judge"]["histogram"]) == 90
    assert done.manifest.metrics["topics"] == len(topics["topics"])
    config["topics"]["embedding"] = encoder
    other = read(run_stage("curate", "explore", config, inputs, env=env).result["uri"])
    assert [parent.input for parent in other.manifest.parents].count("sources") == 1
    plain = run_stage("curate", "explore", {"topics": None, "languages": False}, inputs, env=env).result
    assert [file.path for file in read(plain["uri"]).manifest.files] == ["report.json", "report.html", "preview.json"]


def hostile(row: Sample):
    return [message.model_copy(update={"content": f"{message.content} {HOSTILE}"}) for message in row.messages[1:]]
