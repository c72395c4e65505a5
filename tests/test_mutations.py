"""A few damaged files of every kind, as `benchmarks/mutations.py` makes ten thousand."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from disco.errors import DiscoError

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
from mutations import Files, damaged

KINDS = ("json", "m3u8", "jspf", "xml", "nml", "parquet", "gz", "mpd", "export", "settings", "corrections", "wav")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Whole files of every kind."""
    return Files(tmp_path_factory.mktemp("whole"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_file_is_read_or_refused_in_a_sentence(files, tmp_path, kind):
    name, content = files.whole[kind]
    for i in range(12):
        (tmp_path / name).write_bytes(damaged(content, random.Random(f"{kind} {i}")))
        try:
            files.read(kind, tmp_path / name)
        except DiscoError as error:
            assert str(error)  # noqa: PT017 - whether it is raised is chance
