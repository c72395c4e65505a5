"""The continuation protocol: what is given, what is withheld, and its command."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers.catalogues import catalogue_of, random_catalogue
from hypothesis import given
from hypothesis import strategies as st

from disco.catalogue.numbering import artist_numbers
from disco.cli import evaluate
from disco.errors import DataError, DiscoError
from disco.evaluation import continuation, methods, metrics
from disco.evaluation.continuation import MIN_HOLDOUTS, PROTOCOLS, Category
from disco.models.recommenders import RECOMMENDERS, Candidates, Query
from disco.sources.files import playlist_tables, tables


@dataclass(frozen=True)
class Oracle:
    """Completes the playlists that it has, found by title or by the first seed; recommends nothing else."""

    known: list[np.ndarray]
    titles: list[str]
    reads_titles: bool = True
    name: str = "oracle"
    gives_probabilities: bool = False

    def recommend_many(self, queries, n):
        return [self.recommend(query, n) for query in queries]

    def recommend(self, query, n):
        for tracks, title in zip(self.known, self.titles, strict=True):
            by_seed = len(query.seeds) and query.seeds[0] in tracks
            if by_seed or (self.reads_titles and query.title and query.title == title):
                rows = tracks[~np.isin(tracks, query.seeds)][:n]
                return Candidates(rows, -np.arange(len(rows), dtype=np.float32))
        return Candidates(np.empty(0, np.intp), np.empty(0, np.float32))


def parts(lengths, titled=True):
    """Playlists of different tracks, of these lengths."""
    ends = np.cumsum(lengths)
    lists = [np.arange(end - n, end)[::-1] for n, end in zip(lengths, ends, strict=True)]
    return lists, [f"list {i}" if titled else "" for i in range(len(lengths))]


def measured(recommender, cases):
    rows = [answer for some, _ in continuation.recommend_in_batches(recommender, cases.queries) for answer in some]
    return continuation.Answers(cases, rows)


@pytest.mark.parametrize("seeds", [1, 5, 10])
def test_the_first_tracks_are_given_and_the_rest_is_withheld(seeds):
    lists, titles = parts([MIN_HOLDOUTS + seeds - 1, MIN_HOLDOUTS + seeds, 60, 9])
    (cases,) = continuation.sample_cases(lists, titles, f"first-{seeds}")
    assert cases.playlist.tolist() == [1, 2]
    for i, query, relevant in zip(cases.playlist, cases.queries, cases.relevant, strict=True):
        assert query.seeds.tolist() == lists[i][:seeds].tolist()
        assert query.title == ""
        assert relevant.tolist() == lists[i][seeds:].tolist()


def test_first_5_uses_playlists_of_15_tracks_or_more():
    assert len(continuation.sample_cases(*parts([14, 15, 16]), "first-5")[0].queries) == 2


def test_the_title_protocol_gives_no_seeds():
    lists, titles = parts([20, 10, 9, 30])
    titles[3] = "  "
    (cases,) = continuation.sample_cases(lists, titles, "title")
    assert [(q.title, len(q.seeds)) for q in cases.queries] == [("list 0", 0), ("list 1", 0)]
    assert [len(relevant) for relevant in cases.relevant] == [20, 10]


def test_the_challenge_has_its_ten_categories():
    names = [category.name for category in PROTOCOLS["challenge"]]
    assert names == [
        "title",
        "title and first 1",
        "title and first 5",
        "first 5",
        "title and first 10",
        "first 10",
        "title and first 25",
        "title and random 25",
        "title and first 100",
        "title and random 100",
    ]
    lists, titles = parts(np.random.default_rng(0).integers(110, 150, size=200))
    sampled = continuation.sample_cases(lists, titles, "challenge")
    assert [cases.category for cases in sampled] == list(PROTOCOLS["challenge"])
    assert [len(cases.queries) for cases in sampled] == [20] * 10
    playlists = np.concatenate([cases.playlist for cases in sampled])
    assert sorted(playlists) == list(range(200))  # each playlist in one category
    for cases in sampled:
        for i, query, relevant in zip(cases.playlist, cases.queries, cases.relevant, strict=True):
            assert len(query.seeds) == cases.category.seeds
            assert query.title == (titles[i] if cases.category.title else "")
            assert sorted([*query.seeds, *relevant]) == sorted(lists[i])
            is_first = query.seeds.tolist() == lists[i][: cases.category.seeds].tolist()
            assert is_first != cases.category.random
            assert (np.diff(query.seeds) < 0).all()  # in the order of the playlist, which is descending here


@given(st.lists(st.integers(1, 140), min_size=1, max_size=120), st.integers(0, 3), st.data())
def test_categories_share_no_playlist_and_use_only_suitable_ones(lengths, seed, data):
    lists, titles = parts(lengths)
    titles = [t if data.draw(st.booleans()) else "" for t in titles]
    if max(lengths) < 15 and not any(n >= 10 and t for n, t in zip(lengths, titles, strict=True)):
        with pytest.raises(DiscoError, match="no playlist"):
            continuation.sample_cases(lists, titles, "challenge", seed=seed)
        return
    sampled = continuation.sample_cases(lists, titles, "challenge", seed=seed)
    used = np.concatenate([cases.playlist for cases in sampled])
    assert len(used) == len(set(used.tolist()))
    for cases in sampled:
        assert len(cases.queries) <= max(1, len(lengths) // 10)
        for i, relevant in zip(cases.playlist, cases.relevant, strict=True):
            assert len(relevant) >= MIN_HOLDOUTS
            assert len(relevant) + cases.category.seeds == lengths[i]
            assert titles[i] or not cases.category.title


def test_long_playlists_are_shared_by_the_two_categories_that_need_them():
    sampled = continuation.sample_cases(*parts([120] * 8 + [20] * 192), "challenge")
    n = {cases.category.name: len(cases.queries) for cases in sampled}
    assert n["title and first 100"] == n["title and random 100"] == 4
    assert "title and first 25" not in n  # no playlist is left that is long enough
    assert n["title"] == n["first 5"] == n["title and first 1"] == 20


def test_samples_depend_on_the_seed_and_have_at_most_the_given_size():
    lists, titles = parts([30] * 100)
    one, two, other = (
        continuation.sample_cases(lists, titles, "first-5", 20, seed)[0].playlist for seed in (0, 0, 1)
    )
    assert one.tolist() == two.tolist() != other.tolist()
    assert len(one) == 20
    sampled = continuation.sample_cases(lists, titles, "challenge", 50)
    assert sum(len(cases.queries) for cases in sampled) <= 50


@pytest.mark.parametrize(
    ("lengths", "titled", "protocol", "sentence"),
    [
        ([14, 3], True, "first-5", "no playlist has 15 different tracks that the catalogue has; the longest has 14"),
        ([40], False, "title", "no playlist of 10 different tracks has a title"),
        ([9], True, "challenge", "no playlist has 10 different tracks"),
        ([], True, "first-1", "no playlist with a track that the catalogue has"),
        ([40], True, "first-7", "no protocol 'first-7'; there are first-1, first-5, first-10, title, challenge"),
    ],
)
def test_unsuitable_playlists_are_one_error(lengths, titled, protocol, sentence):
    with pytest.raises(DiscoError, match=sentence):
        continuation.sample_cases(*parts(lengths, titled), protocol)


def test_an_oracle_scores_1_and_no_recommendation_scores_0():
    lists, titles = parts([25, 40, 60])
    (cases,) = continuation.sample_cases(lists, titles, "first-5")
    artists = np.arange(200)
    perfect = continuation.record([measured(Oracle(lists, titles), cases)], artists, recommender="oracle")
    assert [perfect[k] for k in ("n", "r_precision", "ndcg", "clicks", "unanswered")] == [3, 1, 1, 0, 0]
    assert perfect["r_precision_artists"] == 1.25
    assert perfect["coverage"] == 20 + 35 + 55
    assert perfect["coverage@10"] == 30
    assert perfect["interval"]["ndcg"] == [1, 1]
    empty = continuation.record([measured(Oracle([], []), cases)], artists)
    assert [empty[k] for k in ("n", "r_precision", "ndcg", "clicks", "coverage", "unanswered")] == [
        3,
        0,
        0,
        51,
        0,
        3,
    ]


def test_a_record_has_the_means_of_the_metrics():
    rng = np.random.default_rng(5)
    lists = [rng.permutation(300)[: rng.integers(15, 60)] for _ in range(50)]
    (cases,) = continuation.sample_cases(lists, [""] * 50, "first-5")
    orders = [rng.permutation(300) for _ in range(50)]
    recommended = [order[~np.isin(order, q.seeds)][:100] for order, q in zip(orders, cases.queries, strict=True)]
    answers = continuation.Answers(cases, recommended)
    artists = rng.integers(-1, 40, 300)
    made = continuation.record([answers], artists, method="x")
    assert made["method"] == "x"
    pairs = list(zip(answers.rows, cases.relevant, strict=True))
    assert made["r_precision"] == round(sum(metrics.r_precision(f, t) for f, t in pairs) / 50, 4)
    assert made["ndcg"] == round(sum(metrics.ndcg(f, t) for f, t in pairs) / 50, 4)
    assert made["clicks"] == round(sum(metrics.clicks(f, t) for f, t in pairs) / 50, 4)
    for name in ("r_precision", "r_precision_artists", "ndcg", "clicks", "coverage", "coverage@10"):
        low, high = made["interval"][name]
        assert low <= made[name] <= high
        assert low < high or name == "coverage"  # all 300 tracks are recommended
    values = np.array([metrics.ndcg(f, t) for f, t in pairs])
    assert made["interval"]["ndcg"] == [round(b, 4) for b in metrics.bootstrap_interval(values, np.arange(50))]


def test_categories_have_equal_weight_in_their_mean():
    lists, titles = parts([120] * 4 + [20] * 96)
    sampled = continuation.sample_cases(lists, titles, "challenge")
    oracle = Oracle(lists, titles, reads_titles=False)  # so it recommends nothing for a title alone
    answers = [measured(oracle, cases) for cases in sampled]
    each = [continuation.record([part], np.arange(5000))["r_precision"] for part in answers]
    assert each == [0, *[1] * (len(answers) - 1)]
    assert len({len(cases.queries) for cases in sampled}) > 1
    mean = continuation.record(answers, np.arange(5000))
    assert mean["r_precision"] == round((len(answers) - 1) / len(answers), 4)
    assert mean["n"] == sum(len(cases.queries) for cases in sampled)
    assert mean["interval"]["r_precision"] == [mean["r_precision"]] * 2  # nothing varies within a category


def test_popularity_recommends_the_most_frequent_tracks_without_the_seeds():
    play_count = np.array([3, 0, 9, 3, 1, 9])
    allowed = np.array([True, True, False, True, True, True])
    popular = continuation.popularity_baseline(play_count)
    assert popular.recommend(Query(np.array([], dtype=np.intp)), 10).rows.tolist() == [2, 5, 0, 3, 4]
    assert popular.recommend(Query(np.array([5, 1])), 2).rows.tolist() == [2, 0]
    some = popular.recommend(Query(np.array([0]), allowed=allowed), 10)
    assert some.rows.tolist() == [5, 3, 4]
    assert some.scores.tolist() == [9, 3, 1]


def test_artist_numbers_go_by_the_first_artist_in_any_spelling():
    names = [["Beyoncé", "Jay-Z"], ["BEYONCE"], ["Jay-Z"], None, [], ["!!!"], ["¡¡¡"], ["!!!", "x"]]
    numbers = artist_numbers(catalogue_of([{"track_id": f"t{i}", "artists": a} for i, a in enumerate(names)]))
    assert numbers[0] == numbers[1] != numbers[2]
    assert numbers[3] == numbers[4] == -1
    assert numbers[5] == numbers[7]
    assert len({int(n) for n in numbers[[0, 2, 5, 6]]}) == 4


def test_titles_can_be_added_to_cases():
    lists, titles = parts([20, 12, 40])
    (cases,) = continuation.sample_cases(lists, titles, "first-5")
    with_titles = continuation.with_titles(cases, titles)
    assert with_titles.category == Category(5, title=True)
    assert [q.title for q in with_titles.queries] == ["list 0", "list 2"]
    assert [q.seeds.tolist() for q in with_titles.queries] == [q.seeds.tolist() for q in cases.queries]
    assert [q.title for q in cases.queries] == ["", ""]


def test_tracks_count_with_and_without_features():
    tracks = random_catalogue(30, seed=1).table.to_pylist()
    for track in tracks[::2]:
        track["energy"] = None
    catalogue = catalogue_of(tracks)
    ids = [f"t{i:05}" for i in (4, 3, 3, 8, 99, 4, 7)]
    entries = pa.table(
        {
            "playlist_id": ["b"] * 7 + ["a"] * 2 + ["c"],
            "title": ["beach"] * 7 + [None] * 2 + ["gone"],
            "position": [6, 5, 4, 3, 2, 1, 0, 0, 1, 0],
            "track_id": [*ids, "t00001", "t00002", "x"],
        }
    )
    lists, titles = playlist_tables.titled(entries, catalogue)
    assert [tracks.tolist() for tracks in lists] == [[1, 2], [7, 4, 8, 3]]
    assert titles == ["", "beach"]
    assert [tracks.tolist() for tracks in playlist_tables.sequences(entries, catalogue, 1)] == [[1], [7, 3]]
    assert playlist_tables.titled(entries.slice(9), catalogue) == ([], [])


# The command.


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Forty playlists, one in four long; train and test are of the same two kinds of music, by even and odd rows."""
    folder = tmp_path_factory.mktemp("data")
    catalogue = random_catalogue(600, seed=1, artists=80)
    tables.write(catalogue, folder / "tracks.parquet")
    rng = np.random.default_rng(2)
    kinds = [rng.permutation(np.arange(k % 2, 600, 2))[: 130 if k % 4 > 1 else 20] for k in range(80)]
    entries = [
        {
            "playlist_id": f"p{k}",
            "title": ("even", "odd")[k % 2],
            "position": i,
            "track_id": f"t{row:05}",
            "source": "a" if k % 3 else "b",
            "split": "train" if k < 40 else "test",
        }
        for k, tracks in enumerate(kinds)
        for i, row in enumerate(tracks)
    ]
    pq.write_table(pa.Table.from_pylist(entries), folder / "playlists.parquet")
    return folder


