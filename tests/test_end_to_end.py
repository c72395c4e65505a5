"""The end-to-end protocol: metrics against an oracle, a catalogue with a known answer, variants, the command."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers.catalogues import catalogue_of, random_catalogue
from hypothesis import given
from hypothesis import strategies as st

from disco.catalogue import FEATURES
from disco.cli import evaluate
from disco.errors import DataError, DiscoError
from disco.evaluation import configurations, end_to_end, methods, protocols, variants, whole_playlists
from disco.evaluation.configurations import Configuration
from disco.evaluation.end_to_end import LENGTH, MIN_TRACKS, Case, Measured, measure
from disco.models.predictors import PREDICTORS
from disco.models.recommenders import Candidates, Query, default_recommender
from disco.sources.files import playlist_tables, tables

NAMES = ("Ana", "ana", "Bo", "Cy", "Dee", "")
GENRES = ("house", "House", "techno", "folk")
TRACK = st.fixed_dictionaries(
    {
        "artists": st.sampled_from(NAMES).map(lambda name: [name, "Guest"] if name else None),
        "genres": st.lists(st.sampled_from(GENRES), max_size=2),
        "tempo_bpm": st.none() | st.sampled_from([60.0, 63.0, 100.0, 106.0, 110.0, 111.0, 122.0, 200.0]),
        "key": st.none() | st.integers(0, 11),
        "mode": st.integers(0, 1),
    }
)


def folded_change(a, b):
    """Largest factor by which one of two tempos must be sped up to the other or its half or double, less 1."""
    return min(max(a * factor / b, b / (a * factor)) for factor in (1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8)) - 1


def circle(track):
    """Place on the circle of fifths, by walking along it from C; None if unknown."""
    if track["key"] is None:
        return None
    major = (track["key"] + 3) % 12 if track["mode"] == 0 else track["key"]
    return [0, 7, 2, 9, 4, 11, 6, 1, 8, 3, 10, 5].index(major)


def mean(values):
    return sum(values) / len(values) if values else math.nan


def oracle(tracks, case, added, plays, length):
    """Every metric as the module describes it, in loops."""
    first = [(track["artists"] or [""])[0].lower() for track in tracks]
    labels = [{genre.lower() for genre in track["genres"]} for track in tracks]
    lists = case.playlist.tolist()
    seeds, rest = lists[: case.seeds], lists[case.seeds :]
    theirs = [first[row] for row in lists if first[row]]
    of_seeds = [first[row] for row in seeds]
    wanted = {genre for row in lists for genre in labels[row]}
    path = ([seeds[-1]] if seeds else []) + added
    joins = list(itertools.pairwise(path))
    steps = []
    changes = []
    for a, b in joins:
        one, two = circle(tracks[a]), circle(tracks[b])
        if one is not None and two is not None:
            steps.append(min((one - two) % 12, (two - one) % 12))
        one, two = tracks[a]["tempo_bpm"], tracks[b]["tempo_bpm"]
        if one and two:
            changes.append(folded_change(one, two))
    names = [first[row] for row in seeds + added if first[row]]
    most = max((names.count(name) for name in names), default=0)
    return {
        "track": sum(row in rest for row in added) / length,
        "artist": sum(first[row] in theirs for row in added) / length,
        "new_artist": sum(first[row] in theirs and first[row] not in of_seeds for row in added) / length,
        "genre": mean([bool(labels[row] & wanted) for row in added if labels[row]]) if wanted else math.nan,
        "keys": mean([step <= 1 for step in steps]),
        "within_6": mean([change <= 0.06 + 1e-9 for change in changes]),
        "worst_10": float(max(changes) <= 0.10 + 1e-9) if changes else math.nan,
        "within_3": mean([change <= 0.03 + 1e-9 for change in changes]),
        "worst": max(changes) if changes else math.nan,
        "most_by_artist": most,
        "over_3": int(most > 3),
        "plays": mean([plays[row] for row in added]),
        "log_plays": mean([math.log(1 + plays[row]) for row in added]),
    }


@given(st.lists(TRACK, min_size=8, max_size=8), st.integers(0, 3), st.permutations(range(8)), st.integers(1, 5))
def test_every_metric_is_what_a_plain_loop_finds(tracks, seeds, order, n):
    case = Case(np.array(order[:5]), seeds)
    added = [row for row in range(8) if row not in order[:seeds]][:n]
    plays = np.arange(8) ** 2
    values = measure(catalogue_of(named(tracks)), case, np.array(added), plays, length=5)
    wanted = oracle(tracks, case, added, plays.tolist(), 5)
    assert list(values) == [*end_to_end.SHARES, *end_to_end.OTHERS] == list(wanted)
    for name, value in wanted.items():
        assert values[name] == pytest.approx(value, abs=1e-6, nan_ok=True), name


def named(tracks):
    return [{"track_id": f"t{i}", "title": f"Title {i}", **track} for i, track in enumerate(tracks)]


def test_a_change_of_tempo_counts_the_same_upwards_and_downwards():
    assert end_to_end.folded_changes(np.array([100, 106, 100, 212])).tolist() == pytest.approx([0.06, 0.06, 0.06])
    assert np.isnan(end_to_end.folded_changes(np.array([100, np.nan, 100]))).all()


def test_a_list_that_could_not_be_made_counts_0_and_is_left_out_of_what_is_no_share():
    catalogue = random_catalogue(30)
    failed = measure(catalogue, Case(np.arange(20), 3), np.empty(0, dtype=np.intp))
    assert all(failed[name] == 0 for name in end_to_end.SHARES)
    assert all(math.isnan(failed[name]) for name in end_to_end.OTHERS)
    perfect = measure(catalogue, Case(np.arange(20), 3), np.arange(3, 13), np.full(30, 4))
    lists = [Measured([f"t{i}" for i in range(3, 13)], perfect, 1.0), Measured([], failed, 3.0)]
    made = end_to_end.summary(lists)
    assert (made["n"], made["track"], made["artist"], made["plays"]) == (2, 0.5, 0.5, 4)
    assert (made["failures"], made["tracks"], made["seconds"]) == (1, 10, 2.0)
    assert made["interval"]["track"] == [0, 1]
    low, high = made["interval"]["within_6"]
    assert low <= made["within_6"] <= high


def test_a_metric_that_is_known_of_no_list_is_none_without_an_interval():
    catalogue = random_catalogue(30, unknown=1.0)
    made = end_to_end.summary([Measured(["t3"], measure(catalogue, Case(np.arange(20), 3), np.array([3])), 1.0)])
    assert made["keys"] is made["within_6"] is made["worst_10"] is made["plays"] is None
    assert "keys" not in made["interval"]
    assert made["track"] == 0.1


def test_cases_are_playlists_of_20_tracks_and_a_title_alone_needs_a_title():
    lists = [(np.arange(n), title, "mine") for n, title in ((19, "a"), (20, ""), (21, "b"), (40, "c"))]
    assert [len(case.playlist) for case in end_to_end.sample_cases(lists, 3)] == [20, 21, 40]
    assert [case.title for case in end_to_end.sample_cases(lists, 0)] == ["b", "c"]
    with pytest.raises(DiscoError, match=f"no playlist has {MIN_TRACKS} different tracks .* longest of 1 has 19"):
        end_to_end.sample_cases(lists[:1], 3)
    with pytest.raises(DiscoError, match="has a title"):
        end_to_end.sample_cases(lists[1:2], 0)
    with pytest.raises(DiscoError, match="1 to 10, or title, not 11"):
        end_to_end.sample_cases(lists, 11)
    with pytest.raises(DiscoError, match="at least one playlist"):
        end_to_end.sample_cases(lists, 3, 0)


def test_sampled_cases_depend_on_the_random_seed_alone():
    lists = [(np.arange(20) + i, "", "mine") for i in range(30)]
    first = [[int(case.playlist[0]) for case in end_to_end.sample_cases(lists, 1, 5, seed)] for seed in (1, 1, 2)]
    assert first[0] == first[1] != first[2]
    assert len(set(first[0])) == 5


def test_parts_are_by_source_thirds_of_popularity_and_known_seeds():
    popularity = np.array([5.0, 1, 3, np.nan, 2, 4, 6])
    made = end_to_end.parts(["b", "a", "a", "a", "b", "b", "a"], popularity, [3, 0, 3, 3, 2, 2, 2])
    assert [(name, cases.tolist()) for _, name, cases in made] == [
        ("a", [1, 2, 3, 6]),
        ("b", [0, 4, 5]),
        (end_to_end.THIRDS[0], [1, 4]),
        (end_to_end.THIRDS[1], [2, 5]),
        (end_to_end.THIRDS[2], [0, 6]),
        ("0", [1]),
        ("2", [4, 5, 6]),
        ("3", [0, 2, 3]),
    ]


def test_how_popular_seeds_are_is_their_mean_in_training_or_in_the_catalogue():
    catalogue = catalogue_of([{"track_id": str(i), "popularity": p} for i, p in enumerate((10, None, 30))])
    cases = [Case(np.array([0, 1, 2]), 2), Case(np.array([1, 2, 0]), 1), Case(np.array([2, 0, 1]), 0)]
    by_column = end_to_end.seed_popularity(catalogue, cases)
    assert by_column.tolist() == pytest.approx([10, np.nan, np.nan], nan_ok=True)
    by_plays = end_to_end.seed_popularity(catalogue, cases, np.array([0, 9, 5]))
    assert by_plays.tolist() == pytest.approx([math.log(10) / 2, math.log(10), np.nan], nan_ok=True)


@pytest.fixture(scope="module")
def library():
    return random_catalogue(6000, seed=1, artists=900)


CASES = [Case(np.arange(start, start + 40), 3, "", "mine") for start in range(0, 400, 40)]


def only(catalogue, variant, seed=0):
    (setting,) = variants.settings(catalogue, CASES, variant, seed)
    assert setting.measured is catalogue
    assert setting.cases == CASES
    return setting.seen


def same_but(catalogue, seen, *columns):
    assert len(seen) == len(catalogue)
    for name in catalogue.table.column_names:
        assert (seen.table[name] == catalogue.table[name]) == (name not in columns), name


def test_without_a_variant_the_catalogue_is_seen_as_it_is(library):
    assert only(library, None) is library


def test_names_only_has_ids_that_no_model_knows(library):
    seen = only(library, "names-only")
    same_but(library, seen, "track_id")
    ids = seen.table["track_id"].to_pylist()
    assert len(set(ids)) == len(ids)
    assert not set(ids) & set(library.table["track_id"].to_pylist())
    assert ids != sorted(ids)
    assert only(library, "names-only").table == seen.table != only(library, "names-only", 1).table


def test_no_features_hides_the_eight_features_and_leaves_key_and_tempo(library):
    seen = only(library, "no-features")
    same_but(library, seen, *FEATURES, "feature_set")
    assert not seen.has_any_feature.any()


def test_no_genres_hides_genres(library):
    seen = only(library, "no-genres")
    same_but(library, seen, "genres")
    assert seen.table["genres"].null_count == len(library)


def test_half_hidden_hides_ids_and_titles_of_half_the_songs(library):
    seen = only(library, "half-hidden")
    same_but(library, seen, "track_id", "title")
    ids, titles = (
        np.array(seen.table[name].to_pylist()) != np.array(library.table[name].to_pylist())
        for name in ("track_id", "title")
    )
    assert (ids == titles).all()
    assert ids.sum() == 3000
    songs = [seen.song_key(row) for row in np.flatnonzero(ids)[:500].tolist()]
    assert len(set(songs)) == 500  # none is taken for a version of another


def test_versions_of_a_hidden_song_stay_versions_of_one_song():
    songs = [f"Song {i}" for i in range(50)]
    tracks = [{"title": f"{song}{remark}", "artists": ["Bo"]} for remark in ("", " - Live") for song in songs]
    catalogue = catalogue_of([{"track_id": str(i), **track} for i, track in enumerate(tracks)])
    assert variants.song_keys(catalogue).to_pylist() == [catalogue.song_key(row) for row in range(100)]
    (setting,) = variants.settings(catalogue, CASES, "half-hidden")
    keys = [setting.seen.song_key(row) for row in range(100)]
    assert keys[:50] == keys[50:]
    assert len(set(keys)) == 50
    assert len(set(keys) & {catalogue.song_key(row) for row in range(50)}) == 25
    untitled = catalogue_of([{"track_id": "a"}, {"track_id": "b", "title": "Song"}])
    assert variants.settings(untitled, CASES, "half-hidden")[0].seen.table == untitled.table


def test_small_catalogues_have_5000_tracks_and_every_case_once(library):
    cases = [Case(np.arange(start, start + 200), 3) for start in range(0, 6000, 200)]
    made = variants.settings(library, cases, "sample-5000")
    assert len(made) == 3
    assert sorted(number for setting in made for number in setting.numbers) == list(range(30))
    for setting in made:
        assert len(setting.seen) == 5000
        assert setting.seen.ids(np.arange(5000)) == library.ids(setting.rows)
        for number, case in zip(setting.numbers, setting.cases, strict=True):
            assert (setting.rows[case.playlist] == cases[number].playlist).all()


@pytest.mark.parametrize("variant", list(variants.VARIANTS))
def test_a_variant_takes_nothing_that_was_computed_of_the_whole_catalogue(library, variant):
    class Store:
        def array(self, name, compute):
            return np.zeros(3)

    stored = library.with_store(Store())
    assert stored.cached("what-1", lambda: np.ones(3)).tolist() == [0, 0, 0]
    setting, *_ = variants.settings(stored, CASES, variant)
    assert setting.seen.cached("what-1", lambda: np.ones(3)).tolist() == [1, 1, 1]
    assert setting.seen.parent is None  # among whose tracks features would be ranked


def test_a_variant_that_does_not_exist_is_refused(library):
    with pytest.raises(DiscoError, match="no variant 'quiet'; there are names-only"):
        variants.settings(library, CASES, "quiet")


def test_a_configuration_is_named_by_itself_a_recommender_or_its_options():
    assert Configuration.of("default") == Configuration("default", {})
    assert Configuration.of("published").options["sequencer"] == "greedy"
    assert Configuration.of("nearest").options == {"recommender": "nearest"}
    made = Configuration.of({"recommender": "default", "max_tempo_change": 6.0, "candidates": 100})
    assert made == Configuration("max tempo change 6, candidates 100", {"max_tempo_change": 6.0, "candidates": 100})
    assert Configuration.of({"predictor": "default"}).name == "default"


def test_default_names_what_is_used_where_nothing_is_named(library):
    few = library.take(np.arange(300))
    assert methods.predictor_by_name("default").name == PREDICTORS[0]
    assert methods.recommender_by_name("default", few).name == default_recommender(few).name
    assert [one.name for one in methods.recommenders_by_name(["default"], few)] == [default_recommender(few).name]


@pytest.mark.slow
def test_every_protocol_takes_default_as_a_name(files):
    catalogue, playlists = tables.read(files / "tracks.parquet"), files / "playlists.parquet"
    (record, *_) = protocols.next_track(catalogue, playlists, predictor=["default"], cases=20)["predictors"]
    assert record["predictor"] == PREDICTORS[0]
    usual = default_recommender(catalogue).name
    results = protocols.continuation(catalogue, playlists, protocol="first-1", recommender=["default"], titles=False)
    assert {record["recommender"] for record in results["recommenders"]} == {usual}
    results = protocols.flow(catalogue, generate=1, length=3, predictor=["default"], recommender="default")
    assert results["protocol"]["recommender"] == usual
    assert PREDICTORS[0] in " ".join(record["method"] for record in results["orders"])


def test_candidates_by_the_seeds_artists_are_the_popular_first_and_nobody_elses():
    tracks = [{"track_id": str(i), "artists": [name], "popularity": i} for i, name in enumerate("AABBCCA")]
    catalogue = catalogue_of(tracks)
    recommender = configurations.artists_of_seeds(catalogue)
    assert recommender.recommend(Query(np.array([0, 3])), 9).rows.tolist() == [6, 2, 1]
    by_plays = configurations.artists_of_seeds(catalogue, np.array([0, 9, 0, 0, 0, 0, 1]))
    assert by_plays.recommend(Query(np.array([0])), 9).rows.tolist() == [1, 6]
    assert not len(recommender.recommend(Query(np.empty(0, np.intp)), 9).rows)


def test_popular_tracks_need_training_playlists(library):
    with pytest.raises(DiscoError, match="name them with --train"):
        Configuration.of("popular tracks").player(library)


class Answer:
    """Recommends the rest of the playlist that the first seed, or the title, is of; knows no others."""

    name, reads_titles, gives_probabilities = "answer", True, False

    def __init__(self, playlists, titles):
        self.playlists, self.titles = playlists, titles

    def recommend(self, query, n):
        for rows, title in zip(self.playlists, self.titles, strict=True):
            if (len(query.seeds) and query.seeds[0] in rows) or (query.title and query.title == title):
                rest = np.setdiff1d(rows, query.seeds)[:n]
                return Candidates(rest, np.zeros(len(rest), dtype=np.float32))
        return Candidates(np.empty(0, np.intp), np.empty(0, np.float32))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """300 tracks by 300 artists, and five playlists of 20 different tracks: two sources, a split."""
    folder = tmp_path_factory.mktemp("end-to-end")
    tables.write(random_catalogue(300, seed=2), folder / "tracks.parquet")
    entries = [
        {"playlist_id": f"p{k}", "title": f"list {k}", "position": i, "track_id": f"t{20 * k + i:05}"}
        | {"source": "mine" if k < 3 else "yours", "split": "test" if k < 4 else "train"}
        for k in range(5)
        for i in range(20)
    ]
    entries.append({**entries[0], "position": 20})  # a repeated track, which does not count
    entries += [{**entries[0], "playlist_id": "short", "position": i, "track_id": f"t{i:05}"} for i in range(19)]
    pq.write_table(pa.Table.from_pylist(entries), folder / "playlists.parquet")
    return folder


@pytest.fixture
def answer(monkeypatch):
    """The recommender `answer`, which knows the first three playlists."""
    known = Answer([np.arange(20 * k, 20 * k + 20) for k in range(3)], [f"list {k}" for k in range(3)])
    load = methods.load_recommender
    monkeypatch.setattr(
        methods, "load_recommender", lambda name, catalogue: known if name == "answer" else load(name, catalogue)
    )
    return known


def measured(files, **options):
    catalogue = tables.read(files / "tracks.parquet")
    return protocols.end_to_end(catalogue, files / "playlists.parquet", **options)


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [3, 1, "title"])
def test_who_knows_the_answer_is_right_and_fails_where_it_does_not(files, answer, seeds, caplog):
    results = measured(files, configurations=["answer"], seeds=seeds)
    (record,) = results["configurations"]
    assert record["n"] == results["protocol"]["test_playlists"] == 4
    assert record["failures"] == 1
    assert record["track"] == record["artist"] == record["new_artist"] == 0.75
    assert record["tracks"] == 3 * LENGTH
    assert record["recommender"] == "answer"
    assert "1 lists could not be made and count 0, the first: answer" in caplog.text
    assert {one["part"]: one["track"] for one in record["parts"] if one["by"] == "source"} == {"mine": 1, "yours": 0}


@pytest.mark.slow
@pytest.mark.parametrize("variant", list(variants.VARIANTS))
def test_metrics_see_what_a_variant_hides(files, answer, variant):
    asked = {"recommender": "answer", "candidates": 17}  # no more, which would be filled up by key and tempo
    (record,) = measured(files, configurations=[asked], variant=variant, source=["mine"])["configurations"]
    assert record["cases"] == f"mine, three seeds, {variant}"
    assert record["track"] == record["genre"] == 1
    assert record["keys"] is not None


def test_a_model_that_knows_nothing_of_the_catalogue_counts_0(files, monkeypatch):
    def load(name, catalogue):
        raise DataError("a folder", "knows none")

    monkeypatch.setattr(methods, "load_recommender", load)
    (record,) = measured(files, configurations=["nearest"])["configurations"]
    assert (record["failures"], record["track"], record["keys"], record["worst"]) == (4, 0, 0, None)


@pytest.mark.slow
def test_the_usual_configurations_are_the_default_the_published_and_two_baselines(files):
    results = measured(files, train=files / "playlists.parquet", source=["mine"])
    by = {record["configuration"]: record for record in results["configurations"]}
    assert list(by) == ["default", "published", "seeds' artists", "popular tracks"]
    assert by["default"]["predictor"] == PREDICTORS[0]
    assert (by["published"]["predictor"], by["published"]["recommender"]) == ("classic", "nearest")
    assert by["popular tracks"]["plays"] == 1  # all are of the one training playlist
    assert by["seeds' artists"]["failures"] == 3  # every artist has a single track
    assert {part["part"] for part in by["default"]["parts"] if part["by"] == "known seeds"} == {"0"}
    assert by == {r["configuration"]: r | {"seconds": by[r["configuration"]]["seconds"]} for r in again(files, by)}


def again(files, by):
    """The same once more, with the times of the first run, which alone may differ."""
    found = measured(files, train=files / "playlists.parquet", source=["mine"])["configurations"]
    for record in found:
        for part, before in zip(record["parts"], by[record["configuration"]]["parts"], strict=True):
            part["seconds"] = before["seconds"]
    return found


def test_playlists_with_other_ids_are_matched_by_title_and_artist(files, tmp_path):
    catalogue = tables.read(files / "tracks.parquet")
    entries = playlist_tables.read(files / "playlists.parquet")
    other = variants.settings(catalogue, CASES, "names-only")[0].seen  # what a user has
    assert whole_playlists.match_names(entries, other)["track_id"] == entries["track_id"]
    matched = whole_playlists.match_names(entries, other, catalogue)
    wanted = other.ids(catalogue.rows(entries["track_id"].cast(pa.string()).to_pylist()))
    assert matched["track_id"].cast(pa.string()).to_pylist() == wanted
    results = protocols.end_to_end(
        other, files / "playlists.parquet", configurations=["nearest"], names=[files / "tracks.parquet"]
    )
    assert results["configurations"][0]["n"] == 4


def test_a_filter_makes_the_catalogue_smaller(files):
    with pytest.raises(DiscoError, match="the longest of 5 has 7"):
        measured(files, include=["genre=techno"])


def test_the_command_prints_records_and_a_table(files, answer, capsys):
    shared = ["--playlists", str(files / "playlists.parquet"), "--catalogue", str(files / "tracks.parquet")]
    shared += ["--source", "mine", "--max-playlists", "2", "--configuration", "answer", "--candidates", "50"]
    assert evaluate.main(["end-to-end", *shared, "--recommender", "default", "--json"]) == 0
    results = json.loads(capsys.readouterr().out)
    records = results["configurations"]
    assert [record["configuration"] for record in records] == ["answer", "candidates 50"]
    assert records[0]["cases"] == "mine, three seeds"
    assert {"n", "track", "artist", "new_artist", "genre", "keys", "within_6", "worst_10"} <= set(records[0])
    assert set(records[0]["interval"]) <= set(records[0])
    assert results["protocol"]["seeds"] == "3"
    assert evaluate.main(["end-to-end", *shared]) == 0
    out = capsys.readouterr().out
    assert "answer" in out
    assert "candidates 50" in out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--seeds", "many"], "--seeds must be a number of tracks or title, not 'many'"),
        (["--seeds", "0"], "not '0'"),
        (["--split", "none"], "no playlist of the split 'none'"),
        (["--configuration", "no such"], "there is no recommender 'no such'"),
        (["--configuration", "popular tracks"], "--train"),
        (["--random-seed", "-1"], "0 or more"),
    ],
)
def test_bad_input_is_one_clear_sentence(files, capsys, options, message):
    shared = ["--playlists", str(files / "playlists.parquet"), "--catalogue", str(files / "tracks.parquet")]
    assert evaluate.main(["end-to-end", *shared, *options]) == 1
    assert message in capsys.readouterr().err


def test_cases_with_other_numbers_are_named_in_words():
    case = Case(np.arange(20), 7, "", "mine")
    assert end_to_end.cases_name([case]) == "mine, 7 seeds"
    assert end_to_end.cases_name([replace(case, seeds=0)]) == "mine, title alone"
    assert end_to_end.cases_name([replace(case, source=str(i)) for i in range(4)]) == "4 sources, 7 seeds"
