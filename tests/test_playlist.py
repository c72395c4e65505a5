"""Generating: the four steps together, and what the playlist says of itself."""

from __future__ import annotations

import itertools
import json
import re

import numpy as np
import pytest
from helpers.catalogues import catalogue_of, random_catalogue

import disco
from disco.catalogue import FEATURES, Filters
from disco.errors import DiscoError, MissingExtra
from disco.export import console_table
from disco.models.recommenders import Candidates
from disco.playlist.alternatives import alternatives
from disco.playlist.cost import Knobs
from disco.playlist.generate import generate
from disco.playlist.mixing import Mixing
from disco.playlist.sequence import Constraints


@pytest.fixture(scope="module")
def catalogue():
    return random_catalogue(400, seed=9, artists=80, unknown=0.1)


def ids(playlist):
    return playlist.tracks.table["track_id"].to_pylist()


def test_playlist_begins_with_the_seeds_and_adds_the_length(catalogue):
    playlist = generate(catalogue, np.array([5, 9, 2]), length=12)
    assert ids(playlist)[:3] == ["t00005", "t00009", "t00002"]
    assert len(playlist) == len(set(ids(playlist))) == 15
    assert playlist.seeds == 3
    assert all(len(values) == 14 for values in playlist.terms.values())


def test_repeated_seed_is_played_once(catalogue):
    assert ids(generate(catalogue, np.array([5, 5, 9]), length=1))[:2] == ["t00005", "t00009"]


@pytest.mark.slow
def test_same_input_gives_the_same_playlist(catalogue):
    seeds = np.array([5, 9, 2])
    assert generate(catalogue, seeds).as_dict() == generate(catalogue, seeds).as_dict()


@pytest.mark.slow
def test_sweetness_and_smoothness_improve_keys_and_tempos(catalogue):
    """More of a knob gives more of its quality, on average over many seeds."""
    plain, sweet, smooth = (
        [generate(catalogue, np.array([seed]), knobs=knobs, predictor="mean").terms for seed in range(0, 40, 5)]
        for knobs in (Knobs(sweetness=0, smoothness=0), Knobs(sweetness=3), Knobs(smoothness=3))
    )

    def mean(runs, name):
        return np.mean([np.nanmean(terms[name]) for terms in runs])

    assert mean(sweet, "key_similarity") > mean(plain, "key_similarity") + 0.3
    assert mean(smooth, "tempo_similarity") > mean(plain, "tempo_similarity") + 0.3
    assert mean(plain, "distance") < mean(sweet, "distance")


@pytest.mark.slow
def test_minutes_are_met_as_closely_as_tracks_allow(catalogue):
    seeds = np.array([5, 9])
    long = generate(catalogue, seeds, length=60, artist_gap=0, sequencer="greedy")
    seconds = np.cumsum(long.tracks.numbers("duration_ms")) / 1000
    for minutes in (10, 45, 120):
        playlist = generate(catalogue, seeds, minutes=minutes, artist_gap=0, sequencer="greedy")
        total = float(np.sum(playlist.tracks.numbers("duration_ms")) / 1000)
        assert ids(playlist) == ids(long)[: len(playlist)]
        assert abs(total - 60 * minutes) == pytest.approx(float(np.abs(seconds[1:] - 60 * minutes).min()), abs=0.1)


def test_more_minutes_than_music_plays_all_of_it_with_a_note(catalogue):
    few = catalogue.take(np.arange(12))
    playlist = generate(few, np.array([0]), minutes=600, artist_gap=0)
    assert len(playlist) == 12
    assert "only 11 of" in playlist.notes[-1]


def test_filters_apply_to_all_tracks_but_the_seeds(catalogue):
    filters = Filters(include=("genre=techno",), bpm=(100, 150), explicit=False)
    playlist = generate(catalogue, np.array([1]), filters=filters, length=8)
    assert playlist.tracks.table["genres"][0].as_py() == ["house"]
    for track in playlist.tracks.table.to_pylist()[1:]:
        assert track["genres"] == ["techno"]
        assert 100 <= track["tempo_bpm"] <= 150
        assert not track["explicit"]


