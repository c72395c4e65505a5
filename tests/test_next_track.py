"""The next-track protocol on playlists with a known answer, and on noise."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers.catalogues import catalogue_of, random_catalogue

from disco.cli import evaluate
from disco.errors import DiscoError
from disco.evaluation import next_track
from disco.models.predictors import load_predictor
from disco.sources.files import tables
from disco.sources.files.playlist_tables import is_cold


@pytest.fixture(scope="module")
def themed():
    """Playlists of two kinds of music with distant features, which the running mean separates."""
    tracks = random_catalogue(1000, seed=1).table.to_pylist()
    for i, track in enumerate(tracks):
        loud = i % 2
        track |= {"energy": 0.1 + 0.8 * loud, "acousticness": 0.9 - 0.8 * loud, "danceability": 0.2 + 0.6 * loud}
        track["genres"] = ["loud" if loud else "calm"]
    rng = np.random.default_rng(2)
    playlists = [rng.permutation(np.arange(k % 2, 1000, 2))[:40] for k in range(40)]
    return catalogue_of(tracks), playlists


def measured(catalogue, playlists, name="mean", **options):
    cases = next_track.sample_cases(catalogue, playlists, None, **options)
    predictor = load_predictor(name)
    space = predictor.embed(catalogue)
    vectors = next_track.predictions(predictor, catalogue, space, cases)
    return cases, next_track.ranks(space, vectors, cases)


@pytest.mark.slow
def test_a_theme_is_recognised_and_hard_negatives_are_at_chance(themed):
    _, easy = measured(*themed, most=2000)
    assert np.mean(easy <= 10) == pytest.approx(0.05, abs=0.015)  # half of the negatives are as near: twice chance
    _, hard = measured(*themed, most=2000, hard=True)
    assert np.mean(hard <= 10) == pytest.approx(0.025, abs=0.015)  # chance


@pytest.mark.slow
def test_noise_is_ranked_at_chance():
    catalogue, rng = random_catalogue(800, seed=3), np.random.default_rng(4)
    playlists = [rng.permutation(800)[:60] for _ in range(60)]
    _, ranks = measured(catalogue, playlists, most=3000)
    assert np.mean(ranks <= 10) == pytest.approx(0.025, abs=0.01)
    assert np.median(ranks) == pytest.approx(200, abs=15)


def test_cases_start_at_the_sixth_track_and_negatives_are_never_of_the_playlist(themed):
    cases = next_track.sample_cases(*themed, None)
    assert cases.position.min() == 5
    assert len(cases.playlist) == 40 * 35
    for p, negatives, true in zip(cases.playlist, cases.negatives, cases.true, strict=True):
        assert not set(negatives.tolist()) & set(themed[1][p].tolist())
        assert true in themed[1][p]


@pytest.mark.slow
def test_negatives_are_sampled_in_proportion_to_their_entries():
    catalogue = random_catalogue(300, seed=1)
    rng = np.random.default_rng(0)
    playlists = [
        np.r_[rng.permutation(200)[:19] + 100, [i % 2]] for i in range(400)
    ]  # tracks 0 and 1 in half of them
    cases = next_track.sample_cases(catalogue, playlists, None, most=3000)
    share = np.mean(cases.negatives == 0, axis=1)[cases.playlist % 2 == 1].mean()
    # A fortieth of all entries are track 0; tracks of the playlist itself are sampled again.
    assert share == pytest.approx(1 / 40, rel=0.15)


def test_cold_cases_follow_the_rule_and_warm_ones_are_in_training_playlists(themed):
    catalogue, playlists = themed
    warm = np.zeros(len(catalogue), dtype=bool)
    warm[:500] = True
    cases = next_track.sample_cases(catalogue, playlists, warm)
    cold = is_cold(catalogue.ids(cases.true))
    assert (cases.sets["cold"] == cold).all()
    assert (cases.sets["warm"] == (warm[cases.true] & ~cold)).all()
    assert 0.05 < cold.mean() < 0.15


def test_each_set_has_at_most_the_given_number_of_cases_and_depends_on_the_seed(themed):
    one, two, other = (next_track.sample_cases(*themed, None, most=100, seed=seed) for seed in (0, 0, 1))
    assert {name: int(mask.sum()) for name, mask in one.sets.items()} == {"all": 100, "cold": 100}
    assert (one.negatives == two.negatives).all()
    assert not np.array_equal(one.position, other.position)


def test_predicting_sequences_equals_predicting_from_each_history_alone(themed):
    catalogue, playlists = themed
    some = [playlists[0][:12], playlists[1][:30], playlists[2][:7]]
    for name in ("mean", "classic"):
        predictor = load_predictor(name)
        space = predictor.embed(catalogue)
        vectors = next_track.predict_sequences(predictor, catalogue, space, some)
        for tracks, predicted in zip(some, vectors, strict=True):
            assert len(predicted) == len(tracks)
            for i in (0, 4, len(tracks) - 1):
                alone = next_track.predict_sequences(predictor, catalogue, space, [tracks[: i + 1]])[0][-1]
                np.testing.assert_allclose(predicted[i], alone, atol=1e-5)


@pytest.mark.slow
def test_history_limits_and_shuffling_permutes_the_previous_tracks(themed):
    catalogue, playlists = themed
    cases = next_track.sample_cases(catalogue, playlists, None, most=200)
    mean = load_predictor("mean")
    space = mean.embed(catalogue)
    whole = next_track.predictions(mean, catalogue, space, cases)
    shuffled = next_track.predictions(mean, catalogue, space, cases, shuffled=np.random.default_rng(0))
    np.testing.assert_allclose(whole, shuffled, atol=1e-5)  # a mean does not depend on order
    last = next_track.predictions(mean, catalogue, space, cases, history=1)
    before = np.array([playlists[p][i - 1] for p, i in zip(cases.playlist, cases.position, strict=True)])
    from disco.models.predictors import SHRINKAGE

    np.testing.assert_allclose(last, space[before] / (1 + SHRINKAGE), atol=1e-5)


def test_without_playlists_there_is_one_error(themed):
    with pytest.raises(DiscoError, match="no playlist has 10 different tracks"):
        next_track.sample_cases(themed[0], [], None)


def test_a_single_playlist_leaves_no_negatives(themed):
    with pytest.raises(DiscoError, match="negatives are sampled from other playlists"):
        next_track.sample_cases(themed[0], [np.arange(20)], None)


@pytest.fixture(scope="module")
def files(themed, tmp_path_factory):
    catalogue, playlists = themed
    folder = tmp_path_factory.mktemp("data")
    tables.write(catalogue, folder / "tracks.parquet")
    rows = [
        {"playlist_id": f"p{k}", "title": None, "position": i, "track_id": f"t{row:05}", "split": split}
        for k, tracks in enumerate(playlists)
        for i, row in enumerate(tracks)
        for split in ["train" if k < 20 else "test"]
    ]
    pq.write_table(pa.Table.from_pylist(rows), folder / "playlists.parquet")
    return folder


def run(files, *arguments):
    where = ["--playlists", files / "playlists.parquet", "--catalogue", files / "tracks.parquet"]
    return evaluate.main(["next-track", *map(str, (*where, *arguments))])


@pytest.mark.slow
def test_the_command_prints_one_record_per_method_and_set(files, capsys):
    arguments = ["--train", files / "playlists.parquet", "--predictor", "classic", "--predictor", "mean"]
    assert run(files, *arguments, "--spicyness", 1, 1.2, "--json") == 0
    results = json.loads(capsys.readouterr().out)
    methods = [(r["predictor"], r["spicyness"]) for r in results["predictors"] if r["cases"] == "all"]
    assert methods == [("popularity", None), ("classic", 1.0), ("classic", 1.2), ("mean", 1.0), ("mean", 1.2)]
    for record in results["predictors"]:
        assert {"predictor", "cases", "n", "mrr", "hit@10", "median_rank", "interval"} <= set(record)
        low, high = record["interval"]["hit@10"]
        assert low <= record["hit@10"] <= high
    assert list(results["protocol"].items())[3:6] == [
        ("test_playlists", 20),
        ("test_entries", 800),
        ("entries_read", 800),
    ]
    mean = next(r for r in results["predictors"] if r["predictor"] == "mean")
    assert mean["mae"] > 0
    assert mean["mae_ratio"] < 1


def test_popularity_is_at_chance(files, capsys):
    assert run(files, "--train", files / "playlists.parquet", "--predictor", "mean", "--json") == 0
    results = json.loads(capsys.readouterr().out)["predictors"]
    popularity = next(r for r in results if r["predictor"] == "popularity")
    assert popularity["hit@10"] == pytest.approx(0.025, abs=0.02)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda t: t.set_column(3, "track_id", pa.array([f"x{i}" for i in range(len(t))])),
            "0 of 800 entries are in it",
        ),
        (lambda t: t.set_column(4, "split", pa.array(["train"] * len(t))), "no playlist of the split 'test'"),
        (lambda t: t.drop_columns(["track_id"]), "track_id"),
        (lambda t: t.slice(0, 0), "playlists.parquet"),
    ],
)
def test_bad_playlists_are_one_error_line(files, tmp_path, capsys, change, sentence):
    path = tmp_path / "playlists.parquet"
    pq.write_table(change(pq.read_table(files / "playlists.parquet")), path)
    arguments = ["next-track", "--playlists", str(path), "--catalogue", str(files / "tracks.parquet")]
    assert evaluate.main(arguments) == 1
    err = capsys.readouterr().err
    assert sentence in err
    assert str(path) in err
    assert len(err.strip().splitlines()) == 1
