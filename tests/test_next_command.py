"""`disco next`: what goes well after a track is what would be played, and its reasons are true."""

from __future__ import annotations

import json

import numpy as np
import pytest
from helpers.catalogues import catalogue_of, random_catalogue

import disco
from disco.catalogue.key_names import parse_key
from disco.catalogue.music import camelot, tempo_change
from disco.cli import next as command
from disco.errors import DiscoError
from disco.playlist.key_moves import key_move, keys_after
from disco.playlist.key_rules import KEY_RULES, key_index, key_rule
from disco.sources.files import tables


@pytest.fixture(scope="module")
def catalogue():
    return random_catalogue(150, seed=6, artists=40)


@pytest.fixture(scope="module")
def path(catalogue, tmp_path_factory):
    path = tmp_path_factory.mktemp("library") / "tracks.parquet"
    tables.write(catalogue, path)
    return str(path)


def test_the_best_is_what_the_greedy_playlist_would_play(catalogue):
    for seeds in (["t00003"], ["t00004", "t00077"]):
        playlist = disco.make(catalogue, seeds, length=1, sequencer="greedy", max_per_artist=0)
        found = disco.next_tracks(catalogue, seeds, n=1)
        assert found.tracks.column("track_id")[1] == playlist.tracks.column("track_id")[-1]


def test_costs_rise_and_changes_are_those_of_the_tracks(catalogue):
    found = disco.next_tracks(catalogue, "t00003", n=40)
    assert len(found) == 40
    assert (np.diff(found.costs) >= 0).all()
    tempos, energy = found.tracks.tempos, found.tracks.numbers("energy")
    np.testing.assert_allclose(found.tempo_changes, tempo_change(tempos[0], tempos[1:]), rtol=1e-4)
    np.testing.assert_allclose(found.energy_changes, energy[1:] - energy[0], rtol=1e-5)
    assert ((found.nearer_than >= 0) & (found.nearer_than <= 1)).all()


def test_reasons_name_key_tempo_energy_and_what_is_unknown():
    tracks = [
        {"track_id": "a", "title": "A", "artists": ["x"], "key": 9, "mode": 0, "tempo_bpm": 124.0},
        {"track_id": "b", "title": "B", "artists": ["y"], "key": 4, "mode": 0, "tempo_bpm": 62.62},
        {"track_id": "c", "title": "C", "artists": ["z"]},
    ]
    found = disco.next_tracks(catalogue_of(tracks), "a")
    assert found.reasons == ["a fifth up, half time, tempo +1.0 %", "a key is unknown, a tempo is unknown"]


def test_only_keys_that_were_asked_for_are_listed(catalogue):
    found = disco.next_tracks(catalogue, "t00003", n=100, include="key=8A,7A")
    names = {camelot(track["key"], track["mode"]) for track in found.tracks.tracks()[1:]}
    assert names == {"8A", "7A"}
    excluded = disco.next_tracks(catalogue, "t00003", n=149, exclude="key=8A,7A")
    assert not {"8A", "7A"} & {camelot(t["key"], t["mode"]) for t in excluded.tracks.tracks()[1:]}


@pytest.mark.parametrize("rule", KEY_RULES)
def test_compatible_tracks_are_those_that_the_rule_allows(catalogue, rule):
    found = disco.next_tracks(catalogue, "t00009", n=149, compatible_with="t00003", key_rule=rule, artist_gap=0)
    keys = key_index(catalogue.numbers("key"), catalogue.modes)
    allowed = key_rule(rule).allows(np.full(150, keys[3]), keys) | (keys == keys[3])
    allowed[9] = False
    assert sorted(found.tracks.column("track_id").to_pylist()[1:]) == catalogue.ids(np.flatnonzero(allowed))


def test_conditions_on_keys_that_contradict_each_other_are_both_named(catalogue):
    keys = keys_after(catalogue, 3, key_rule("camelot"))
    names = [camelot(*key) for key in keys]
    other = next(f"{number}A" for number in range(1, 13) if f"{number}A" not in names)
    with pytest.raises(DiscoError, match=rf"--include key={other} and --compatible-with 't00003'"):
        disco.next_tracks(catalogue, "t00009", include=f"key={other}", compatible_with="t00003", key_rule="camelot")


def test_an_unknown_key_has_no_compatible_ones():
    tracks = catalogue_of([{"track_id": "a", "title": "A", "artists": ["x"]}, {"track_id": "b", "title": "B"}])
    with pytest.raises(DiscoError, match="the key of A by x is unknown"):
        disco.next_tracks(tracks, "b", compatible_with="a")


@pytest.mark.parametrize("value", ["key=H9", "key=8A,", "key=13A"])
def test_a_word_that_is_no_key_is_refused(catalogue, value):
    with pytest.raises(DiscoError, match="is no key; write keys as"):
        disco.next_tracks(catalogue, "t00003", include=value)


def test_moves_have_the_names_that_djs_use():
    def move(before: str, after: str) -> str:
        return key_move(*(int(key_index(*parse_key(name))) for name in (before, after)))

    assert [move("8A", after) for after in ("8A", "8B", "9A", "7A", "9B", "10A", "3A", "1A")] == [
        "the same key",
        "the relative key",
        "a fifth up",
        "a fifth down",
        "a diagonal up",
        "a tone up",
        "a semitone up",
        "a semitone down",
    ]
    assert move("8A", "2B") == "6 steps apart on the wheel and the other letter"
    assert move("12B", "1B") == "a fifth up"


def test_the_command_lists_reasons_and_prints_json(path, capsys):
    assert command.main(["t00003", "--catalogue", path, "-n", "3"]) == 0
    out = capsys.readouterr().out
    assert "After Title 3 by" in out
    assert len(out.strip().splitlines()) == 6
    assert command.main(["t00003", "--catalogue", path, "-n", "3", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["after"]["id"] == "t00003"
    assert [track["position"] for track in record["tracks"]] == [1, 2, 3]
    assert all(track["reason"] in out for track in record["tracks"])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["t00003", "-n", "0"], "must be 1 or more"),
        (["no such track at all"], "no such track"),
        (["t00003", "--include", "genre=polka"], "the filters leave no track"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(path, arguments, sentence, capsys):
    assert command.main([*arguments, "--catalogue", path]) == 1
    err = capsys.readouterr().err
    assert sentence in err
    assert "Traceback" not in err