@pytest.mark.slow
def test_tracks_without_title_or_artist_are_skipped_and_those_without_features_fill_up():
    tracks = random_catalogue(60, seed=1).table.to_pylist()
    for track in tracks[8:10]:
        track["energy"] = None
    for track in tracks[10:20]:
        track |= dict.fromkeys(FEATURES)
    for track in tracks[20:25]:
        track["title"] = None
    for track in tracks[25:28]:
        track["artists"] = None
    playlist = generate(catalogue_of(tracks), np.array([22, 3]), length=100, recommender="content")
    played = {int(i[1:]) for i in ids(playlist)}
    assert played & set(range(20, 28)) == {22}
    assert len(played) == 60 - 8 + 1
    assert playlist.notes[0] == "8 of 60 tracks skipped: no title or artist"
    assert "10 of 51 candidates have no features and are chosen by key and tempo" in playlist.notes[1]
    few = generate(catalogue_of(tracks), np.array([22, 3]), length=5, candidates=20, recommender="content")
    assert not {int(i[1:]) for i in ids(few)} & set(range(10, 20))
    assert "10 tracks without features are no candidates: 20 others have some" in few.notes


def test_seed_without_features_is_played_with_unknown_transitions():
    tracks = random_catalogue(40, seed=1).table.to_pylist()
    tracks[7] |= {"valence": None, "key": None}
    playlist = generate(catalogue_of(tracks), np.array([7, 3]), length=4)
    result = playlist.as_dict()["tracks"]
    assert result[0]["camelot"] is None
    assert result[1]["join"]["key_similarity"] is None
    assert result[1]["join"]["distance"] is not None
    json.dumps(result, allow_nan=False)


class Best:
    """Names the rows 30, 29, 28 ... whatever is asked, or only if there is a title."""

    name, gives_probabilities = "best", False

    def __init__(self, reads_titles=True):
        self.reads_titles = reads_titles

    def recommend(self, query, n):
        rows = [r for r in range(30, 0, -1) if query.allowed is None or query.allowed[r]]
        rows = rows[:n] if query.title.strip() and self.reads_titles else []
        return Candidates(np.array(rows, dtype=np.intp), np.linspace(1, 0, len(rows), dtype=np.float32))

    def recommend_many(self, queries, n):
        return [self.recommend(query, n) for query in queries]


@pytest.mark.slow
def test_without_seeds_the_best_candidate_for_the_title_comes_first(catalogue):
    playlist = generate(catalogue, np.array([], dtype=int), title="beach trip", recommender=Best(), length=8)
    assert ids(playlist)[0] == "t00030"
    assert len(playlist) == len(set(ids(playlist))) == 8
    assert (playlist.seeds, playlist.name, playlist.recommender) == (0, "beach trip", "best")
    assert not any(track["seed"] for track in playlist.as_dict()["tracks"])
    one = generate(catalogue, np.array([], dtype=int), title="beach trip", recommender=Best(), length=1)
    assert ids(one) == ["t00030"]
    filtered = generate(
        catalogue, np.array([], dtype=int), title="x", recommender=Best(), filters=Filters(include=("genre=techno",))
    )
    assert all(track == ["techno"] for track in filtered.tracks.table["genres"].to_pylist())
    minutes = generate(catalogue, np.array([], dtype=int), title="x", recommender=Best(), minutes=20, artist_gap=0)
    assert abs(np.sum(minutes.tracks.numbers("duration_ms")) / 60_000 - 20) < 4


