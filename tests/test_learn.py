"""`disco learn`: a style is found that was played with, measured on what was left out, and kept privately."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from test_histories import nml

from disco.catalogue import Catalogue
from disco.cli import learn
from disco.errors import DiscoError
from disco.playlist.styles import load_style, style_names
from disco.sources import play_log
from disco.sources.plays import Play, PlayedSet
from disco.sources.tracklist import Entry
from disco.training import own_style


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("DISCO_DATA", str(tmp_path / "data"))
    load_style.cache_clear()
    yield tmp_path / "data"
    load_style.cache_clear()


def played(n: int, size: int = 14, by_key: bool = True, seed: int = 0) -> list[PlayedSet]:
    """Sets whose next track has the nearest key, or else any: what a DJ who mixes by key alone plays, and noise."""
    rng = np.random.default_rng(seed)
    sets = []
    for number in range(n):
        left = [
            (int(key), float(tempo))
            for key, tempo in zip(rng.integers(0, 12, size), rng.uniform(90, 140, size), strict=True)
        ]
        order = [left.pop()]
        while left:
            if by_key:
                left.sort(key=lambda track: (track[0] != order[-1][0], (7 * (track[0] - order[-1][0])) % 12 != 1))
            order.append(left.pop(0))
        entries = [Entry(title=f"{number}-{i}", key=(key, 1), tempo_bpm=bpm) for i, (key, bpm) in enumerate(order)]
        sets.append(PlayedSet(str(number), [Play(entry) for entry in entries]))
    return sets


def history(folder: Path, sets: list[PlayedSet]) -> Path:
    """The sets as a table with times."""
    lines = ["set,artist,title,key,bpm"]
    names = "C Db D Eb E F F# G Ab A Bb B".split()
    for one in sets:
        for play in one.plays:
            entry = play.entry
            lines.append(f"{one.name},Solo,{entry.title},{names[entry.key[0]]},{entry.tempo_bpm}")
    where = folder / "history.csv"
    where.write_text("\n".join(lines), encoding="utf-8")
    return where


def test_who_mixes_by_key_alone_is_known_by_it():
    learned = own_style.learn_style(played(12))
    weights = {term: of["weight"] for term, of in learned.card["weights"].items()}
    assert weights["same key"] > weights["fifth up"] > weights["tone up"]
    assert weights["same key"] > 1.5
    found = learned.card["metrics"]["held_out"]
    assert learned.better
    assert found["mine"]["hit@1"] > found["dj"]["hit@1"] > found["chance"]["hit@1"]
    assert learned.card["metrics"]["gain"]["interval"][0] > 0


def test_an_order_at_random_teaches_nothing():
    found = own_style.learn_style(played(12, by_key=False, seed=1)).card["metrics"]["held_out"]
    assert abs(found["mine"]["hit@1"] - found["chance"]["hit@1"]) < 0.08


def test_three_joins_are_too_few_and_the_number_needed_is_named():
    with pytest.raises(DiscoError, match=r"from 40 transitions or more .* of the 3 transitions here 2 are such$"):
        own_style.learn_style(played(1, size=4))


def test_histories_without_keys_need_a_catalogue_that_has_them():
    sets = played(6)
    bare = [
        PlayedSet(one.name, [Play(Entry(title=play.entry.title, artist="Solo")) for play in one.plays])
        for one in sets
    ]
    with pytest.raises(DiscoError, match="0 are such; name your tracks with --catalogue"):
        own_style.learn_style(bare)
    tracks = Catalogue.from_tracks(
        {
            "track_id": play.entry.title,
            "title": play.entry.title,
            "artists": ["Solo"],
            "key": play.entry.key[0],
            "mode": 1,
            "tempo_bpm": play.entry.tempo_bpm,
        }
        for one in sets
        for play in one.plays
    )
    assert own_style.learn_style(bare, tracks).card["weights"] == own_style.learn_style(sets).card["weights"]


def test_one_long_set_is_held_out_in_parts():
    learned = own_style.learn_style(played(1, size=80))
    assert learned.card["data"]["sets"] == 1
    assert learned.better


def test_the_command_keeps_the_style_and_the_plays_for_the_user_alone(tmp_path, data, capsys):
    assert learn.main([str(history(tmp_path, played(12)))]) == 0
    out = capsys.readouterr().out
    assert "Learned from " in out
    assert "points against dj" in out
    path = own_style.user_file()
    assert path.stat().st_mode & 0o777 == 0o600
    assert "mine" in style_names()
    style = load_style("mine")
    assert style is not None
    assert style.sweetness > style.smoothness
    assert play_log.user_file().is_file()
    assert "Solo" not in path.read_text(encoding="utf-8")


def test_the_report_is_json_and_the_same_each_time(tmp_path, capsys):
    where = str(history(tmp_path, played(12)))
    assert learn.main([where, "--json", "-q"]) == 0
    first = json.loads(capsys.readouterr().out)
    assert learn.main([where, "--json", "-q"]) == 0
    assert json.loads(capsys.readouterr().out) == first
    assert first["name"] == "mine"


def test_what_is_predicted_worse_than_by_the_shipped_style_is_not_kept(tmp_path, capsys, monkeypatch):
    learned = own_style.learn_style(played(12))
    monkeypatch.setattr(own_style, "learn_style", lambda *_: own_style.Learned(learned.card, better=False))
    assert learn.main([str(history(tmp_path, played(12)))]) == 1
    assert "so that no style is kept; are these sets as you played them" in capsys.readouterr().err
    assert not own_style.user_file().exists()


def test_too_few_transitions_keep_the_plays_and_no_style(tmp_path, capsys):
    assert learn.main([str(history(tmp_path, played(1, size=4)))]) == 1
    assert "of the 3 transitions here" in capsys.readouterr().err
    assert play_log.user_file().is_file()
    assert not own_style.user_file().exists()


def test_all_is_forgotten_on_demand(tmp_path, capsys):
    assert learn.main([str(history(tmp_path, played(12)))]) == 0
    assert learn.main(["--forget"]) == 0
    assert "removed: your style and plays" in capsys.readouterr().err
    assert not own_style.user_file().exists()
    assert learn.main(["--forget"]) == 0
    assert "nothing was kept" in capsys.readouterr().err


def test_wrong_usage_exits_with_2(tmp_path, capsys):
    assert learn.main([]) == 2
    assert learn.main(["--forget", "a.nml"]) == 2
    assert "contradict each other" in capsys.readouterr().err
    assert learn.main([str(tmp_path / "none.nml")]) == 1


def test_hostile_names_of_files_are_printable(tmp_path, capsys):
    where = tmp_path / "bad\x1b[31m"
    where.mkdir()
    (where / "a.nml").write_text(nml([("bus", 300.0, 75_600)] * 3), encoding="utf-8")
    (where / "b.nml").write_text("<NML", encoding="utf-8")
    assert learn.main([str(where)]) == 1
    assert "\x1b" not in capsys.readouterr().err
