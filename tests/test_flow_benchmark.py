"""The flow benchmark and its command."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers.catalogues import catalogue_of, random_catalogue

from disco.cli import evaluate
from disco.errors import DiscoError
from disco.evaluation import baseline_searches, data, flow_benchmark
from disco.evaluation.baselines import BASELINES
from disco.models.predictors import load_predictor
from disco.sources.files import tables


@pytest.mark.slow
def test_every_method_orders_a_list_without_keys_and_tempos(monkeypatch):
    few = replace_columns(random_catalogue(6, 1), key=None, mode=None, tempo_bpm=None)
    monkeypatch.setattr(baseline_searches, "GENERATIONS", 10)
    monkeypatch.setattr(baseline_searches, "ANNEALING_MOVES", 6000)
    (measured, _), *_ = [*flow_benchmark.measure_orders(few, [np.arange(6)], protocol(), list(BASELINES), True, 0)]
    made = {r["method"]: r for r in flow_benchmark.records(measured, "playlists", flow_benchmark.ORDER)}
    assert made["order"]["key fifths"] is None
    assert made["order"]["tempo_change"] is None
    assert made["order"]["step"] > 0
    assert made["WrzDJ"]["dominated"] is False


def replace_columns(catalogue, **values):
    tracks = catalogue.table.to_pylist()
    return catalogue_of([{**track, **values} for track in tracks])


def protocol():
    return flow_benchmark.FlowProtocol(load_predictor("mean"))


@pytest.fixture(scope="module")
def library():
    return random_catalogue(300, 2, artists=90)


@pytest.fixture(scope="module")
def measured(library):
    lists = data.sample_lists(np.arange(300), 3, 12, seed=4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(baseline_searches, "GENERATIONS", 60)
        patch.setattr(baseline_searches, "ANNEALING_MOVES", 6000)
        *_, (measurements, n) = flow_benchmark.measure_orders(library, lists, protocol(), list(BASELINES), False, 4)
    assert n == 3
    return measurements


@pytest.mark.slow
def test_order_costs_least_and_no_more_than_baselines_by_their_own_cost(measured):
    made = {r["method"]: r for r in flow_benchmark.records(measured, "draws", flow_benchmark.ORDER)}
    assert flow_benchmark.ORIGINAL not in made
    # Lists of 12 tracks are ordered exactly, by dynamic programming.
    assert made[flow_benchmark.ORDER_FREE_ARTISTS]["gap"] == pytest.approx(0, abs=1e-4)
    assert all(record["gap"] >= -1e-4 for record in made.values())
    for name, baseline in BASELINES.items():
        assert ("own" in made[name]) == (baseline.cost is not None)
        if baseline.cost:
            assert made[name]["own"]["no_dearer"] == 3, name
            assert made[name]["own"]["ratio"] <= 1 + 1e-6
    assert made["by tempo"]["own"]["cheaper"] == 0  # no order costs less than the sorted one
    assert made["WrzDJ, our search"]["n"] == 3
    low, high = made["order"]["interval"]["step"]
    assert low <= made["order"]["step"] <= high


@pytest.mark.slow
def test_ahead_is_the_difference_of_the_means(measured):
    made = {r["method"]: r for r in flow_benchmark.records(measured, "draws", flow_benchmark.ORDER)}
    random = made["random"]
    assert random["ahead"]["step"]["mean"] == pytest.approx(random["step"] - made["order"]["step"], abs=2e-4)
    difference = made["order"]["key fifths"] - random["key fifths"]
    assert random["ahead"]["key fifths"]["mean"] == pytest.approx(difference, abs=2e-4)
    assert "ahead" not in made["order"]


def test_a_method_that_is_better_on_every_axis_dominates():
    better = {"key fifths": 0.9, "tempo_change": 1.0, "step": 1.0}
    worse = {"key fifths": 0.8, "tempo_change": 2.0, "step": 1.0}
    measured = flow_benchmark.Measurements({"order": [worse, worse], "x": [better, better], "y": [worse, better]})
    made = {r["method"]: r for r in flow_benchmark.records(measured, "draws", "order")}
    assert made["x"]["dominated"]
    assert made["y"]["dominated"]
    made = {r["method"]: r for r in flow_benchmark.records(measured, "draws", "x")}
    assert not made["order"]["dominated"]


def test_genres_match_whole_names_without_hyphens(library):
    rows = data.rows_with_genres(library, ["Deep-House", "techno"])
    assert {library.table["genres"][int(row)].as_py()[0] for row in rows} == {"deep house", "techno"}
    assert len(data.rows_with_genres(library, [])) == 300
    with pytest.raises(DiscoError, match=r"has the genre 'polka'; its most frequent are .*techno"):
        data.rows_with_genres(library, ["house", "polka"])
    nothing = replace_columns(random_catalogue(3), genres=None)
    with pytest.raises(DiscoError, match="it has no genres"):
        data.rows_with_genres(nothing, ["house"])


def test_sampled_lists_depend_on_the_seed_and_repeat_no_track():
    one, two, other = (data.sample_lists(np.arange(50), 4, 20, seed) for seed in (0, 0, 1))
    assert all((a == b).all() for a, b in zip(one, two, strict=True))
    assert not all((a == b).all() for a, b in zip(one, other, strict=True))
    assert all(len(set(rows.tolist())) == 20 for rows in one)


def test_playlists_are_selected_by_length():
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


@pytest.mark.slow
def test_the_command_prints_one_record_per_method(files, capsys):
    arguments = (
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
    assert run(files, *arguments) == 0
    results = json.loads(capsys.readouterr().out)
    methods = [r["method"] for r in results["orders"]]
    assert methods == [
        "as it was",
        "WrzDJ",
        "WrzDJ, our search",
        "greedy",
        flow_benchmark.ORDER,
        flow_benchmark.ORDER_UNWEIGHTED,
        flow_benchmark.ORDER_FREE_ARTISTS,
    ]
    assert {r["cases"] for r in results["orders"]} == {"playlists"}
    by = {r["method"]: r for r in results["orders"]}
    assert by["order"]["arc_rmse"] < by["greedy"]["arc_rmse"]
    assert by["order"]["arc_spearman"] > by["greedy"]["arc_spearman"]
    assert results["protocol"]["tracks"] == 30
    assert results["protocol"]["lengths"] == [8, 12]
    again = run(files, *arguments), json.loads(capsys.readouterr().out)
    assert again == (0, results)


def test_the_command_samples_lists_and_prints_a_table(files, capsys):
    assert run(files, "--samples", 2, "--sample-length", 6, "--genre", "techno,house", "--baseline", "random") == 0
    out = capsys.readouterr().out
    assert "coher." in out
    assert "order, all knobs 1, artists free" in out
    assert "genres techno,house" in out


def test_the_command_measures_generated_playlists(files, capsys):
    arguments = (
        "--generate",
        2,
        "--length",
        5,
        "--candidates",
        40,
        "--predictor",
        "mean",
        "--recommender",
        "nearest",
    )
    assert run(files, *arguments, "--json") == 0
    results = json.loads(capsys.readouterr().out)
    by = {r["method"]: r for r in results["orders"]}
    assert list(by) == ["nearest neighbour", "walk", "greedy, mean", "beam, mean"]
    assert by["nearest neighbour"]["step_ratio"] == 1
    assert all(r["step_ratio"] >= 0.8 for r in by.values())
    assert by["walk"]["cost"] <= by["greedy, mean"]["cost"]
    assert by["walk"]["from_seeds"] > 0
    assert results["protocol"]["recommender"] == "nearest"


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