def test_recommender_without_candidates_is_reported(catalogue):
    with pytest.raises(DiscoError, match="best reads no titles; name seeds"):
        generate(catalogue, np.array([], dtype=int), title="beach trip", recommender=Best(reads_titles=False))
    with pytest.raises(DiscoError, match="music finds nothing for this title alone"):
        generate(catalogue, np.array([], dtype=int), title="zzqx")
    with pytest.raises(DiscoError, match="best knows none of the seeds"):
        generate(catalogue, np.array([4]), recommender=Best())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"predictor": "prophet"}, "no model of this name"),
        ({"recommender": "friend"}, "there is no recommender 'friend'; there are: music, nearest"),
        ({"sequencer": "dice"}, "there is no sequencer 'dice'; there are: greedy"),
        ({"length": -1}, "a playlist needs"),
        ({"minutes": 0}, "a playlist needs"),
        ({"minutes": float("inf")}, "a playlist needs"),
        ({"candidates": 0}, "a playlist needs"),
        ({"seeds": np.array([], dtype=int)}, "a playlist needs a seed, or a title"),
        ({"seeds": np.array([], dtype=int), "title": "x", "length": 0}, "a playlist needs a seed, or a title"),
        ({"filters": Filters(include=("genre=polka",))}, "the filters leave no track"),
    ],
)
def test_impossible_requests_raise_a_sentence(catalogue, arguments, sentence):
    with pytest.raises(DiscoError, match=sentence):
        generate(catalogue, **{"seeds": np.array([1]), **arguments})


@pytest.mark.slow
def test_without_features_tracks_with_matching_keys_and_tempos_are_played():
    unknown = dict.fromkeys((*FEATURES, "genres"))
    tracks = [{**t, **unknown} for t in random_catalogue(200, seed=4, unknown=0.1).table.to_pylist()]
    for name in ("content", "nearest", None):
        playlist = generate(catalogue_of(tracks), np.array([0]), recommender=name, length=12)
        assert (playlist.recommender, len(playlist)) == ("key and tempo", 13)
        assert np.nanmean(playlist.terms["key_similarity"]) > 0.9
        assert np.nanmean(playlist.terms["tempo_similarity"]) > 0.9
        assert np.isnan(playlist.terms["distance"]).all()
        of_mixing = -sum(np.nan_to_num(playlist.terms[f"{name}_similarity"]) for name in ("key", "tempo"))
        np.testing.assert_allclose(playlist.terms["cost"], of_mixing, atol=1e-5)
        assert (
            "no features (acousticness ... valence): 199 candidates chosen by key and tempo alone" in playlist.notes
        )
    ordered = generate(catalogue_of(tracks), np.array([0]), sequencer="order", length=12)
    assert np.nanmean(ordered.terms["tempo_similarity"]) > 0.9


@pytest.mark.slow
def test_names_alone_are_enough_for_a_playlist():
    tracks = [{"track_id": f"t{i}", "title": f"T {i}", "artists": [f"A {i}"]} for i in range(30)]
    for sequencer in ("greedy", "beam", "order"):
        playlist = generate(catalogue_of(tracks), np.array([3]), sequencer=sequencer)
        assert len(set(ids(playlist))) == 11
        json.dumps(playlist.as_dict(), allow_nan=False)


def test_public_names_are_those_of_their_modules():
    assert disco.open().where.startswith("the demo")
    assert disco.Knobs is Knobs
    with pytest.raises(AttributeError, match="nonsense"):
        _ = disco.nonsense


@pytest.mark.parametrize("sequencer", ["greedy", "beam", "order"])
def test_every_sequencer_meets_the_constraints(catalogue, sequencer):
    constraints = Constraints(pinned=((4, 77), (6, 300)), end_track=200, arc=(0.0, 1.0))
    asked = {"length": 9, "constraints": constraints, "sequencer": sequencer, "predictor": "mean", "artist_gap": 0}
    playlist = generate(catalogue, np.array([5, 9]), **asked)
    got = ids(playlist)
    assert len(set(got)) == 11
    assert (got[0], got[1], got[4], got[6], got[10]) == ("t00005", "t00009", "t00077", "t00300", "t00200")
    assert playlist.sequencer == sequencer
    assert generate(catalogue, np.array([5, 9]), **asked).as_dict() == playlist.as_dict()


@pytest.mark.slow
def test_path_ends_with_the_end_track(catalogue):
    playlist = generate(catalogue, np.array([5]), length=6, sequencer="path", constraints=Constraints(end_track=200))
    assert (len(playlist), ids(playlist)[-1]) == (7, "t00200")
    assert (playlist.terms["cost"] >= 0).all()


