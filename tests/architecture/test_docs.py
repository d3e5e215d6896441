"""What the README says can be typed, followed and parsed."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from contract.recipe import load_recipe

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
OPERATING = (ROOT / "docs/operating.md").read_text(encoding="utf-8")


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_every_make_command_exists():
    named = set(re.findall(r"(?:`|^|=\S+ )make (?:[A-Z]+=\S+ )?([a-z-]+)", README + OPERATING, re.MULTILINE))
    assert {"demo", "test", "check", "up", "down", "ui", "images", "backup"} <= named
    assert named <= targets()


def test_every_make_command_that_a_message_advises_exists():
    code = [path for folder in ("images", "plugins", "dags") for path in (ROOT / folder).rglob("*.py")]
    texts = [path.read_text() for path in (*code, ROOT / "docker-compose.yaml", ROOT / ".env.example")]
    advised = {word for text in texts for word in re.findall(r"(?:`|Try: |run |First: |Next: )make ([a-z-]+)", text)}
    assert {"images", "demo", "venvs", "up", "down"} <= advised
    assert advised <= targets()


def test_every_target_that_help_shows_is_declared():
    makefile = (ROOT / "Makefile").read_text()
    phony = set(" ".join(re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)).split())
    assert set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE)) <= phony


def test_every_link_leads_somewhere():
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert len(links) > 3
    assert not [link for link in links if "://" not in link and not (ROOT / link).exists()]


def test_every_recipe_shown_is_valid(tmp_path):
    whole, *pieces = (yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL))
    assert pieces
    for recipe in (whole, *(whole | piece for piece in pieces)):  # a piece is shown as an addition to the first
        path = tmp_path / f"{recipe['name']}.yaml"
        path.write_text(yaml.safe_dump(recipe))
        load_recipe(path)


def test_every_variable_named_is_read_somewhere():
    places = [path for folder in ("images", "plugins", "tests") for path in (ROOT / folder).rglob("*.py")]
    places += [ROOT / "docker-compose.yaml", ROOT / ".env.example", ROOT / "Makefile"]
    code = "\n".join(path.read_text() for path in places if path.is_file())
    named = set(re.findall(r"`(?:[a-z ]*)([A-Z][A-Z0-9]+_[A-Z0-9_]+)\b", README + OPERATING))
    assert named
    assert not {name for name in named if name not in code}


def test_generated_pages_are_current_and_a_stale_one_is_named(tmp_path):
    done = subprocess.run([sys.executable, "docs/generate.py", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    shutil.copytree(ROOT / "images" / "shared", tmp_path / "images" / "shared")
    shutil.copy(ROOT / "README.md", tmp_path)
    page = tmp_path / "docs" / "recipe.md"
    page.write_text(page.read_text() + "more\n")
    done = subprocess.run([sys.executable, "docs/generate.py", "--check"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "docs/recipe.md is not what the contract says. Try: make docs\n")
