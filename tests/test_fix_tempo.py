"""`disco catalogue fix-tempo`: halved and doubled tempos are found, asked about, and kept as corrections."""

from __future__ import annotations

import io
import json
import sys

import numpy as np
import pytest
from helpers.catalogues import catalogue_of

from disco.catalogue.octaves import suspect_tempos
from disco.cli import catalogue as command
from disco.sources import corrections
from disco.sources import open as open_catalogue
from disco.sources.files import tables


def club(*odd):
    """Sixty house tracks between 118 and 128 BPM and sixty of drum and bass around 174, and others."""
    rng = np.random.default_rng(0)
    tracks = [("house", float(rng.uniform(118, 128))) for _ in range(60)]
    tracks += [("drum and bass", float(rng.normal(174, 1))) for _ in range(60)]
    return catalogue_of(
        [
            {"track_id": f"t{i}", "title": f"Title {i}", "artists": [f"A{i}"], "genres": [genre], "tempo_bpm": tempo}
            for i, (genre, tempo) in enumerate([*tracks, *odd])
        ]
    )


def test_halved_and_doubled_tempos_are_found_and_others_are_not():
    found = suspect_tempos(club(("drum and bass", 87.0), ("house", 246.0), ("house", 150.0), ("polka", 62.0)))
    assert {(s.row, s.tempo_bpm, s.better_bpm) for s in found} == {(120, 87.0, 174.0), (121, 246.0, 123.0)}
    assert "of 61 drum and bass tracks" in next(s.reason for s in found if s.row == 120)


def test_a_genre_that_is_played_at_both_tempos_has_no_suspects():
    assert suspect_tempos(club(*[("drum and bass", 87.0)] * 20)) == []


def test_tempos_that_are_right_are_left_alone_and_few_tracks_are_not_judged():
    assert suspect_tempos(club()) == []
    assert suspect_tempos(catalogue_of([{"track_id": "a", "genres": ["house"], "tempo_bpm": 62.0}])) == []


@pytest.fixture
def library(tmp_path, monkeypatch):
    monkeypatch.setenv("DISCO_DATA", str(tmp_path / "data"))
    path = tmp_path / "tracks.parquet"
    tables.write(club(("drum and bass", 87.0), ("house", 246.0)), path)
    return str(path)


def answer(monkeypatch, text):
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_yes_is_kept_as_a_correction_that_every_catalogue_applies(library, monkeypatch, capsys):
    rows = [suspect.row for suspect in suspect_tempos(open_catalogue([library]))]
    answer(monkeypatch, "y\nn\n")
    assert command.main(["fix-tempo", library]) == 0
    assert "1 corrections stored" in capsys.readouterr().err
    (kept,) = corrections.read(corrections.user_file())
    assert kept.track == f"t{rows[0]}"
    again = open_catalogue([library])
    assert again.tempos[rows[0]] == pytest.approx(kept.bpm)
    # What was corrected is not asked again; what was denied is.
    assert [suspect.row for suspect in suspect_tempos(again)] == rows[1:]


@pytest.mark.parametrize("text", ["", "q\ny\n", "\n\n"])
def test_without_a_yes_nothing_is_stored(library, monkeypatch, capsys, text):
    answer(monkeypatch, text)
    assert command.main(["fix-tempo", library]) == 0
    assert "0 corrections stored" in capsys.readouterr().err
    assert not corrections.user_file().exists()


def test_json_lists_them_and_asks_nothing(library, capsys):
    assert command.main(["fix-tempo", library, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {(s["tempo_bpm"], s["better_bpm"]) for s in found["suspects"]} == {(87.0, 174.0), (246.0, 123.0)}
    assert not corrections.user_file().exists()


def test_a_number_below_one_is_refused(library, capsys):
    assert command.main(["fix-tempo", library, "-n", "0"]) == 1
    assert "1 or more" in capsys.readouterr().err
