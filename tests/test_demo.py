"""The demo catalogue: drawn again it is the same, it is in range, and it is as varied as what it was fitted to."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import disco
from disco.catalogue import SCHEMA
from disco.playlist.make import EXAMPLE
from disco.sources import EXAMPLE_SEEDS

ROOT = Path(__file__).parents[1]
DEMO = ROOT / "disco" / "sources" / "demo" / "tracks.parquet"
STATISTICS = ROOT / "data-wrangling" / "demo_genres.json"
REAL = ROOT.parent / "shared" / "data"
BETWEEN_0_AND_1 = (
    *("acousticness", "danceability", "energy", "instrumentalness"),
    *("liveness", "speechiness", "valence"),
)
FEATURES = tuple(sorted((*BETWEEN_0_AND_1, "loudness")))


@pytest.fixture(scope="module")
def make_demo() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_demo", ROOT / "data-wrangling" / "make_demo.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def table() -> pa.Table:
    return pq.read_table(DEMO)


@pytest.fixture(scope="module")
def statistics() -> dict:
    return json.loads(STATISTICS.read_text())


def columns(table: pa.Table, names: tuple[str, ...]) -> np.ndarray:
    return np.stack([table[name].to_numpy() for name in names], axis=1).astype(float)


def first_genres(table: pa.Table) -> np.ndarray:
    return np.array([genres[0] for genres in table["genres"].to_pylist()])


@pytest.mark.slow
def test_the_committed_catalogue_is_reproducible(make_demo, table, tmp_path):
    again = tmp_path / "tracks.parquet"
    assert make_demo.main(["draw", "--output", str(again)]) == 0
    assert pq.read_table(again).equals(table, check_metadata=True)


@pytest.mark.slow
def test_another_seed_gives_another_catalogue(make_demo, table, statistics):
    other = make_demo.draw(statistics, seed=1)
    assert other.num_rows == table.num_rows
    assert not other["title"].equals(table["title"])
    assert not other["energy"].equals(table["energy"])


def test_columns_types_and_note_are_those_of_the_schema(table):
    assert table.schema.equals(SCHEMA)
    assert table.schema.metadata[b"disco:name"] == b"demo"
    note = f"{table.num_rows:,} invented tracks; no such music exists"
    assert table.schema.metadata[b"disco:note"].decode() == note


def test_nothing_but_isrc_path_and_where_key_and_tempo_come_from_is_unknown(table):
    unknown = {name for name in table.column_names if table[name].null_count}
    origins = {"key_origin", "key_confidence", "tempo_origin", "tempo_confidence"}
    assert unknown == {"isrc", "path"} | origins
    assert set(table["feature_set"].to_pylist()) == {"spotify"}


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        *((name, 0, 1) for name in BETWEEN_0_AND_1),
        ("loudness", -60, 5),
        ("tempo_bpm", 40, 250),
        ("key", 0, 11),
        ("mode", 0, 1),
        ("popularity", 0, 100),
        ("duration_ms", 30_000, 1_800_000),
    ],
)
def test_every_number_is_in_its_range(table, name, low, high):
    values = table[name].to_numpy()
    assert np.isfinite(values).all()
    assert values.min() >= low
    assert values.max() <= high
    assert len(np.unique(values)) > 1


def test_every_key_occurs_in_both_modes(table):
    assert len(set(zip(table["key"].to_pylist(), table["mode"].to_pylist(), strict=True))) == 24


def test_ids_are_running_numbers(table):
    assert table["track_id"].to_pylist() == [f"demo-{n:05d}" for n in range(1, table.num_rows + 1)]


def test_no_title_is_used_twice(table):
    titles = [title.casefold() for title in table["title"].to_pylist()]
    assert len(set(titles)) == len(titles)


def test_names_are_tidy_text(table):
    artists = [name for names in table["artists"].to_pylist() for name in names]
    for text in {*table["title"].to_pylist(), *table["album"].to_pylist(), *artists}:
        assert text == " ".join(text.split())
        assert text
        assert not set(text) & set("{}|~;"), text


def test_every_artist_has_one_genre_and_at_most_twenty_tracks(table):
    genres = first_genres(table)
    main = np.array([names[0] for names in table["artists"].to_pylist()])
    for name in np.unique(main):
        assert 3 <= (main == name).sum() <= 20, name
        assert len(set(genres[main == name])) == 1, name
    for genre in np.unique(genres):
        assert 6 <= len(set(main[genres == genre])) <= 20, genre


def test_no_artist_is_featured_by_themselves(table):
    for names in table["artists"].to_pylist():
        assert len(set(names)) == len(names)
        assert len(names) in (1, 2)


def test_albums_have_few_tracks(table):
    names = [artists[0] for artists in table["artists"].to_pylist()]
    _, counts = np.unique(
        [f"{n};{a}" for n, a in zip(names, table["album"].to_pylist(), strict=True)], return_counts=True
    )
    assert counts.max() <= 7
    assert (counts > 1).sum() > 400


def test_titles_of_classical_works_name_the_key_they_are_in(make_demo, table):
    named = 0
    for row in table.to_pylist():
        if " in " in row["title"] and row["genres"][0] in ("classical", "piano"):
            mode = "major" if row["mode"] else "minor"
            for word in ("major", "minor"):
                if word in row["title"]:
                    named += 1
                    assert f" in {make_demo.NOTES[row['key']]} {mode}" in row["title"]
    assert named > 50


def test_each_genre_has_the_feature_means_it_was_fitted_to(table, statistics):
    genres, values = first_genres(table), columns(table, FEATURES)
    assert set(genres) == set(statistics)
    for genre, fitted in statistics.items():
        drawn = values[genres == genre]
        error = np.array(fitted["feature_sd"]) / np.sqrt(len(drawn))
        # Four standard errors: the draw's own correlation is set right, so that it stays far inside.
        apart = np.abs(drawn.mean(axis=0) - fitted["feature_mean"]) / error
        assert (apart < 4).all(), (genre, dict(zip(FEATURES, apart.round(1), strict=True)))


def test_features_of_a_genre_are_correlated_as_fitted(table, statistics):
    genres = first_genres(table)
    pair = ("energy", "loudness")
    where = [FEATURES.index(name) for name in pair]
    for genre, fitted in statistics.items():
        drawn = columns(table, pair)[genres == genre]
        ranks = drawn.argsort(axis=0).argsort(axis=0)
        rank_correlation = np.corrcoef(ranks, rowvar=False)[0, 1]
        # Of two normals; a fifth is about two standard errors of the correlation of 130 ranks.
        expected = 6 / np.pi * np.arcsin(np.array(fitted["correlation"])[tuple(where)] / 2)
        assert abs(rank_correlation - expected) < 0.2, genre


def test_tracks_of_one_artist_are_more_alike_than_those_of_a_genre(table):
    genres = first_genres(table)
    main = np.array([names[0] for names in table["artists"].to_pylist()])
    values = columns(table, ("energy", "danceability", "valence"))
    within, across = [], []
    for genre in np.unique(genres):
        theirs = genres == genre
        across.append(values[theirs].var(axis=0))
        within += [values[main == name].var(axis=0, ddof=1) for name in np.unique(main[theirs])]
    assert (np.mean(within, axis=0) < 0.85 * np.mean(across, axis=0)).all()


def test_each_genre_has_the_tempos_it_was_fitted_to(table, statistics):
    genres, tempo = first_genres(table), table["tempo_bpm"].to_numpy().astype(float)
    for genre, fitted in statistics.items():
        drawn = tempo[genres == genre]
        # Three normals are no exact picture of a thousand tracks.
        assert abs(np.median(drawn) / fitted["tempo_median"] - 1) < 0.025, genre
        weights, means, sds = np.array(fitted["tempo"]).T
        mean = weights @ means / weights.sum()
        sd = np.sqrt(weights @ (sds**2 + means**2) / weights.sum() - mean**2)
        # A little narrower: nothing is slower than 50 BPM or faster than 215.
        assert 0.85 < np.log2(drawn).std() / sd < 1.02, genre
        assert drawn.min() >= 50, genre
        assert drawn.max() <= 215, genre


def test_club_genres_are_near_one_tempo_and_songs_are_not(table):
    genres, tempo = first_genres(table), table["tempo_bpm"].to_numpy().astype(float)

    def pairs_within_6(genre: str) -> float:
        apart = np.abs(np.subtract.outer(*[np.log2(tempo[genres == genre])] * 2))
        folded = np.abs(apart - np.round(apart))
        return float((folded[np.triu_indices(len(apart), 1)] <= np.log2(1.06)).mean())

    # Of random tempos, a sixth.
    assert all(pairs_within_6(genre) > 0.8 for genre in ("house", "deep-house", "techno", "drum-and-bass"))
    assert all(0.14 < pairs_within_6(genre) < 0.22 for genre in ("rock", "folk", "jazz", "soul", "classical"))


def test_tempo_goes_with_the_features_of_a_genre_as_fitted(table, statistics):
    genres, tempo = first_genres(table), table["tempo_bpm"].to_numpy().astype(float)
    drawn, expected = [], []
    for genre, fitted in statistics.items():
        values = np.c_[columns(table, FEATURES), tempo][genres == genre]
        ranks = values.argsort(axis=0, kind="stable").argsort(axis=0)
        drawn.append(np.corrcoef(ranks, rowvar=False)[-1, :-1])
        joint = np.array(fitted["correlation"]) @ fitted["tempo_from_features"]
        expected.append(6 / np.pi * np.arcsin(joint / 2))
    # Instrumentalness is 0 for many, which ranks cannot tell apart.
    difference = np.delete(np.array(drawn) - expected, FEATURES.index("instrumentalness"), axis=1)
    assert np.abs(difference).max() < 0.35  # four standard errors of 130 ranks
    assert np.sqrt(np.square(difference).mean()) < 0.11
    energy = FEATURES.index("energy")
    assert drawn[list(statistics).index("techno")][energy] > 0.15
    assert np.mean(drawn, axis=0)[energy] > 0.08


def test_tracks_of_one_artist_are_nearer_in_tempo_than_those_of_a_genre(table):
    genres = first_genres(table)
    main = np.array([names[0] for names in table["artists"].to_pylist()])
    octaves = np.log2(table["tempo_bpm"].to_numpy().astype(float))
    within = []
    for genre in np.unique(genres):
        theirs = genres == genre
        for name in np.unique(main[theirs]):
            within.append(octaves[main == name].var(ddof=1) / octaves[theirs].var(ddof=1))
    assert np.mean(within) < 0.93


def test_keys_follow_the_genre(table, statistics):
    genres = first_genres(table)
    of_key = table["key"].to_numpy() * 2 + table["mode"].to_numpy()
    drawn = np.array([np.bincount(of_key[genres == genre], minlength=24) for genre in statistics])
    tracks = drawn.sum(axis=1, keepdims=True)
    fitted = np.array([genre["key_mode"] for genre in statistics.values()])
    # Every genre's share of major keys, and the keys of all: within four standard errors.
    major = [shares[:, 1::2].sum(axis=1) for shares in (drawn / tracks, fitted)]
    assert (np.abs(major[0] - major[1]) < 4 * 0.5 / np.sqrt(tracks[:, 0])).all()
    share = (fitted * tracks).sum(axis=0) / tracks.sum()
    assert (np.abs(drawn.sum(axis=0) / tracks.sum() - share) < 4 * np.sqrt(share / tracks.sum())).all()
    # Its own keys fit a genre better than those of all music do.
    own = (drawn * np.log(np.maximum(fitted, 1e-4))).sum(axis=1)
    assert (own > (drawn * np.log(share)).sum(axis=1)).mean() > 0.9


def test_no_genre_is_summed_up_from_few_tracks(statistics):
    assert all(genre["tracks"] >= 500 for genre in statistics.values())
    # A part of a mixture is no single track either.
    assert all(weight >= 0.05 for genre in statistics.values() for weight, _, _ in genre["tempo"])


def test_genres_differ_in_the_expected_features(table):
    genres = first_genres(table)
    mean = {name: {g: table[name].to_numpy()[genres == g].mean() for g in np.unique(genres)} for name in FEATURES}
    tempo = {g: np.median(table["tempo_bpm"].to_numpy()[genres == g]) for g in np.unique(genres)}
    assert mean["energy"]["metal"] > mean["energy"]["folk"] > mean["energy"]["classical"]
    assert mean["acousticness"]["classical"] > mean["acousticness"]["techno"] + 0.5
    assert mean["instrumentalness"]["techno"] > mean["instrumentalness"]["pop"] + 0.3
    assert mean["valence"]["salsa"] > mean["valence"]["ambient"] + 0.4
    assert 172 < tempo["drum-and-bass"] < 175
    assert 122 < tempo["house"] < 126
    assert tempo["house"] < tempo["trance"] < tempo["drum-and-bass"]
    assert 85 < tempo["hip-hop"] < 100


def largest_tempo_change(tempo_bpm: np.ndarray) -> float:
    """In per cent, from each to the next; half and double time count as the same."""
    octaves = np.log2(tempo_bpm[1:] / tempo_bpm[:-1])
    return float(100 * (2 ** np.abs(octaves - np.round(octaves)).max() - 1))


def most_key_steps(keys: np.ndarray, modes: np.ndarray) -> int:
    """On the circle of fifths, from each to the next; a minor key counts as its relative major."""
    places = 7 * (keys + 3 * (1 - modes)) % 12
    apart = np.diff(places) % 12
    return int(np.minimum(apart, 12 - apart).max())


def check_that_it_mixes(tracks: pa.Table) -> None:
    assert largest_tempo_change(tracks["tempo_bpm"].to_numpy().astype(float)) <= 6.4  # 6 % either way
    assert most_key_steps(*(tracks[name].to_numpy().astype(int) for name in ("key", "mode"))) <= 1
    assert len({names[0] for names in tracks["artists"].to_pylist()}) == len(tracks)


def test_the_seeds_are_three_tracks_by_three_artists_that_mix(make_demo, table):
    seeds = table.take([int(track_id.removeprefix("demo-")) - 1 for track_id in EXAMPLE_SEEDS])
    assert [genres[0] for genres in seeds["genres"].to_pylist()] == list(make_demo.SEED_GENRES)
    check_that_it_mixes(seeds)


@pytest.mark.slow
def test_the_search_for_seeds_begins_with_those_of_the_example(make_demo, capsys):
    assert make_demo.main(["seeds"]) == 0
    assert capsys.readouterr().out.startswith(" ".join(EXAMPLE_SEEDS))


def test_every_transition_of_the_example_mixes_and_no_artist_comes_twice():
    catalogue = disco.open()
    playlist = disco.make(catalogue, list(EXAMPLE_SEEDS), **EXAMPLE)
    assert len(playlist) == 13
    check_that_it_mixes(playlist.tracks.table)


def test_a_clash_is_not_taken_for_a_mix():
    assert round(largest_tempo_change(np.array([120.0, 61, 63.4])), 1) == 3.9
    assert round(largest_tempo_change(np.array([120.0, 61, 66])), 1) == 8.2
    assert most_key_steps(np.array([0, 9, 7]), np.array([1, 0, 1])) == 1
    assert most_key_steps(np.array([0, 6]), np.array([1, 1])) == 6


def test_the_files_are_small(table):
    assert DEMO.stat().st_size < 500_000
    assert STATISTICS.stat().st_size < 120_000
    assert table.num_rows == 5000


def test_the_statistics_contain_no_ids_or_names(statistics):
    def texts(value: object) -> list[str]:
        if isinstance(value, dict):
            return [text for inner in value.values() for text in texts(inner)]
        if isinstance(value, list):
            return [text for inner in value for text in texts(inner)]
        return [value] if isinstance(value, str) else []

    assert texts(statistics) == []


def test_no_invented_artist_exists(make_demo, table):
    files = [("kaggle_spotify_tracks_114k.parquet", "artists"), ("tracks.parquet", "artist")]
    if not all((REAL / name).exists() for name, _ in files):
        pytest.skip(f"the real tracks are not in {REAL}")
    known = set()
    for name, column in files:
        for text in set(pq.read_table(REAL / name, columns=[column])[column].to_pylist()) - {None}:
            known |= {text.casefold(), *(artist.strip().casefold() for artist in text.split(";"))}
    assert make_demo.real_names(table, known) == []
    one = next(iter(known))
    impostor = table.slice(0, 1).set_column(2, table.schema.field("artists"), pa.array([[one]]))
    assert make_demo.real_names(impostor, known) == [one]
