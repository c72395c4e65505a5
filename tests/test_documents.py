"""The documents are true: their commands and Python run, their links lead somewhere, their tables are printed so."""

from __future__ import annotations

import argparse
import configparser
import json
import re
from importlib import import_module
from pathlib import Path

import jsonschema
import pytest
from helpers.documents import PAGES, ROOT, Block, blocks, write_samples

from disco.cli import main as command_line
from disco.cli.main import COMMANDS
from disco.evaluation import baseline_searches
from disco.export import FORMATS
from disco.models.predictors import PREDICTORS
from disco.models.recommenders import METHODS, RECOMMENDERS
from disco.playlist.key_rules import KEY_RULES
from disco.playlist.sequence import ARCS, SEQUENCERS

README = (ROOT / "README.md").read_text(encoding="utf-8")
SCHEMA = ROOT / "docs" / "reference" / "playlist.schema.json"


@pytest.fixture
def samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with every file that the documents name."""
    write_samples(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DISCO_DATA", str(tmp_path / "data-folder"))
    return tmp_path


def check_names(block: Block) -> None:
    """Whether commands that take long name a target of make, an extra or a script that exists."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    for words in block.commands:
        if words[0] == "make":
            assert words[1] in targets
        elif words[:2] == ["pip", "install"]:
            extras = re.fullmatch(r"\.(?:\[([\w,]+)\])?", words[2])
            assert extras
            assert extras[1] is None or all(name in setup["options.extras_require"] for name in extras[1].split(","))
        elif words[:2] == ["python", "-m"]:
            assert words[2].startswith("cloud."), words
            # Of others' options, which `evaluate` passes on, the next test knows.
            import_module(words[2]).parser().parse_known_args(words[3:])
        else:
            assert words[0] == "python", words
            assert (ROOT / words[1]).is_file(), words


def run(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert words[0] == "disco", words
    code = command_line.main(words[1:])
    out, err = capsys.readouterr()
    assert code == 0, (words, err)
    assert "Traceback" not in err
    return out


def run_page(page: str, modes: set[str], capsys: pytest.CaptureFixture[str]) -> int:
    """Run the blocks of a page that are tested in these ways, in order; how many there were."""
    namespace: dict[str, object] = {}
    done = 0
    for block in blocks(page):
        if block.language == "python" and "run" in modes:
            exec(compile(block.text, page, "exec"), namespace)
            done += 1
        if block.language == "json":
            json.loads(block.text)
        if block.language != "console" or block.mode not in modes:
            continue
        done += 1
        if block.mode == "names":
            check_names(block)
            continue
        for words in block.commands:
            if block.mode == "parse":
                import_module(COMMANDS[words[1]][0]).parser().parse_args(words[2:])
                continue
            out = run(words, capsys)
            if "--json" in words and words[1] in ("generate", "order"):
                jsonschema.validate(json.loads(out), json.loads(SCHEMA.read_text(encoding="utf-8")))
    return done


def code_of(page: str, *modes: str) -> bool:
    return any(b.language == "python" or (b.language == "console" and b.mode in modes) for b in blocks(page))


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if code_of(page, "run", "parse", "names")])
def test_what_a_page_shows_runs(page: str, samples: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_page(page, {"run", "parse", "names"}, capsys) > 0


@pytest.mark.slow
@pytest.mark.train
def test_what_the_page_on_training_shows_runs(
    samples: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("keras")
    # Other programs' searches take most of a minute as they were published; `test_baselines` looks at what they find.
    monkeypatch.setattr(baseline_searches, "GENERATIONS", 10)
    monkeypatch.setattr(baseline_searches, "ANNEALING_MOVES", 6000)
    assert run_page("docs/guides/train-and-measure.md", {"run", "slow"}, capsys) > 2


@pytest.mark.parametrize("page", PAGES)
def test_every_block_says_its_language_if_it_is_to_be_run(page: str) -> None:
    for block in blocks(page):
        assert block.mode in ("run", "parse", "names", "slow")
        assert block.language in ("console", "python", "json", "toml", "text", "")
        if block.language in ("", "text"):
            assert not re.search(r"^\$? ?(disco|python|pip|make) ", block.text, re.MULTILINE), block.text
        if block.language == "console":
            assert block.commands


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        found = target.startswith("https://") or ((ROOT / page).parent / target).exists()
        # The build of the site writes two pages itself.
        assert found or target.endswith(("reference/commands.md", "reference/settings.md")), target


FLAG = r"(?<![\w-])--[a-z][a-z-]+"


def test_every_option_that_the_documents_name_is_an_option_of_a_command() -> None:
    known = {"--hide", "--no-explicit", "--no-titles", "--number", "--preset"}
    on_ray = [f"cloud.{name}" for name in ("prepare", "train", "generate", "evaluate")]
    parsers = [import_module(module).parser() for module in [*(module for module, _ in COMMANDS.values()), *on_ray]]
    while parsers:
        parser = parsers.pop()
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                parsers += action.choices.values()
            if action.help is not argparse.SUPPRESS:
                known |= set(action.option_strings)
    for script in (ROOT / "benchmarks").glob("*.py"):
        known |= set(re.findall(r'add_argument\("(--[a-z-]+)"', script.read_text(encoding="utf-8")))
    for page in PAGES:
        if page == "CHANGELOG.md":  # which names old spellings too
            continue
        named = set(re.findall(FLAG, (ROOT / page).read_text(encoding="utf-8")))
        assert named <= known | {"--address"}, (page, named - known)


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("docs/models.md", PREDICTORS),
        ("docs/guides/recommend.md", [*RECOMMENDERS, *METHODS]),
        ("docs/guides/order-a-playlist.md", [*SEQUENCERS, *KEY_RULES, *ARCS]),
        ("docs/reference/formats.md", FORMATS),
    ],
)
def test_every_choice_has_its_row_or_mention_where_it_is_explained(page: str, names: list[str]) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert [name for name in names if f"`{name}`" not in text and f"--arc {name}" not in text] == []


@pytest.mark.slow
def test_the_example_in_the_readme_is_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    printed = run(["disco", "generate", "--example", "--quiet"], capsys)
    shown = README.split("<!-- disco generate --example -->\n```text\n")[1].split("```")[0]
    assert _lines(shown) == _lines(printed)


def _lines(text: str) -> list[str]:
    return [re.sub(r"\s+", " ", line).strip() for line in text.splitlines() if line.strip()]


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 150


def test_every_page_is_in_the_navigation() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:")[2]
    for page in (ROOT / "docs").glob("**/*.md"):
        assert f": {page.relative_to(ROOT / 'docs')}" in navigation, page


def test_every_option_of_every_command_has_help() -> None:
    on_ray = [f"cloud.{name}" for name in ("prepare", "train", "generate", "evaluate")]
    parsers = [import_module(module).parser() for module in [*(module for module, _ in COMMANDS.values()), *on_ray]]
    while parsers:
        parser = parsers.pop()
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                parsers += action.choices.values()
            else:
                assert action.help, (parser.prog, action.option_strings)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main([name, "--help"]) == 0
    assert f"usage: disco {name}" in capsys.readouterr().out


def test_the_map_names_every_package_and_no_file_that_is_not_there() -> None:
    page = (ROOT / "docs" / "contributing" / "architecture.md").read_text(encoding="utf-8")
    for path in (ROOT / "disco").iterdir():
        if path.is_dir() and path.name != "__pycache__":
            assert f"`{path.name}`" in page, path.name
    for name in re.findall(r"`((?:\w+/)*\w+\.py)`", page):
        assert (ROOT / "disco" / name).is_file() or (ROOT / name).is_file(), name
