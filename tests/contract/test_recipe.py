"""A wrong recipe is refused with its file, the field, the value found and what is allowed."""

from itertools import pairwise

import pytest

from contract.failures import BadConfig
from contract.recipe import Recipe, load_recipe

GOOD = "name: trial\ningest:\n  sources:\n    - uri: raw\n"

BILLION = "title: &a [x, x]\n" + "".join(
    f"{after}: &{after} [{', '.join([f'*{name}'] * 9)}]\n" for name, after in pairwise("abcdefghij")
)
WRONG = [
    ("not a mapping", "- 1\n", ["found [1]", "a mapping of fields"]),
    ("empty", "", ["found null", "a mapping of fields"]),
    ("not YAML", "name: [\n", ["not YAML"]),
    ("control character", "name: \x00\n", ["not YAML"]),
    ("an escaped NUL", GOOD.replace("raw", '"r\\0w"'), ["the character NUL"]),
    ("an empty address", GOOD.replace("raw", '""'), ["`ingest.sources.0.uri` is"]),
    ("an address of two lines", GOOD.replace("raw", '"a\\nb"'), ["`ingest.sources.0.uri` is"]),
    ("an address without end", GOOD.replace("raw", "a" * 2_001), ["at most 2000"]),
    ("endless money", GOOD + "limits: {money: .inf}\n", ["`limits.money` is Infinity", "finite"]),
    ("more tokens than there are", GOOD + f"limits: {{tokens: {10**30}}}\n", ["`limits.tokens` is 1000"]),
    ("nested deep", GOOD + "title: " + "{a: " * 2_000 + "\n", ["not YAML: nested too deep"]),
    ("inside itself", GOOD + "title: &a [*a]\n", ["inside itself by an alias"]),
    ("a small text for a billion values", GOOD + BILLION, ["aliases unfold to over 100,000 values"]),
    ("a megabyte", GOOD + "#" * 1_000_000, ["characters of YAML; expected 200,000 at most"]),
    ("no schedule", GOOD + "schedule: at night\n", ['`schedule` is "at night"', "2 fields; expected minute, hour"]),
    ("another name", GOOD.replace("trial", "other"), ["`name` is 'other'", "'trial', the file's own name"]),
    ("bad name", GOOD.replace("trial", "Trial!"), ['`name` is "Trial!"', "pattern"]),
    ("no sources", "name: trial\n", ["`ingest` is missing"]),
    ("empty sources", "name: trial\ningest: {sources: []}\n", ["`ingest.sources` is []", "at least 1 item"]),
    ("unknown section", GOOD + "clena: {}\n", ["unknown field `clena`"]),
    ("unknown field", GOOD + "instruct: {pears: 3}\n", ["unknown field `instruct.pears`", "--help"]),
    ("unknown field of a source", GOOD + "      path: x\n", ["unknown field `ingest.sources.0.path`"]),
    ("wrong type", GOOD + "instruct: {pairs: many}\n", ['`instruct.pairs` is "many"', "valid integer"]),
    ("too large", GOOD + "instruct: {pairs: 51}\n", ["`instruct.pairs` is 51", "less than or equal to 50"]),
    ("too small", GOOD + "ingest: {sources: [{uri: a}], max_rejected: -1}\n", ["max_rejected` is -1", "equal to 0"]),
    ("not one of", GOOD + "instruct: {provider: magic}\n", ['`instruct.provider` is "magic"', "'extractive'"]),
    ("an opponent for nothing", GOOD + "judge: {opponent: {model: m}}\n", ["expected method: pairwise"]),
    ("a share over one", GOOD + "judge: {method: pairwise, drop_below: 3}\n", ["drop_below is 3; expected 0 to 1"]),
    ("a judge twice", GOOD + "judge: {judges: [{model: m}, {model: m}]}\n", ["named twice among `judges`"]),
    ("a criterion twice", GOOD + "judge: {criteria: [helpful-1, helpful-2]}\n", ["two criteria are named helpful"]),
    ("limits in the wrong place", GOOD + "instruct: {limits: {money: 1}}\n", ["expected the limits under `limits`"]),
    ("a judge's limits in the wrong place", GOOD + "judge: {limits: {money: 1}}\n", ["judge.limits is set"]),
    (
        "weights saved that were never evaluated",
        GOOD + "finetune: {eval_every: 10, save_every: 15, training: {early_stopping: 2}}\n",
        ["`finetune` is", "save_every 15 is no multiple of eval_every 10"],
    ),
    (
        "a classifier learnt from decisions that are nowhere",
        GOOD + "learn_quality: {labels: decisions}\n",
        ["expected `review`, or `decide` that says where they are"],
    ),
    ("decisions that nothing uses", GOOD + "decide: {}\n", ["nothing uses the decisions of `decide`"]),
    ("negative money", GOOD + "limits: {money: -1}\n", ["`limits.money` is -1", "equal to 0"]),
]