@pytest.fixture
def oracle(monkeypatch):
    """`--recommender NAME` is an oracle of the two kinds: by title alone, or by the first seed."""
    kinds = [np.arange(0, 600, 2), np.arange(1, 600, 2)]
    known = {
        "kinds": Oracle(kinds, ["even", "odd"], name="kinds"),
        "seeds": Oracle(kinds, ["even", "odd"], reads_titles=False, name="seeds"),
        "titles": Oracle(kinds, ["odd", "even"], name="titles"),
    }
    monkeypatch.setattr(methods, "load_recommender", lambda name, catalogue: known[name])


def run(files, *arguments):
    where = ["--playlists", files / "playlists.parquet", "--catalogue", files / "tracks.parquet"]
    return evaluate.main(["continuation", *map(str, (*where, *arguments))])


def printed(capsys):
    return json.loads(capsys.readouterr().out)


@pytest.mark.usefixtures("oracle")
def test_the_command_prints_one_record_per_recommender(files, capsys):
    arguments = ["--train", files / "playlists.parquet", "--recommender", "seeds", "--protocol", "first-5", "--json"]
    assert run(files, *arguments) == 0
    answer = printed(capsys)
    assert [(r["recommender"], r["protocol"], r["category"]) for r in answer["recommenders"]] == [
        ("popularity", "first-5", "first 5"),
        ("seeds", "first-5", "first 5"),
    ]
    popularity, seeds = answer["recommenders"]
    assert set(popularity) == set(seeds)
    assert {"n", "r_precision", "r_precision_artists", "ndcg", "clicks", "coverage", "interval"} <= set(seeds)
    assert popularity["n"] == seeds["n"] == 40
    # All its tracks are of the right kind, and a playlist of 20 or 130 tracks has 5 or 42 % of that kind.
    assert seeds["r_precision"] > 1.5 * popularity["r_precision"] > 0
    assert seeds["clicks"] < 2
    protocol = answer["protocol"]
    assert protocol["test_playlists"] == 40
    assert protocol["to_be_found"] == 20 * 15 + 20 * 125
    assert protocol["entries_unknown"] == 0
    assert 0.9 < protocol["known_from_training"] <= 1