@pytest.mark.slow
def test_kept_positions_stay_and_the_other_tracks_are_replaced(catalogue):
    for sequencer in ("greedy", "beam", "order"):
        first = ids(generate(catalogue, np.array([5, 9]), sequencer=sequencer))
        kept = [place for place in range(12) if place != 6]
        again = ids(generate(catalogue, np.array([5, 9]), sequencer=sequencer, keep_positions=kept))
        assert [a == b for a, b in zip(first, again, strict=True)] == [place != 6 for place in range(12)]
        assert again[6] not in first
    with pytest.raises(DiscoError, match="no position 13 to keep in a playlist of 12"):
        generate(catalogue, np.array([5, 9]), keep_positions=[12])


@pytest.mark.slow
def test_excluded_tracks_are_not_played(catalogue):
    plain = generate(catalogue, np.array([5, 9]))
    out = catalogue.rows(ids(plain)[2:])
    assert not set(ids(generate(catalogue, np.array([5, 9]), exclude=out))[2:]) & set(ids(plain))


@pytest.mark.slow
def test_minutes_and_an_end_track_can_be_combined(catalogue):
    for sequencer in ("greedy", "beam", "order"):
        playlist = generate(
            catalogue, np.array([5]), minutes=45, constraints=Constraints(end_track=200), sequencer=sequencer
        )
        assert ids(playlist)[-1] == "t00200"
        # Less than another track would take is left.
        longest = float(catalogue.numbers("duration_ms").max()) / 60_000
        assert abs(float(playlist.tracks.numbers("duration_ms").sum()) / 60_000 - 45) < longest
    short = generate(catalogue, np.array([5, 9, 2]), minutes=1)
    assert len(short) == 3
    assert "the seeds alone last" in short.notes[-1]


@pytest.mark.slow
def test_key_rule_and_tempo_limit_are_applied(catalogue):
    mixing = Mixing("camelot", max_tempo_change=4)
    playlist = generate(catalogue, np.array([5]), mixing=mixing, artist_gap=0)
    assert playlist.as_dict()["mixing"]["key_rule"] == "camelot"
    broken = (np.abs(playlist.terms["tempo_change"]) > 4.2).sum()
    assert broken == 0 or f"{broken} transitions change the tempo by more than 4 %" in playlist.notes[-1]
    assert broken < (np.abs(generate(catalogue, np.array([5]), artist_gap=0).terms["tempo_change"]) > 4.2).sum()
    assert "mixing" not in generate(catalogue, np.array([5])).as_dict()


@pytest.mark.slow
def test_alternatives_differ_and_the_first_is_the_best(catalogue):
    def make(constraints):
        return generate(catalogue, np.array([5]), constraints=constraints, sequencer="beam", predictor="mean")

    found = alternatives(make, Constraints(), 3)
    assert len(found) == 3
    assert found[0].as_dict() == make(Constraints()).as_dict()
    sets = [{frozenset(pair) for pair in itertools.pairwise(ids(playlist))} for playlist in found]
    assert all(len(a & b) <= 7 for i, a in enumerate(sets) for b in sets[:i])
    with pytest.raises(DiscoError, match="1 to 100 alternatives"):
        alternatives(make, Constraints(), 0)
    only = alternatives(lambda constraints: found[0], Constraints(), 2)
    assert len(only) == 1


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"constraints": Constraints(pinned=((0, 77),))}, "the seeds keep their positions"),
        ({"constraints": Constraints(pinned=((4, 5),))}, "the seeds keep their positions"),
        ({"constraints": Constraints(pinned=((12, 77),))}, "no position 13 in a sequence of 12"),
        ({"constraints": Constraints(pinned=((4, 77), (4, 78)))}, "two tracks are pinned to position 5"),
        ({"constraints": Constraints(end_track=77, pinned=((4, 77),))}, "one track is pinned to positions 5 and 12"),
        ({"sequencer": "path"}, "name it with --end-track"),
        ({"width": 0, "sequencer": "beam"}, "from 1 to 1,000 wide"),
    ],
)
def test_contradictory_constraints_are_refused(catalogue, asked, sentence):
    with pytest.raises(DiscoError, match=sentence):
        generate(catalogue, np.array([5, 9]), **asked)