@pytest.fixture
def refuse(tmp_path):
    def call(text: str) -> str:
        path = tmp_path / "trial.yaml"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(BadConfig) as caught:
            load_recipe(path)
        assert str(path) in str(caught.value)
        return str(caught.value)

    return call


@pytest.mark.parametrize(("text", "said"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_a_wrong_recipe_is_refused_in_words(refuse, text, said):
    message = refuse(text)
    for words in said:
        assert words in message
    assert "\n" not in message


def test_all_that_is_wrong_is_said_at_once(refuse):
    message = refuse(GOOD + "instruct: {pairs: 0, temperature: 9}\nowners: me\n")
    for field in ("instruct.pairs", "instruct.temperature", "owners"):
        assert f"`{field}`" in message


def test_bytes_that_are_not_text_are_refused(tmp_path):
    path = tmp_path / "trial.yaml"
    path.write_bytes(b"name: \xff\xfe")
    with pytest.raises(BadConfig, match="not YAML"):
        load_recipe(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BadConfig, match=r"cannot be read: No such file.*none\.yaml"):
        load_recipe(tmp_path / "none.yaml")


def test_a_small_recipe_is_all_defaults(tmp_path):
    path = tmp_path / "trial.yaml"
    path.write_text(GOOD)
    recipe = load_recipe(path)
    assert recipe.schedule == "0 2 * * *"
    assert recipe.instruct.provider == "extractive"


@pytest.mark.parametrize(
    "wrong",
    [
        "instruct: {base_url: 'http://ada:hunter2@llm.example/v1'}",
        "instruct: {base_url: 'http://ada:hun/ter2@llm.example/v1'}",
        "instruct: {base_url: 'ftp://llm.example/v1?api_key=hunter2'}",
        "instruct: ['http://hunter2@llm.example/v1']",
        "instruct: [{api_key: hunter2, model: m}]",
    ],
)
def test_no_message_repeats_a_secret(refuse, wrong):
    message = refuse(GOOD + wrong + "\n")
    assert "`instruct" in message
    assert "ter2" not in message
    assert "***" in message


@pytest.mark.parametrize("harmless", ["http://llm.example:8000/v1?top=3", "http://medium.example/@ada/text"])
def test_an_address_without_a_secret_is_shown_whole(refuse, harmless):
    assert harmless in refuse(GOOD + f"instruct: ['{harmless}']\n")


@pytest.mark.parametrize("name", ["HF_TOKEN", "POSTGRES_PASSWORD", "AWS_SECRET_ACCESS_KEY", "NOCTURNE_S3_API_KEY"])
def test_no_other_secret_of_the_worker_can_be_sent_to_a_server_as_a_key(name):
    with pytest.raises(ValueError, match="key"):
        Recipe.model_validate({"name": "a", "ingest": {"sources": [{"uri": "a"}]}, "instruct": {"key": name}})
