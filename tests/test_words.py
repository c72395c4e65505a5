"""The names, messages and pages are written in the field's words and in plain English."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("disco", "cloud", "tests", "docs", "benchmarks", "data-wrangling", ".github")
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "Makefile", "setup.cfg", "pyproject.toml", "pipeline.ipynb")
SUFFIXES = {".py", ".md", ".toml", ".yml", ".ipynb"}

# Words that a reader would have to learn, and what is written instead.
PLAIN = {
    "said": "result, response, settings: what it is",
    "heard": "encoded, played, measured",
    "hears": "takes as inputs",
    "told": "reported",
    "stranger": "unmatched track",
    "strangers": "unmatched tracks",
    "nameless": "untitled",
    "kin": "same recording",
    "akin": "similar",
    "door": "command",
    "doors": "commands",
    "shelf": "models",
    "nought": "0, zero, none",
    "aloud": "on stderr",
    "whereof": "of which",
    "dear": "costly",
    "dearer": "costlier",
    "dearest": "costliest",
}
# A word counts inside of a name too (`is_told`), but not inside of another word (`scaffold`).
FORBIDDEN = re.compile(rf"(?<![A-Za-z])(?:{'|'.join(PLAIN)})(?![A-Za-z])", re.IGNORECASE)
# (file, text that may stand there): names in files of before, titles of the demo, words that users type.
ALLOWED: tuple[tuple[str, str], ...] = (
    ("tests/test_words.py", ""),
    ("CHANGELOG.md", ""),
    ("docs/research/examples.md", ""),
    ("README.md", "Nobody Told My Heart"),
    ("pipeline.ipynb", "Nobody Told My Heart"),
    ("benchmarks/results.py", "'no_dearer'"),
    ("disco/cli/evaluate.py", "'no_dearer'"),
    ("disco/evaluation/flow_benchmark.py", '"no_dearer"'),
    ("tests/test_flow_benchmark.py", '"no_dearer"'),
    ("disco/sources/services/answers.py", "said TEXT"),
    ("disco/sources/services/answers.py", "at, said FROM"),
    ("disco/models/recommenders/set_transformer.py", "`heard`"),
    ("disco/models/recommenders/set_transformer.py", "heard=inputs"),
    ("disco/models/recommenders/set_transformer.py", '"heard"'),
    ("disco/models/recommenders/two_tower.py", '"heard"'),
    ("disco/training/retrieval.py", '"heard"'),
    ("disco/training/set_transformer.py", "heard (n, set, inputs)"),
    ("disco/training/set_transformer.py", '"heard"'),
    ("disco/training/two_tower.py", 'heard"'),
    ("tests/test_ranker.py", '"heard"'),
    ("tests/test_set_transformer.py", '"heard"'),
    ("disco/sources/audio/loudness.py", "high-shelf"),
    ("tests/test_columns.py", "he said"),
    ("tests/test_export.py", "he said"),
)


def files() -> list[Path]:
    """Everything that a person reads, but for built pages."""
    found = [ROOT / name for name in PAGES]
    found += [f for folder in FOLDERS for f in sorted((ROOT / folder).rglob("*")) if f.suffix in SUFFIXES]
    return [file for file in found if file.is_file()]


def coinages(file: Path) -> list[str]:
    """Lines with a word that is not plain, as `path:line: word (what to write)`."""
    name = file.relative_to(ROOT).as_posix()
    allowed = [text for where, text in ALLOWED if where == name]
    if "" in allowed:
        return []
    text = file.read_text(encoding="utf-8")
    for part in allowed:
        text = text.replace(part, "")
    return [
        f"{name}:{number}: {word} (write: {PLAIN[word.lower()]})"
        for number, line in enumerate(text.splitlines(), start=1)
        for word in FORBIDDEN.findall(line)
        if len(line) < 2000  # a picture in a notebook
    ]


@pytest.mark.slow
@pytest.mark.parametrize("file", files(), ids=lambda file: file.relative_to(ROOT).as_posix())
def test_words_are_plain(file):
    assert coinages(file) == []


def test_a_word_counts_in_names_but_not_in_other_words():
    assert FORBIDDEN.findall("is_told, TOLD; scaffold, outdoors, kind") == ["told", "TOLD"]