@pytest.mark.slow
@pytest.mark.usefixtures("oracle")
def test_recommenders_that_read_titles_have_a_record_with_and_without_them(files, capsys):
    seeds, without_titles, with_titles = ("seeds", "first 5"), ("titles", "first 5"), ("titles", "title and first 5")
    for options, expected in [
        ([], [seeds, without_titles, with_titles]),
        (["--titles"], [("seeds", "title and first 5"), with_titles]),
        (["--no-titles"], [seeds, without_titles]),
    ]:
        arguments = ["--recommender", "seeds", "--recommender", "titles", "--protocol", "first-5", "--json"]
        assert run(files, *arguments, *options) == 0
        records = printed(capsys)["recommenders"]
        assert [(r["recommender"], r["category"]) for r in records] == expected
        score = {(r["recommender"], r["category"]): r["r_precision"] for r in records}
        if not options:  # this one believes the title, and takes each for the other
            assert score[with_titles] < score[without_titles] == score[seeds]


@pytest.mark.usefixtures("oracle")
def test_a_recommender_that_reads_no_titles_recommends_nothing_for_a_title(files, capsys):
    arguments = ["--recommender", "seeds", "--recommender", "kinds", "--protocol", "title", "--json"]
    assert run(files, *arguments) == 0
    seeds, kinds = printed(capsys)["recommenders"]
    assert (seeds["unanswered"], seeds["clicks"]) == (40, 51)
    assert kinds["unanswered"] == 0
    assert kinds["category"] == "title"


