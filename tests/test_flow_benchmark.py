"""Rivals' costs by hand, their searches, and the flow protocol with its door."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers.catalogues import catalogue_of, random_catalogue
from helpers.examples import at_most
from hypothesis import given
from hypothesis import strategies as st

from disco.cli import evaluate
from disco.errors import DiscoError
from disco.evaluation import baselines, data, flow_benchmark
from disco.evaluation.baselines import BASELINES, Tracks, baseline_tracks, order_crossover, two_opt
from disco.models.predictors import load_predictor
from disco.sources.files import tables


def two(a, b, **all_tracks):
    """The tracks of two descriptions, what is left out being the same and known of both."""
    usual = {"key": 0, "mode": 1, "tempo_bpm": 120.0, "energy": 0.5, "artists": None, "album": None, "genres": None}
    rows = [{"track_id": str(i), **usual, **all_tracks, **track} for i, track in enumerate((a, b))]
    return baseline_tracks(catalogue_of(rows), np.zeros((2, 8), dtype=np.float32))


C, A_MINOR, C_MINOR, G, E_FLAT, F_SHARP_MINOR, D, E_MINOR, UNKNOWN = (
    {"key": key, "mode": mode}
    for key, mode in ((0, 1), (9, 0), (0, 0), (7, 1), (3, 1), (6, 0), (2, 1), (4, 0), (None, None))
)


@pytest.mark.parametrize(
    ("other", "key"),
    [(A_MINOR, 0.5), (C_MINOR, 0), (G, 0.8 / 6), (E_FLAT, 0.4), (F_SHARP_MINOR, 1), (UNKNOWN, 0.5), (C, 0)],
)
def test_audiomuse_keys_are_those_of_the_survey(other, key):
    assert baselines.audiomuse(two(C, other))[0, 1] == pytest.approx(0.30 * key)


def test_audiomuse_tempo_and_energy():
    tracks = two({"tempo_bpm": 70.0, "energy": 0.2}, {"tempo_bpm": 140.0, "energy": 0.6})
    assert baselines.audiomuse(tracks)[0, 1] == pytest.approx(0.35 * 0.875 + 0.35 * 0.4)  # octaves not folded
    assert baselines.audiomuse(two({"tempo_bpm": 60.0}, {"tempo_bpm": 200.0}))[0, 1] == pytest.approx(0.35)


@pytest.mark.parametrize(("other", "key"), [(C, 1), (G, 0.8), (A_MINOR, 0.8), (D, 0.5), (E_MINOR, 0), (UNKNOWN, 0)])
def test_wrzdj_keys(other, key):
    assert baselines.wrzdj(two(C, other))[0, 1] == pytest.approx(1 - (0.35 + 0.30 * key + 0.10 + 0.15))


@pytest.mark.parametrize(
    ("a", "b", "tempo"),
    [(120, 122, 1), (120, 131, 0.5), (120, 145, 0), (70, 140, 0.7), (140, 70, 0.7), (70, 149, 0.7 * 11 / 18)],
)
def test_wrzdj_tempos_get_seventy_per_cent_at_half_and_double(a, b, tempo):
    cost = baselines.wrzdj(two({"tempo_bpm": float(a)}, {"tempo_bpm": float(b)}))[0, 1]
    assert cost == pytest.approx(1 - (0.35 * tempo + 0.30 + 0.10 + 0.15))
    assert baselines.wrzdj(two({"tempo_bpm": None}, {}))[0, 1] == pytest.approx(1 - (0.35 * 0.5 + 0.55))
    assert baselines.wrzdj(two({}, {}, artists=["X"]))[0, 1] == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("other", "key"), [(C, 0), (G, 1), (A_MINOR, 1), (C_MINOR, 2), (D, 10), (E_MINOR, 10), (UNKNOWN, 10)]
)
def test_playlist_sorter_keys_both_ways(other, key):
    costs = baselines.playlist_sorter(two(C, other))
    assert costs[0, 1] == costs[1, 0] == pytest.approx(0.5 * key / 12)


def test_playlist_sorter_tempo_energy_artist_album():
    three = [
        {"track_id": str(i), "key": 0, "mode": 1, "energy": e, "tempo_bpm": t}
        for i, (e, t) in enumerate(((0.1, 60.0), (0.5, 120.0), (0.3, 100.0)))
    ]
    costs = baselines.playlist_sorter(baseline_tracks(catalogue_of(three), np.zeros((3, 8), np.float32)))
    # Tempos: 60 and 120 are none apart; 120 and 100 are 20, 60 and 100 ten (100 / 2 against 60): the most is 20.
    assert costs[0, 1] == pytest.approx(0.5 * (1 + 0))
    assert costs[1, 2] == pytest.approx(0.5 * (0.5 + 1))
    assert costs[0, 2] == pytest.approx(0.5 * (0.5 + 0.5))
    assert baselines.playlist_sorter(two({}, {}, artists=["X"], album="L"))[0, 1] == pytest.approx(1)


@pytest.mark.parametrize(
    ("other", "key"), [(C, 1), (G, 0.9), (A_MINOR, 0.8), (D, 0.5), (E_MINOR, 0.4), (C_MINOR, 0.1), (UNKNOWN, 0.5)]
)
def test_reklawdbox_keys(other, key):
    # The same tempo; an energy that is not high; no genre.
    score = (0.30 * key + 0.20 + 0.18 * 0.5 + 0.17 * 0.5) / 0.85
    assert baselines.reklawdbox(two(C, other))[0, 1] == pytest.approx(1 - score)


@pytest.mark.parametrize(
    ("b", "tempo"), [(122, 1), (124, 0.8), (126, 0.5), (128, 0.3), (129, 0.1), (240, 0.1), (None, 0.5)]
)
def test_reklawdbox_tempos_know_no_octave(b, tempo):
    score = (0.30 + 0.20 * tempo + 0.18 * 0.5 + 0.17 * 0.5) / 0.85
    assert baselines.reklawdbox(two({}, {"tempo_bpm": b}))[0, 1] == pytest.approx(1 - score)


def test_reklawdbox_energy_and_genre():
    def cost(genres, energies):
        a, b = ({"genres": [g], "energy": e} for g, e in zip(genres, energies, strict=True))
        return baselines.reklawdbox(two(a, b))[0, 1]

    def score(energy, genre):
        return pytest.approx(1 - (0.30 + 0.20 + 0.18 * energy + 0.17 * genre) / 0.85)

    assert cost(("house", "house"), (0.7, 0.75)) == score(1, 1)
    assert cost(("deep-house", "house"), (0.9, 0.7)) == score(0.5, 0.7)
    assert cost(("techno", "house"), (0.58, 0.66)) == score(1, 0.3)


@pytest.fixture(scope="module")
def thirty():
    few = random_catalogue(30, 3, artists=12, unknown=0.2)
    return baseline_tracks(few, load_predictor("mean").embed(few))


@pytest.mark.parametrize("name", BASELINES)
def test_every_search_plays_all_once_and_the_seed_decides(name, thirty, monkeypatch):
    monkeypatch.setattr(baselines, "GENERATIONS", 60)
    rival = BASELINES[name]
    joins = rival.cost(thirty) if rival.cost else np.zeros((30, 30))
    assert joins.shape == (30, 30)
    assert np.isfinite(joins).all()
    one, two = (rival.search(thirty, joins, np.random.default_rng(5)) for _ in range(2))
    assert sorted(one.tolist()) == list(range(30))
    assert (one == two).all()


def test_searches_better_what_they_begin_with(thirty, monkeypatch):
    monkeypatch.setattr(baselines, "GENERATIONS", 60)

    def paid(joins, order):
        return joins[order[:-1], order[1:]].sum()

    rng = np.random.default_rng(1)
    for name in (
        "AudioMuse-AI",
        "WrzDJ",
        "playlist-sorter",
        "reklawdbox",
        "nearest neighbour",
        "by tempo",
        "by energy",
    ):
        joins = BASELINES[name].cost(thirty)
        chance = np.mean([paid(joins, rng.permutation(30)) for _ in range(20)])
        assert paid(joins, BASELINES[name].search(thirty, joins, rng)) < 0.9 * chance, name


def test_audiomuse_begins_at_the_lower_quartile_and_reklawdbox_with_the_calmest():
    energies = [0.9, 0.3, 0.1, 0.5, 0.2, 0.7, 0.8, 0.4]
    few = catalogue_of([{"track_id": str(i), "energy": e} for i, e in enumerate(energies)])
    tracks = baseline_tracks(few, np.zeros((8, 8), np.float32))
    rng = np.random.default_rng(0)
    assert BASELINES["AudioMuse-AI"].search(tracks, baselines.audiomuse(tracks), rng)[0] == 1
    assert BASELINES["reklawdbox"].search(tracks, baselines.reklawdbox(tracks), rng)[0] == 2


@given(st.integers(2, 12), st.integers(0, 10_000))
def test_a_crossed_child_is_a_permutation_with_a_part_of_one_and_the_order_of_the_other(n, seed):
    rng = np.random.default_rng(seed)
    one, two = (rng.permuted(np.tile(np.arange(n), (5, 1)), axis=1) for _ in range(2))
    cuts = np.sort(np.random.default_rng(seed + 1).integers(n, size=(5, 2)), axis=1)
    children = order_crossover(one, two, np.random.default_rng(seed + 1))
    for child, a, b, (low, high) in zip(children, one, two, cuts, strict=True):
        assert sorted(child.tolist()) == list(range(n))
        assert (child[low : high + 1] == a[low : high + 1]).all()
        part = set(a[low : high + 1].tolist())
        after = [*range(high + 1, n), *range(high + 1)]
        rest = [int(b[i]) for i in after if b[i] not in part]
        assert [int(child[i]) for i in after][: len(rest)] == rest


@given(st.integers(2, 9), st.integers(0, 10_000))
@at_most(40)
def test_no_turn_betters_what_two_opt_leaves(n, seed):
    rng = np.random.default_rng(seed)
    joins = rng.random((n, n))
    joins += joins.T
    order = two_opt(joins, rng.permutation(n))
    paid = joins[order[:-1], order[1:]].sum()
    for i in range(n):
        for j in range(i + 1, n):
            turned = order.copy()
            turned[i : j + 1] = turned[i : j + 1][::-1]
            assert joins[turned[:-1], turned[1:]].sum() >= paid - 1e-9


def test_a_list_without_keys_tempos_and_energy_is_ordered_by_all():
    few = replace_columns(random_catalogue(6, 1), key=None, mode=None, tempo_bpm=None)
    (measured, _), *_ = [*flow_benchmark.measure_orders(few, [np.arange(6)], setting(), list(BASELINES), True, 0)]
    made = {r["method"]: r for r in flow_benchmark.records(measured, "playlists", flow_benchmark.ORDER)}
    assert made["order"]["key fifths"] is None
    assert made["order"]["tempo_change"] is None
    assert made["order"]["step"] > 0
    assert made["WrzDJ"]["dominated"] is False


def replace_columns(catalogue, **values):
    tracks = catalogue.table.to_pylist()
    return catalogue_of([{**track, **values} for track in tracks])


def setting(**given):
    return replace(flow_benchmark.FlowProtocol(load_predictor("mean")), **given)


@pytest.fixture(scope="module")
def library():
    return random_catalogue(300, 2, artists=90)


@pytest.fixture(scope="module")
def draws(library):
    lists = data.sample_lists(np.arange(300), 3, 12, seed=4)
    *_, (measured, n) = flow_benchmark.measure_orders(library, lists, setting(), list(BASELINES), False, 4)
    assert n == 3
    return measured


def test_ours_costs_least_and_matches_rivals_at_their_own_cost(draws):
    made = {r["method"]: r for r in flow_benchmark.records(draws, "draws", flow_benchmark.ORDER)}
    assert flow_benchmark.ORIGINAL not in made
    assert made[flow_benchmark.ORDER_FREE_ARTISTS]["gap"] == pytest.approx(
        0, abs=1e-4
    )  # 12 tracks: dynamic programming
    assert all(record["gap"] >= -1e-4 for record in made.values())
    for name, rival in BASELINES.items():
        assert ("own" in made[name]) == (rival.cost is not None)
        if rival.cost:
            assert made[name]["own"]["no_dearer"] == 3, name
            assert made[name]["own"]["ratio"] <= 1 + 1e-6
    assert made["by tempo"]["own"]["cheaper"] == 0  # sorted is the best there is
    assert made["WrzDJ, our search"]["n"] == 3
    low, high = made["order"]["interval"]["step"]
    assert low <= made["order"]["step"] <= high


def test_who_is_ahead_is_told_by_the_means(draws):
    made = {r["method"]: r for r in flow_benchmark.records(draws, "draws", flow_benchmark.ORDER)}
    random = made["random"]
    assert random["ahead"]["step"]["mean"] == pytest.approx(random["step"] - made["order"]["step"], abs=2e-4)
    apart = made["order"]["key fifths"] - random["key fifths"]
    assert random["ahead"]["key fifths"]["mean"] == pytest.approx(apart, abs=2e-4)
    assert "ahead" not in made["order"]


def test_an_order_by_all_better_ways_dominates():
    better = {"key fifths": 0.9, "tempo_change": 1.0, "step": 1.0}
    worse = {"key fifths": 0.8, "tempo_change": 2.0, "step": 1.0}
    measured = flow_benchmark.Measurements({"order": [worse, worse], "x": [better, better], "y": [worse, better]})
    made = {r["method"]: r for r in flow_benchmark.records(measured, "draws", "order")}
    assert made["x"]["dominated"]
    assert made["y"]["dominated"]
    made = {r["method"]: r for r in flow_benchmark.records(measured, "draws", "x")}
    assert not made["order"]["dominated"]


def test_genres_are_met_whole_and_hyphens_are_no_matter(library):
    rows = data.rows_with_genres(library, ["Deep-House", "techno"])
    assert {library.table["genres"][int(row)].as_py()[0] for row in rows} == {"deep house", "techno"}
    assert len(data.rows_with_genres(library, [])) == 300
    with pytest.raises(DiscoError, match=r"has the genre 'polka'; its most frequent are .*techno"):
        data.rows_with_genres(library, ["house", "polka"])
    nothing = replace_columns(random_catalogue(3), genres=None)
    with pytest.raises(DiscoError, match="it has no genres"):
        data.rows_with_genres(nothing, ["house"])


def test_draws_are_seeded_and_without_repeats():
    one, two, other = (data.sample_lists(np.arange(50), 4, 20, seed) for seed in (0, 0, 1))
    assert all((a == b).all() for a, b in zip(one, two, strict=True))
    assert not all((a == b).all() for a, b in zip(one, other, strict=True))
    assert all(len(set(rows.tolist())) == 20 for rows in one)


def test_playlists_are_chosen_by_their_lengths():
    lists = [np.arange(n) for n in (5, 20, 30, 50, 51)]
    assert [len(rows) for rows in data.sample_playlists(lists, (20, 50), 9, 0)] == [20, 30, 50]
    assert len(data.sample_playlists(lists, (20, 50), 2, 0)) == 2
    with pytest.raises(DiscoError, match="no playlist has 60 to 70 tracks with features; of 5 the longest has 51"):
        data.sample_playlists(lists, (60, 70), 2, 0)


@pytest.fixture(scope="module")
def files(library, tmp_path_factory):
    folder = tmp_path_factory.mktemp("flow")
    tables.write(library, folder / "tracks.parquet")
    rng = np.random.default_rng(1)
    rows = [
        {"playlist_id": f"p{k}", "title": None, "position": i, "track_id": f"t{row:05}", "source": "mine"}
        for k in range(3)
        for i, row in enumerate(rng.choice(300, 10, replace=False))
    ]
    pq.write_table(pa.Table.from_pylist(rows), folder / "playlists.parquet")
    return folder


def run(files, *arguments):
    arguments = [files / a if a == "playlists.parquet" else a for a in arguments]
    return evaluate.main(["flow", "--catalogue", str(files / "tracks.parquet"), *map(str, arguments)])


def test_the_door_prints_one_record_for_each_way(files, capsys):
    asked = (
        "--playlists",
        "playlists.parquet",
        "--lengths",
        "8-12",
        "--arc",
        "peak",
        "--baseline",
        "WrzDJ",
        "--json",
    )
    assert run(files, *asked) == 0
    said = json.loads(capsys.readouterr().out)
    ways = [r["method"] for r in said["orders"]]
    assert ways == [
        "as it was",
        "WrzDJ",
        "WrzDJ, our search",
        "greedy",
        flow_benchmark.ORDER,
        flow_benchmark.ORDER_UNWEIGHTED,
        flow_benchmark.ORDER_FREE_ARTISTS,
    ]
    assert {r["cases"] for r in said["orders"]} == {"playlists"}
    by = {r["method"]: r for r in said["orders"]}
    assert by["order"]["arc_rmse"] < by["greedy"]["arc_rmse"]
    assert by["order"]["arc_spearman"] > by["greedy"]["arc_spearman"]
    assert said["protocol"]["tracks"] == 30
    assert said["protocol"]["lengths"] == [8, 12]
    again = run(files, *asked), json.loads(capsys.readouterr().out)
    assert again == (0, said)


def test_the_door_draws_and_prints_a_table(files, capsys):
    assert run(files, "--samples", 2, "--sample-length", 6, "--genre", "techno,house", "--baseline", "random") == 0
    out = capsys.readouterr().out
    assert "coher." in out
    assert "order, all knobs 1, artists free" in out
    assert "genres techno,house" in out


def test_the_door_generates(files, capsys):
    asked = ("--generate", 2, "--length", 5, "--candidates", 40, "--predictor", "mean", "--recommender", "nearest")
    assert run(files, *asked, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    by = {r["method"]: r for r in said["orders"]}
    assert list(by) == ["nearest neighbour", "walk", "greedy, mean", "beam, mean"]
    assert by["nearest neighbour"]["step_ratio"] == 1
    assert all(r["step_ratio"] >= 0.8 for r in by.values())
    assert by["walk"]["cost"] <= by["greedy, mean"]["cost"]
    assert by["walk"]["from_seeds"] > 0
    assert said["protocol"]["recommender"] == "nearest"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "one of --playlists FILE, --samples N or --generate N"),
        (("--samples", 2, "--generate", 2), "one of --playlists FILE"),
        (("--samples", 2, "--genre", "polka"), "no track of"),
        (("--samples", 0), "nothing to order"),
        (("--samples", 1, "--sample-length", 900), "cannot sample 900 of 300 tracks"),
        (("--samples", 1, "--baseline", "nobody"), "there is no baseline 'nobody'; there are: random"),
        (("--playlists", "playlists.parquet"), "no playlist has 20 to 50 tracks with features"),
        (("--playlists", "playlists.parquet", "--lengths", "many"), "is not a range of lengths"),
        (("--generate", 900), "--generate needs 1 to 300 seeds"),
        (("--samples", 1, "--arc", "round"), "'round' is no arc"),
        (("--samples", 1, "--random-seed", -1), "a random seed must be 0 or more"),
    ],
)
def test_bad_input_is_one_sentence(files, capsys, arguments, sentence):
    assert run(files, *arguments) == 1
    out, err = capsys.readouterr()
    assert sentence in err
    assert out == ""
    assert len(err.strip().splitlines()) == 1


def test_tracks_are_read_as_they_are():
    tracks = two(UNKNOWN, {"tempo_bpm": None, "genres": ["deep-house"], "artists": ["X"]})
    assert isinstance(tracks, Tracks)
    assert tracks.key.tolist() == [24, 0]
    assert np.isnan(tracks.tempo).tolist() == [False, True]
    assert tracks.family.tolist() == ["", "house"]
    assert (tracks.artist >= 0).tolist() == [False, True]
