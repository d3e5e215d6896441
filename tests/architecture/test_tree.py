"""The walls of the house: what stands where, how large it may get, and what may not be in it."""

import ast
import re
import statistics
import subprocess
from pathlib import Path

import pytest

from contract.config.base import Config
from contract.recipe import Recipe, load_recipe
from contract.stages import IMAGES, STAGES

ROOT = Path(__file__).resolve().parents[2]
TOP = {
    *("dags", "images", "plugins", "tests", "docs", ".ci"),
    *("docker-compose.yaml", "compose.gpu.yaml", "README.md", "Makefile", "pyproject.toml", "LICENSE", "CHANGELOG.md"),
    *(".env.example", ".gitignore", ".dockerignore"),
}
FILE_LINES, FUNCTION_LINES, MEDIAN_LINES = 500, 80, 12


def tracked() -> list[Path]:
    """Every file that git knows or would take in."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    return [path for line in done.stdout.splitlines() if (path := ROOT / line).is_file()]


def sources() -> list[Path]:
    """Product code: Python outside tests."""
    return [path for path in tracked() if path.suffix == ".py" and "tests" not in path.relative_to(ROOT).parts]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_the_top_level_is_fixed():
    assert {path.relative_to(ROOT).parts[0] for path in tracked()} <= TOP


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_every_stage_has_its_module_and_its_tests(stage):
    folder = ROOT / "images" / stage.image / stage.image / stage.name
    assert "def run(job: Job) -> None:" in (folder / "stage.py").read_text()
    assert (folder / "__init__.py").exists()
    tests = "".join(path.read_text() for path in (ROOT / "tests" / stage.image).rglob("test_*.py"))
    assert stage.name in tests


def test_no_stage_stands_outside_the_order_of_the_house():
    found = {path.parent.name for image in IMAGES for path in (ROOT / "images" / image / image).glob("*/stage.py")}
    assert found == {stage.name for stage in STAGES}


def test_files_and_functions_stay_readable():
    long_files = {name_of(path): n for path in sources() if (n := path.read_text().count("\n")) > FILE_LINES}
    assert not long_files
    lengths = {
        f"{name_of(path)}:{node.name}": node.end_lineno - node.lineno + 1
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert not {name: n for name, n in lengths.items() if n > FUNCTION_LINES}
    assert statistics.median(lengths.values()) <= MEDIAN_LINES


def test_nothing_is_called_utils():
    assert not [name_of(path) for path in tracked() if re.search(r"\b(utils?|helpers?|misc|common)\b", path.stem)]


def broad(node: ast.ExceptHandler) -> bool:
    """Whether a handler catches everything."""
    caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    return any(item is None or getattr(item, "id", "") in ("Exception", "BaseException") for item in caught)


def test_only_the_entry_point_catches_everything():
    found = {
        name_of(path)
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ExceptHandler) and broad(node)
    }
    assert found <= {"images/shared/stagekit/entry.py"}


# Parts are joined here so that this file does not find itself.
FORBIDDEN = [
    "|".join(["pypi" + r"\.org", "files\\.python" + "hosted", "--(extra-)?index" + "-url", "--find" + "-links[ =]"]),
    "/" + "(root|work|home/[a-z]+)/",
    r"\b(" + "TO" + "DO|FIX" + "ME|XX" + r"X)\b",
]


@pytest.mark.parametrize("pattern", FORBIDDEN)
def test_no_tracked_file_names_a_registry_this_machine_or_unfinished_work(pattern):
    text_of = {path: path.read_bytes().decode("utf-8", "replace") for path in tracked() if path.suffix != ".png"}
    found = {name_of(path): hit.group() for path, text in text_of.items() if (hit := re.search(pattern, text))}
    assert not found


def all_configs(config: type[Config]) -> set[type[Config]]:
    """A config class and every class nested in its fields."""
    found = {config}
    for field in config.model_fields.values():
        for part in nested(field.annotation):
            found |= all_configs(part)
    return found


def nested(annotation: object) -> list[type[Config]]:
    """The config classes inside an annotation, however deep."""
    if isinstance(annotation, type) and issubclass(annotation, Config):
        return [annotation]
    return [config for part in getattr(annotation, "__args__", ()) for config in nested(part)]


def test_every_config_field_explains_itself():
    classes = all_configs(Recipe).union(*(all_configs(stage.config) for stage in STAGES))
    silent = {
        f"{config.__name__}.{name}"
        for config in classes
        for name in config.model_fields
        if not config.sentences().get(name, "").endswith(".")
    }
    assert len(classes) > 20
    assert not silent


@pytest.mark.parametrize("path", sorted((ROOT / "dags" / "recipes").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_recipe_is_valid(path):
    assert load_recipe(path).name == path.stem


def test_there_are_recipes():
    assert {"demo.yaml", "llm_twin.yaml"} <= {path.name for path in (ROOT / "dags" / "recipes").iterdir()}