@pytest.mark.slow
@pytest.mark.usefixtures("oracle")
def test_the_challenge_has_one_record_per_category_and_their_mean(files, capsys):
    assert run(files, "--recommender", "kinds", "--protocol", "challenge", "--json") == 0
    first = printed(capsys)
    records = first["recommenders"]
    assert [r["category"] for r in records] == [c.name for c in PROTOCOLS["challenge"]] + ["mean"]
    assert [r["n"] for r in records[:-1]] == [4] * 10
    assert records[-1]["ndcg"] == pytest.approx(np.mean([r["ndcg"] for r in records[:-1]]), abs=1e-4)
    assert run(files, "--recommender", "kinds", "--protocol", "challenge", "--json") == 0
    assert printed(capsys) == first
    assert run(files, "--recommender", "kinds", "--protocol", "challenge", "--json", "--random-seed", 1) == 0
    assert printed(capsys)["recommenders"] != records


def test_by_default_all_recommenders_that_fit_the_catalogue_are_measured(files, capsys, monkeypatch):
    def load(name, catalogue):
        if name == "misfit":
            raise DataError("misfit", "has none of these tracks")
        return Oracle([], [], name=name)

    monkeypatch.setattr(methods, "load_recommender", load)
    monkeypatch.setattr(methods, "trained_recommenders", lambda: ["misfit", "popularity", "mine"])
    arguments = ["--protocol", "first-5", "--no-titles", "--train", files / "playlists.parquet", "--json"]
    assert run(files, *arguments) == 0
    captured = capsys.readouterr()
    names = [r["recommender"] for r in json.loads(captured.out)["recommenders"]]
    assert names == [
        *RECOMMENDERS,
        "popularity",
        "mine",
    ]  # the baseline is not added, since a recommender of that name is measured
    assert captured.err == "skipped: misfit: has none of these tracks\n"


