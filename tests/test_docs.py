"""What the documents say is so: options, names, commands, files and the table of the example."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from disco.cli import generate, lint, main, order
from disco.export import FORMATS
from disco.models.predictors import PREDICTORS
from disco.models.recommenders import METHODS, RECOMMENDERS
from disco.playlist.key_rules import KEY_RULES
from disco.playlist.sequence import ARCS, SEQUENCERS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]


FLAG = r"(?<![\w-])--[a-z][a-z-]+"


def test_every_option_that_the_readme_names_exists(capsys):
    for verb in (
        ["generate"],
        ["order"],
        ["lint"],
        ["recommend"],
        ["models", "remove"],
        ["spotify", "login"],
        ["spotify", "sync"],
        ["catalogue", "info"],
        ["prepare"],
        ["train"],
        ["evaluate", "next-track"],
        ["evaluate", "continuation"],
        ["evaluate", "flow"],
    ):
        assert main.main([*verb, "--help"]) == 0
    assert set(re.findall(FLAG, README)) <= set(re.findall(FLAG, capsys.readouterr().out))


@pytest.mark.parametrize(
    "name", [*PREDICTORS, *RECOMMENDERS, *METHODS, *SEQUENCERS, *KEY_RULES, *ARCS, *FORMATS, "--flow", "--spicyness"]
)
def test_every_choice_is_explained_in_the_readme(name):
    assert f"`{name}" in README


def test_every_knob_and_option_has_help():
    for action in [*generate.parser()._actions, *order.parser()._actions, *lint.parser()._actions]:
        assert action.help, action.option_strings


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_to_files(document):
    for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / document).read_text(encoding="utf-8")):
        assert target.startswith("https://") or (ROOT / target).exists(), target


def test_the_map_names_every_module_and_nothing_else():
    # What is under the heading "The map", by file or folder name.
    the_map = README.split("## The map")[1].split("```")[1]
    for path in (ROOT / "disco").iterdir():
        if path.suffix == ".py" and not path.name.startswith("__init__"):
            assert path.name in the_map, path.name
        if path.is_dir() and path.name != "__pycache__":
            assert f"{path.name}/" in the_map, path.name
    for name in re.findall(r"\b(\w+\.py)\b", the_map):
        assert list((ROOT / "disco").rglob(name)), name


def test_every_verb_can_be_called_for_help(capsys):
    for verb in main.COMMANDS:
        assert main.main([verb, "--help"]) == 0
        assert f"disco {verb}" in capsys.readouterr().out


@pytest.mark.process
def test_the_table_in_the_readme_is_what_the_command_prints():
    done = subprocess.run(
        [sys.executable, "-m", "disco.generate", "--example", "--quiet"], capture_output=True, text=True, check=True
    )
    printed = [re.sub(r"\s+", " ", line).strip() for line in done.stdout.splitlines() if line.strip()]
    shown = [re.sub(r"\s+", " ", line).strip() for line in README.split("-->\n```\n")[1].split("```")[0].splitlines()]
    assert [line for line in shown if line] == printed


def test_make_has_the_targets_that_are_named():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    text = README + (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for target in re.findall(r"(?:^|`)make (\w+)", text, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
