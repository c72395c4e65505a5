"""`disco evaluate dj`: cases, ranks and fits compared with what is worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from disco.catalogue import Catalogue
from disco.cli import evaluate
from disco.errors import DataError, DiscoError, NotFoundError
from disco.evaluation.dj import dj
from disco.evaluation.dj_many import (
    MANY_TERMS,
    Known,
    catalogue_cases,
    collection_cases,
    many_terms,
    with_catalogue,
)
from disco.evaluation.dj_orders import neighbours_kept, order_records
from disco.evaluation.dj_ranks import ranks
from disco.evaluation.dj_sets import DjSet, DjSets, cases_of, read_sets
from disco.playlist.choice_fit import Choices, equal_importance, fit_choices, held_out, log_likelihoods
from disco.playlist.cost import Knobs, PairwiseCost
from disco.playlist.joins import TEMPO_TERMS, TERMS, join_terms, join_tracks
from disco.playlist.key_moves import KEY_TERMS
from disco.playlist.mixing import Mixing
from disco.playlist.styles import FIRST_UNSURE, load_style, read_card
from disco.training.styles import train_dj_style

HEAD = "set_id,kind,dj,position,artist,title,tempo_bpm,key,mode,track_id"
# C, G, F, F sharp: the next one in order is always the best by K + T, except at the end.
LINES = [
    "a,live,one,0,Ana,first,120,0,1,",
    "a,live,one,1,Bo,second,121,7,1,",
    "a,live,one,2,Cy,third,150,6,1,",
    "a,live,one,3,Di,fourth,170,6,1,",
    "b,live,two,0,Ed,fifth,100,9,0,",
    "b,live,two,1,Flo,sixth,140,6,1,",
    "b,live,two,2,Gus,seventh,100,9,0,",
]


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    path = tmp_path / "sets.csv"
    path.write_text("\n".join([HEAD, *LINES]), encoding="utf-8")
    return path


def drawn(weights: np.ndarray, n: int, options: int, seed: int) -> Choices:
    """Choices among options with normal terms, drawn with the probabilities of a conditional logit."""
    rng = np.random.default_rng(seed)
    terms = rng.normal(size=(n, options, len(weights)))
    # The largest of values with Gumbel noise is drawn with logit probabilities.
    chosen = (terms @ weights + rng.gumbel(size=(n, options))).argmax(axis=1)
    first = np.take_along_axis(terms, chosen[:, None, None], axis=1)
    rest = terms[np.arange(options)[None, :] != chosen[:, None]].reshape(n, options - 1, -1)
    return Choices(np.concatenate([first, rest], axis=1).reshape(n * options, -1), np.full(n, options))


def test_the_fit_finds_the_weights_that_choices_were_drawn_with() -> None:
    weights = np.array([1.5, -0.7, 0.0])
    fit = fit_choices(drawn(weights, n=3000, options=8, seed=1))
    assert np.abs(fit.weights - weights).max() < 4 * fit.errors.max()
    assert (np.abs(fit.weights - weights) < 4 * fit.errors).all()
    assert fit.errors.max() < 0.05


def test_few_choices_stay_near_what_is_expected_and_many_leave_it() -> None:
    expected, true = np.array([2.0, 0.0]), np.array([0.0, 1.0])
    apart = [
        float(np.linalg.norm(fit_choices(drawn(true, n, 6, seed=3), penalty=10, around=expected).weights - expected))
        for n in (1, 30, 1000)
    ]
    assert apart[0] < apart[1] < apart[2]
    many = fit_choices(drawn(true, 3000, 6, seed=4), penalty=10, around=expected)
    assert np.abs(many.weights - true).max() < 0.2


def test_choices_at_random_fit_no_better_than_chance_when_held_out() -> None:
    choices = drawn(np.zeros(4), n=800, options=6, seed=2)
    weights = held_out(choices, np.arange(800) // 20)
    values = (choices.terms * weights[choices.choice]).sum(axis=1)
    assert log_likelihoods(choices, values).mean() == pytest.approx(-np.log(6), abs=0.01)
    assert ranks(-values, choices.sizes).hit_1.mean() == pytest.approx(1 / 6, abs=0.04)


def test_what_is_held_out_has_no_influence_on_its_own_weights() -> None:
    one, two = (drawn(np.array([w]), n=50, options=3, seed=3) for w in (2.0, -2.0))
    both = Choices(np.concatenate([one.terms, two.terms]), np.r_[one.sizes, two.sizes])
    weights = held_out(both, np.repeat([0, 1], 50))
    assert weights[0, 0] == pytest.approx(fit_choices(two).weights[0])
    assert weights[-1, 0] == pytest.approx(fit_choices(one).weights[0])


def test_a_term_that_decides_every_choice_gets_a_finite_weight() -> None:
    fit = fit_choices(Choices(np.array([[1.0], [0.0]] * 40), np.full(40, 2)))
    assert 2 < fit.weights[0] < 10


def test_importance_is_the_same_as_repeating_a_choice() -> None:
    few = drawn(np.array([1.0, 0.5]), n=20, options=3, seed=4)
    twice = Choices(np.concatenate([few.terms, few.terms[:3]]), np.r_[few.sizes, 3])
    weighted = fit_choices(few, np.r_[2.0, np.ones(19)])
    np.testing.assert_allclose(weighted.weights, fit_choices(twice).weights, atol=1e-7)


def test_no_group_counts_more_than_allowed() -> None:
    importance = equal_importance(np.repeat([7, 8], [300, 10]), most=100)
    assert importance[:300].sum() == pytest.approx(100)
    assert importance[300:].tolist() == [1.0] * 10


def test_fitting_nothing_is_refused() -> None:
    with pytest.raises(DiscoError, match="one choice or more"):
        fit_choices(Choices(np.empty((0, 2)), np.empty(0, dtype=np.intp)))


@pytest.mark.parametrize(
    ("a", "b", "relation"),
    [
        ((0, 1), (0, 1), "same key"),
        ((0, 1), (7, 1), "fifth up"),
        ((0, 1), (5, 1), "fifth down"),
        ((0, 1), (9, 0), "relative key"),
        ((9, 0), (0, 1), "relative key"),
        ((0, 1), (0, 0), "parallel key"),
        ((0, 0), (0, 1), "parallel key"),
        ((0, 1), (4, 0), "diagonal"),
        ((0, 1), (2, 0), "diagonal"),
        ((9, 0), (11, 0), "tone up"),
        ((9, 0), (7, 0), "tone down"),
        ((9, 0), (10, 0), "semitone up"),
        ((9, 0), (8, 0), "semitone down"),
        ((0, 1), (6, 1), None),
    ],
)
def test_relations_of_keys_are_those_of_a_keyboard(
    a: tuple[int, int], b: tuple[int, int], relation: str | None
) -> None:
    tracks = [{"track_id": str(i), "key": key, "mode": mode} for i, (key, mode) in enumerate((a, b))]
    both = join_tracks(Catalogue.from_tracks(tracks))
    terms = join_terms(both.take(np.array([0])), both.take(np.array([1])))[0]
    found = [name for name, value in zip(TERMS, terms, strict=True) if value]
    assert found == ([relation] if relation else [])


def test_tempo_terms_grow_to_their_bends_and_fold() -> None:
    tempos = [100, 103, 100 / 1.03, 206, 170, None]
    tracks = join_tracks(Catalogue.from_tracks([{"track_id": str(i), "tempo_bpm": t} for i, t in enumerate(tempos)]))
    one = np.zeros(len(tempos), dtype=np.intp)
    found = join_terms(tracks.take(one), tracks)[:, len(KEY_TERMS) : len(KEY_TERMS) + len(TEMPO_TERMS)]
    change = [1, 1, 0.5, 3 / 25]
    np.testing.assert_allclose(found[0], 0, atol=1e-6)
    np.testing.assert_allclose(found[1], [*change, 1, 0], atol=1e-5)
    np.testing.assert_allclose(found[2], [*change, 0, 0], atol=1e-5)
    np.testing.assert_allclose(found[3], [*change, 1, 1], atol=1e-5)
    # 100 to 170 is nearer to 85 doubled: 17.6 per cent down.
    np.testing.assert_allclose(found[4], [1, 1, 1, (100 / 85 - 1) * 4, 0, 1], atol=1e-5)
    np.testing.assert_allclose(found[5], 0)


def test_ranks_are_shared_where_costs_are_the_same() -> None:
    found = ranks(np.array([2.0, 1.0, 2.0, 2.0, 3.0]), np.array([5]))
    assert found.hit_1.tolist() == [0.0]
    assert found.hit_10.tolist() == [1.0]
    assert found.reciprocal[0] == pytest.approx((1 / 2 + 1 / 3 + 1 / 4) / 3)
    assert found.percentile[0] == pytest.approx(1 - 2 / 4)


def test_the_published_cost_is_judged_as_by_hand(sets: Path) -> None:
    results = dj(sets)
    by_cost = {record["cost"]: record for record in results["costs"]}
    # a: second among three, third among two; b: sixth among two, where the seventh is the better track.
    assert by_cost["chance"]["n"] == 3
    assert by_cost["chance"]["hit@1"] == pytest.approx((1 / 3 + 1 / 2 + 1 / 2) / 3, abs=1e-4)
    assert by_cost["published"]["hit@1"] == pytest.approx(2 / 3, abs=1e-4)
    assert by_cost["published"]["mrr"] == pytest.approx((1 + 1 + 1 / 2) / 3, abs=1e-4)
    assert by_cost["published"]["percentile"] == pytest.approx(2 / 3, abs=1e-4)
    assert {"fitted, DJs left out", "AudioMuse-AI", "WrzDJ", "playlist-sorter", "reklawdbox"} <= set(by_cost)


def test_a_gap_in_the_positions_is_no_transition() -> None:
    tracks = [{"track_id": n, "title": n, "key": 0, "mode": 1, "tempo_bpm": 120} for n in "abcde"]
    one = DjSet("one", "live", "dj", np.arange(5), np.array([0, 2, 3, 4, 5]))
    cases = cases_of(DjSets(Catalogue.from_tracks(tracks), [one], {}))
    assert cases.last.tolist() == [1, 2]


def test_a_track_twice_in_a_row_is_no_choice_and_counts_once() -> None:
    names = ["a", "a", "b", "c", "b"]
    tracks = [{"track_id": str(i), "title": n, "key": 0, "mode": 1, "tempo_bpm": 120} for i, n in enumerate(names)]
    one = DjSet("one", "live", "dj", np.arange(5), np.arange(5))
    cases = cases_of(DjSets(Catalogue.from_tracks(tracks), [one], {}))
    assert cases.last.tolist() == [1]
    assert cases.options.tolist() == [2, 3]


def test_sorted_lists_and_copies_are_left_out(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    mixed = rng.permutation(20)
    lists = {"sorted": range(20), "mixed": mixed, "copy": mixed}
    lines = [
        f"{name},dj playlist,one,{position},x{number * 7 % 20},t{number:02},{120 + number * 3 % 11},{number % 12},1,"
        for name, numbers in lists.items()
        for position, number in enumerate(numbers)
    ]
    path = tmp_path / "lists.csv"
    path.write_text("\n".join([HEAD, *lines]), encoding="utf-8")
    read = read_sets(path)
    assert [one.name for one in read.sets] == ["mixed"]
    assert read.counts == {"sets_read": 3, "left_out_as_sorted": 1, "left_out_as_copies": 1}


def test_values_that_are_no_numbers_are_unknown(tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    odd = ["a,live,one,0,Ana,x,fast,0,1,", "a,live,one,1,Bo,y,0,99,1,", "a,live,one,one,Bo,z,120,1,1,"]
    path.write_text("\n".join([HEAD, *odd]), encoding="utf-8")
    read = read_sets(path)
    assert len(read.tracks) == 2
    assert np.isnan(read.tracks.tempos).all()
    assert np.isnan(read.tracks.numbers("key")).tolist() == [False, True]


def test_files_that_are_no_sets_are_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no such file"):
        read_sets(tmp_path / "none.csv")
    (tmp_path / "list.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(DataError, match="no column 'set_id'"):
        read_sets(tmp_path / "list.csv")
    (tmp_path / "short.csv").write_text("\n".join([HEAD, *LINES[:2]]), encoding="utf-8")
    with pytest.raises(DataError, match="shows no choice"):
        dj(tmp_path / "short.csv")


def test_the_command_prints_one_object_without_a_catalogue(sets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate.main(["dj", "--sets", str(sets), "--json"]) == 0
    results = json.loads(capsys.readouterr().out)
    assert {"cost", "cases", "n", "hit@1", "mrr", "percentile", "interval"} <= set(results["costs"][0])
    assert results["protocol"]["sets_read"] == 2


def test_keys_that_are_unsure_move_towards_their_neighbours() -> None:
    style = load_style("dj")
    assert style is not None
    sure, unsure = style.keys[0, :24], style.keys[0, FIRST_UNSURE:]
    assert sure[0] == 1
    assert unsure[0] < sure[0]
    assert unsure.min() > sure.min()
    assert unsure.argmax() == 0
    assert (style.keys[24] == 0).all()


def test_the_cost_in_a_style_is_the_sum_of_its_values() -> None:
    rng = np.random.default_rng(5)
    rows = [
        {"track_id": str(i), "key": int(k), "mode": int(m), "tempo_bpm": float(t)}
        for i, (k, m, t) in enumerate(
            zip(rng.integers(12, size=30), rng.integers(2, size=30), rng.uniform(60, 190, 30), strict=True)
        )
    ]
    rows += [
        {"track_id": "no tempo", "key": 1, "mode": 1},
        {"track_id": "no key", "tempo_bpm": 120.0},
        {"track_id": "none"},
    ]
    catalogue, style = Catalogue.from_tracks(rows), load_style("dj")
    assert style is not None
    n, tempos = len(catalogue), catalogue.tempos
    keys = join_tracks(catalogue).key
    cost = PairwiseCost(catalogue, Knobs(), np.full((n, 8), np.nan, dtype=np.float32), Mixing(style="dj"))
    key = style.keys[keys[:, None], keys[None, :]]
    tempo = np.nan_to_num(style.tempo_values(tempos[:, None], tempos[None, :]))
    expected = style.sweetness * (1 - key) + style.smoothness * (1 - tempo)
    np.fill_diagonal(expected, 0)
    found = cost.matrix(np.arange(n))
    np.testing.assert_allclose(found, expected, atol=1e-4)
    np.testing.assert_allclose(found, found.T, atol=1e-4)
    np.testing.assert_allclose(cost.terms(np.arange(n))["cost"], found[np.arange(n - 1), np.arange(1, n)], atol=1e-4)


def test_the_shipped_style_is_worth_the_same_in_both_directions() -> None:
    style = load_style("dj")
    assert style is not None
    np.testing.assert_allclose(style.keys, style.keys.T)
    # Otherwise orders of 200 tracks are searched for in twice the time. The first value is that of unknown tempos.
    np.testing.assert_allclose(style.tempos[1:-1], style.tempos[1:-1][::-1], atol=1e-5)


def test_a_style_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(DiscoError, match="no style 'waltz'; there are: published, dj, listener"):
        Mixing(style="waltz")


def test_a_fitted_style_is_read_back_from_its_card(sets: Path, tmp_path: Path) -> None:
    card = train_dj_style(sets, tmp_path / "mine.json")
    assert read_card(tmp_path / "mine.json") == card
    assert card["data"]["transitions"] == 3
    with pytest.raises(DataError, match="no card of a style"):
        read_card(sets)


def entries(n: int, songs: int, names: int = 6) -> list[dict[str, object]]:
    """Sets of one DJ, whose songs go round: each set of 8 begins 5 songs further on."""
    return [
        {
            "track_id": str(i),
            "title": f"song {(5 * (i // 8) + i % 8) % songs}",
            "artists": [f"artist {i % names}"],
            "key": i % 12,
            "mode": 1,
            "tempo_bpm": 120.0 + (5 * (i // 8) + i % 8) % songs % 9,
        }
        for i in range(n)
    ]


def sets_of(tracks: Catalogue) -> DjSets:
    parts = np.arange(len(tracks)).reshape(-1, 8)
    return DjSets(tracks, [DjSet(str(i), "live", "one", rows, np.arange(8)) for i, rows in enumerate(parts)], {})


def test_among_many_the_options_are_the_true_one_and_others_that_were_not_played_in_the_set() -> None:
    read = sets_of(Catalogue.from_tracks(entries(64, songs=40, names=1)))
    drawn = collection_cases(read, read.tracks, many=12)
    assert len(drawn.cases) > 30
    titles = read.tracks.column("title").to_pylist()
    for case, before in enumerate(drawn.before):
        options = [titles[row] for row in drawn.cases.options[12 * case : 12 * case + 12]]
        assert options[0] == titles[before[-1] + 1]
        assert len(set(options)) == 12
        assert not set(options) & {titles[row] for row in before}
        others = {
            titles[row] for one in read.sets if one.name != str(drawn.cases.number[case]) for row in one.rows.tolist()
        }
        assert set(options[1:]) <= others
    again = collection_cases(read, read.tracks, many=12)
    assert again.cases.options.tolist() == drawn.cases.options.tolist()
    assert not len(collection_cases(read, read.tracks, many=60).cases)


def test_among_many_of_the_catalogue_all_options_are_rows_of_the_catalogue() -> None:
    catalogue = Catalogue.from_tracks(
        {"track_id": f"id {i}", "title": f"song {i}", "key": 0, "mode": 1, "tempo_bpm": 120} for i in range(90)
    )
    listed = [{**track, "path": f"id {i % 50}"} for i, track in enumerate(entries(64, songs=40))]
    read = sets_of(Catalogue.from_tracks(listed))
    tracks, rows = with_catalogue(read, catalogue)
    assert tracks.ids(rows[:3]) == ["id 0", "id 1", "id 2"]
    for other_sets, pool in ((False, range(90)), (True, range(50))):
        drawn = catalogue_cases(read, tracks, rows, other_sets=other_sets, many=20)
        assert len(drawn.cases) == 56
        assert {int(name.split()[1]) for name in tracks.ids(drawn.cases.options)} <= set(pool)
        assert (drawn.cases.options >= 64).all()
        for case, before in enumerate(drawn.before):
            options = drawn.cases.options[20 * case : 20 * case + 20]
            assert options[0] == rows[before[-1] + 1]
            assert not np.isin(options, rows[before]).any()


def test_terms_among_many_are_as_by_hand() -> None:
    read = sets_of(Catalogue.from_tracks(entries(64, songs=40)))
    drawn = collection_cases(read, read.tracks, many=12)
    rng = np.random.default_rng(0)
    points = rng.normal(size=(64, 3)).astype(np.float32)
    points[drawn.cases.options[1]] = np.nan
    known = Known(points, points[::-1], rng.normal(size=64).astype(np.float32))
    terms = many_terms(drawn, known, np.arange(len(drawn.cases.options), dtype=float))
    before, options = drawn.before[0], drawn.cases.options[:12]
    by_name = dict(zip(MANY_TERMS, terms[:12].T, strict=True))
    # Nearest is best: twice the term and the squared distance add up to the same for all options.
    for name, at in (("music: near the last track", points), ("music: near what comes next", points[::-1])):
        sums = 2 * by_name[name] + ((points[options] - at[before[-1]]) ** 2).sum(axis=1)
        np.testing.assert_allclose(np.delete(sums, 1), sums[0], atol=1e-4)
        assert by_name[name][1] == pytest.approx(np.delete(by_name[name], 1).mean())
    artists = [row["artists"] for row in entries(64, songs=40)]
    expected = [artists[row] in [artists[played] for played in before] for row in options.tolist()]
    assert by_name["artist was played"].tolist() == expected
    assert by_name["energy unlike the set's"].tolist() == [0] * 12


def test_an_order_that_is_the_djs_keeps_all_neighbours_and_chance_is_as_drawn() -> None:
    tracks = [
        {"track_id": str(i), "title": str(i), "key": 7 * i % 12, "mode": 1, "tempo_bpm": 100 + i} for i in range(6)
    ]
    read = DjSets(Catalogue.from_tracks(tracks), [DjSet("one", "live", "dj", np.arange(6), np.arange(6))], {})
    kept = {record["order"]: record for record in order_records(read)}
    assert kept["dj"]["kept"] == 1
    assert kept["published"]["pairs"] == 5
    rng = np.random.default_rng(0)
    pairs = {frozenset((i, i + 1)) for i in range(5)}
    drawn = [neighbours_kept(np.r_[0, 1 + rng.permutation(5)], pairs) for _ in range(4000)]
    assert kept["chance"]["kept"] == pytest.approx(np.mean(drawn), abs=0.01)