def test_a_real_recommender_is_measured(files, capsys):
    assert run(files, "--protocol", "first-5", "--recommender", "nearest", "--json") == 0
    (nearest,) = printed(capsys)["recommenders"]
    assert (nearest["recommender"], nearest["unanswered"], nearest["n"]) == ("nearest", 0, 40)
    assert nearest["coverage"] > 500


@pytest.mark.usefixtures("oracle")
def test_playlists_can_be_limited_by_source_and_number(files, capsys):
    arguments = ["--recommender", "seeds", "--protocol", "first-1", "--json"]
    assert run(files, *arguments, "--source", "b") == 0
    assert printed(capsys)["protocol"]["test_playlists"] == 13
    assert run(files, *arguments, "--max-playlists", 7) == 0
    assert printed(capsys)["recommenders"][0]["n"] == 7


@pytest.mark.usefixtures("oracle")
def test_the_table_has_one_line_per_category(files, capsys):
    assert run(files, "--recommender", "kinds", "--protocol", "challenge") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["recommender", "given", "n"]
    assert len(lines) == 1 + 11 + 2
    assert len({len(line) for line in lines[:12]}) == 1
    assert "entries_unknown 0" in lines[-1]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--protocol", "first-3"], "there is no protocol 'first-3'; there are first-1"),
        (["--protocol", "title", "--no-titles"], "the protocol 'title' gives titles"),
        (["--protocol", "first-1", "--recommender", "nobody"], "nobody"),
        (["--protocol", "first-1", "--source", "c"], "has no playlist of the source c"),
        (["--protocol", "first-1", "--max-playlists", "0"], "at least one playlist"),
        (["--protocol", "first-1", "--train", "nowhere.parquet"], "nowhere.parquet: there is no such file"),
    ],
)
def test_bad_options_are_one_error_line(files, capsys, options, sentence):
    assert run(files, *options) == 1
    captured = capsys.readouterr()
    assert sentence in captured.err
    assert len(captured.err.strip().splitlines()) == 1
    assert not captured.out


@pytest.mark.parametrize(
    ("change", "protocol", "sentence"),
    [
        (
            lambda t: t.set_column(3, "track_id", pa.array([f"x{i}" for i in range(len(t))])),
            "first-5",
            "no playlist with a track that the catalogue has",
        ),
        (lambda t: t.drop_columns(["title"]), "title", "no playlist of 10 different tracks has a title"),
        (
            lambda t: t.set_column(5, "split", pa.array(["train"] * len(t))),
            "title",
            "no playlist of the split 'test'",
        ),
        (lambda t: t.filter(pa.compute.less(t["position"], 12)), "first-10", "the longest has 12"),
    ],
)
def test_bad_playlists_are_one_error_line(files, tmp_path, capsys, change, protocol, sentence):
    path = tmp_path / "playlists.parquet"
    pq.write_table(change(pq.read_table(files / "playlists.parquet")), path)
    where = ["--playlists", str(path), "--catalogue", str(files / "tracks.parquet"), "--protocol", protocol]
    assert evaluate.main(["continuation", *where]) == 1
    err = capsys.readouterr().err
    assert sentence in err
    assert len(err.strip().splitlines()) == 1