@pytest.mark.slow
def test_last_pinned_position_may_be_the_last_that_fits_the_minutes(catalogue):
    seconds = catalogue.numbers("duration_ms") / 1000
    constraints = Constraints(pinned=((6, 77),))
    whole = generate(catalogue, np.array([5]), length=6, sequencer="beam", constraints=constraints)
    minutes = float(seconds[catalogue.rows(ids(whole))].sum()) / 60
    playlist = generate(catalogue, np.array([5]), minutes=minutes, sequencer="beam", constraints=constraints)
    assert len(playlist) >= 7
    assert ids(playlist)[6] == "t00077"
    short = generate(catalogue, np.array([5, 9, 2]), minutes=1, sequencer="beam")
    assert len(short) == 3


def test_a_playlist_is_a_table_of_html_whose_texts_are_escaped(catalogue):
    hostile = "<script>alert(1)</script> & $x$ \x1b[31m"
    tracks = catalogue.table.to_pylist()[:60]
    tracks[3] = {**tracks[3], "title": hostile}
    playlist = generate(catalogue_of(tracks), np.array([3]), length=4, title=hostile)
    shown = playlist._repr_html_()
    assert "<script" not in shown
    assert "\x1b" not in shown
    assert "$" not in shown
    assert shown.count("&lt;script&gt;") == 2
    assert shown.count("<tr>") == 6
    assert all(text in shown for text in ("1 ◆", playlist.as_dict()["tracks"][1]["camelot"], "color: #"))


def test_a_playlist_saves_and_draws_itself(catalogue, tmp_path, capsys):
    playlist = generate(catalogue, np.array([5]), length=3)
    playlist.save(str(tmp_path / "a.json"))
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == playlist.to_dict()
    with pytest.raises(DiscoError, match="exists already"):
        playlist.save(tmp_path / "a.json")
    playlist.save(tmp_path / "a.json", force=True)
    with pytest.raises(DiscoError, match=r"known are \.json"):
        playlist.save(tmp_path / "a.docx")
    with pytest.raises(DiscoError, match="there are: relative, absolute"):
        playlist.save(tmp_path / "a.m3u8", paths="short")
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    playlist.show()
    assert playlist.name in capsys.readouterr().out


@pytest.mark.parametrize("terminal", [False, True])
def test_a_long_list_is_printed_to_the_lines_that_rich_makes_of_a_short_one(catalogue, monkeypatch, capsys, terminal):
    wide = {**catalogue.table.to_pylist()[5], "title": "東京の夜 [bold]not markup[/]", "artists": None}
    tracks = catalogue_of([wide, *catalogue.table.to_pylist()[:60]])
    playlist = generate(tracks, np.array([0, 9]), length=40)
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("COLUMNS", "110")
    shown = []
    for most in (len(playlist), len(playlist) - 1):
        monkeypatch.setattr(console_table, "_LONG", most)
        playlist.show()
        shown.append([line.rstrip() for line in capsys.readouterr().out.splitlines()])
    plain = [[re.sub(r"\x1b\[[0-9;]*m", "", line).rstrip() for line in lines] for lines in shown]
    assert plain[0] == plain[1]
    assert "東京の夜 [bold]not markup[/]" in "".join(plain[0])
    colours = [re.findall(r"\x1b\[(?:1;)?(3[123])m", " ".join(lines)) for lines in shown]
    assert colours[0] == colours[1]
    assert bool(colours[0]) == terminal


def test_a_playlist_becomes_a_pandas_table_or_says_what_is_missing(catalogue):
    playlist = generate(catalogue, np.array([5]), length=3)
    try:
        import pandas  # noqa: F401
    except ImportError:
        with pytest.raises(MissingExtra, match="pandas is not installed"):
            playlist.to_pandas()
        return
    frame = playlist.to_pandas()
    assert frame.index.tolist() == [1, 2, 3, 4]
    assert frame["track_id"].tolist() == ids(playlist)
    assert frame["seed"].tolist() == [True, False, False, False]
    np.testing.assert_array_equal(frame["cost"].to_numpy()[1:].astype(np.float32), playlist.terms["cost"])
    assert np.isnan(frame["cost"].iloc[0])
