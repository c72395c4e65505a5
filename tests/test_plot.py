"""The figures and the page: what stands in them, and that hostile text does no harm."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pyarrow as pa
import pytest

from disco.catalogue import FEATURES, SCHEMA, Catalogue
from disco.errors import DiscoError
from disco.export import plot
from disco.export.plot import style
from disco.export.plot.path import _ENDS
from disco.models.scaler import scaler
from disco.playlist.cost import Knobs, PairwiseCost
from disco.playlist.mixing import Mixing
from disco.playlist.playlist import Playlist

HOSTILE = "</script><script>alert(1)</script>"
IMAGE = "<img src=x onerror=alert(1)>"
LINK = '\u202e$x$\n& %{y}<a href="https://example.com">here</a>'


def track(number: int, **more: Any) -> dict[str, Any]:
    values = np.random.default_rng(number).uniform(0.05, 0.95, len(FEATURES)).tolist()
    usual = {"title": f"Track {number}", "artists": [f"Artist {number}"], "duration_ms": 180_000, "tempo_bpm": 120.0}
    features = {**dict(zip(FEATURES, values, strict=True)), "loudness": -8.0 - number / 10, "feature_set": "spotify"}
    return {"track_id": f"t{number}", "key": 9, "mode": 0, **usual, **features, **more}


def playlist(*tracks: dict[str, Any], seeds: int = 1, name: str = "A name", **terms: list[float]) -> Playlist:
    joins = max(len(tracks) - 1, 0)
    usual = dict.fromkeys(("cost", "distance", "key_similarity", "tempo_similarity", "tempo_change"), [1.0] * joins)
    catalogue = Catalogue(pa.Table.from_pylist(list(tracks), schema=SCHEMA), "here")
    return Playlist(
        name, catalogue, seeds, Knobs(), {"where": "the demo (invented tracks)", "tracks": 5000}, "mean", "nearest",
        "greedy", {term: np.array(values, dtype=np.float32) for term, values in {**usual, **terms}.items()},
    )  # fmt: skip


def unmeasured(number: int, **more: Any) -> dict[str, Any]:
    return track(number, **dict.fromkeys((*FEATURES, "feature_set")), **more)


def drawn(figure: go.Figure) -> dict[str, Any]:
    """Traces of the path by name; its line is the one without a name that runs through the points."""
    return {trace.name: trace for trace in figure.data if trace.name}


def line(figure: go.Figure) -> np.ndarray:
    trace = figure.data[1]
    assert trace.mode == "lines"
    return np.stack([trace.x, trace.y, trace.z], axis=1)


def test_the_path_runs_through_the_principal_components_in_playing_order() -> None:
    made = playlist(*map(track, range(5)), seeds=2)
    expected = scaler().project(scaler().transform(made.tracks.features()))
    np.testing.assert_allclose(line(plot.path(made)), expected, rtol=1e-6)


def test_seeds_are_diamonds_and_added_tracks_are_circles() -> None:
    traces = drawn(plot.path(playlist(*map(track, range(5)), seeds=2)))
    assert {name: (trace.marker.symbol, len(trace.x)) for name, trace in traces.items()} == {
        "seeds": ("diamond", 2),
        "added": ("circle", 3),
    }


def test_tracks_without_features_are_left_out_of_the_path_and_the_others_are_joined() -> None:
    figure = plot.path(playlist(unmeasured(0), track(1), unmeasured(2), track(3), seeds=2))
    assert len(line(figure)) == 2
    assert np.isfinite(line(figure)).all()
    numbers = [label.text for label in figure.layout.scene.annotations]
    assert numbers == ["2", "4", "<b>end</b>", "<b>start</b>"]


def test_a_playlist_without_any_features_says_so_in_place_of_a_path() -> None:
    figure = plot.path(playlist(unmeasured(0), unmeasured(1)))
    assert not figure.data
    assert "features" in figure.layout.annotations[0].text


def test_hovering_tells_title_artist_key_tempo_and_how_the_track_follows() -> None:
    made = playlist(
        track(0), track(1, key=4, tempo_bpm=126.0), track(2, key=None, tempo_bpm=None),
        tempo_change=[5.0, np.nan], distance=[1.25, 2.5],
    )  # fmt: skip
    (first,), (second, third) = (trace.hovertext for trace in drawn(plot.path(made)).values())
    assert first == "<b>1 · Track 0</b>  ◆ seed<br>Artist 0<br>8A · A minor   120 BPM"
    assert second == (
        "<b>2 · Track 1</b><br>Artist 1<br>9A · E minor   126 BPM<br>key 8A → 9A   tempo +5.0 %   distance 1.25"
    )
    assert third == "<b>3 · Track 2</b><br>Artist 2<br>key unknown   tempo unknown<br>distance 2.50"


@pytest.mark.slow
def test_one_track_alone_is_a_path_and_a_page() -> None:
    made = playlist(track(0))
    figure = plot.path(made)
    assert [label.text for label in figure.layout.scene.annotations][:1] == ["1"]
    assert sum(label.text in ("<b>start</b>", "<b>end</b>") for label in figure.layout.scene.annotations) == 1
    assert "Track 0" in plot.page(made)


def test_two_tracks_that_sound_the_same_still_get_a_box_of_some_depth() -> None:
    scene = plot.path(playlist(track(0), track(0, track_id="again"))).layout.scene
    assert all(axis.range[1] - axis.range[0] > 0.49 for axis in (scene.xaxis, scene.yaxis, scene.zaxis))


def test_the_ends_of_an_axis_are_named_by_the_two_largest_loadings_and_their_signs() -> None:
    figure = plot.path(playlist(track(0), track(1)))
    scale = scaler()
    for axis, component in zip("xyz", scale.components, strict=True):
        largest = np.argsort(-np.abs(component))[:2]
        low, high = figure.layout.scene[f"{axis}axis"].ticktext
        for feature, low_word, high_word in zip(largest, low.split(", "), high.split(", "), strict=True):
            little, much = _ENDS[FEATURES[feature]]
            assert (low_word, high_word) == ((little, much) if component[feature] > 0 else (much, little))


@pytest.mark.slow
def test_a_long_playlist_is_not_buried_under_its_numbers() -> None:
    made = playlist(*map(track, range(200)))
    assert [label.text for label in plot.path(made).layout.scene.annotations] == ["<b>end</b>", "<b>start</b>"]
    curves = {trace.name: trace for trace in plot.curves(made).data}
    assert curves["key"].text is None
    assert "text" not in curves["tempo"].mode


def test_curves_have_a_gap_where_a_value_is_unknown_and_a_grey_cell_where_the_key_is() -> None:
    made = playlist(track(0), unmeasured(1, key=None, tempo_bpm=None), track(2, key=0, mode=1), seeds=2,
                    key_similarity=[np.nan, np.nan])  # fmt: skip
    figure = plot.curves(made)
    curves = {trace.name: trace for trace in figure.data}
    for name in ("energy", "danceability", "valence", "acousticness", "tempo"):
        assert np.isnan(np.asarray(curves[name].y, dtype=float)).tolist() == [False, True, False], name
        assert not curves[name].connectgaps
        assert curves[name].fill in (None, "none"), "a filling would run across the gap"
    assert list(curves["key"].text) == ["8A", "?", "8B"]
    assert curves["key"].marker.color[1] == style.UNKNOWN
    # A minor and C major stand at the same place of the circle of fifths.
    assert curves["key"].marker.color[0] == curves["key"].marker.color[2] != style.UNKNOWN
    (band,) = figure.layout.shapes
    assert (band.x0, band.x1) == (0.5, 2.5)


@pytest.mark.slow
def test_an_ordered_playlist_has_no_seeds_to_mark() -> None:
    made = playlist(track(0), track(1), seeds=0)
    assert set(drawn(plot.path(made))) == {"added"}
    assert not plot.curves(made).layout.shapes
    assert "seeds" not in plot.page(made).split("<h2>")[0]


class Elements(HTMLParser):
    """Every element of a page, and the text between them but for scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if not self.found or self.found[-1][0] not in ("script", "style"):
            self.text += data


@pytest.fixture(scope="module")
def hostile_page() -> str:
    return plot.page(playlist(track(0, title=HOSTILE), track(1, title=LINK, artists=[IMAGE]), name=HOSTILE + IMAGE))


@pytest.mark.slow
def test_hostile_titles_stay_text_on_the_page(hostile_page: str) -> None:
    elements = Elements(hostile_page)
    assert {tag for tag, _ in elements.found} <= set(
        "html head meta title style body h1 h2 p div script table thead tbody tr th td span".split()
    )
    assert HOSTILE in elements.text
    assert IMAGE in elements.text
    # The settings of Plotly, Plotly itself, and the four figures.
    assert sum(tag == "script" for tag, _ in elements.found) == 6
    assert not any(name.startswith("on") for _, attributes in elements.found for name in attributes)
    assert "alert(1)</script>" not in hostile_page
    assert "\u202e" not in hostile_page


@pytest.mark.slow
def test_hostile_titles_are_no_markup_to_plotly() -> None:
    made = playlist(track(0, title=HOSTILE), track(1, title=LINK, artists=[IMAGE]))
    texts = [text for trace in (*plot.path(made).data, *plot.curves(made).data) for text in (trace.hovertext or ())]
    texts += [label.text for label in plot.path(made).layout.annotations]
    assert len(texts) > 4
    for text in texts:
        assert set(re.findall(r"<[^>]*>?", text)) <= {"<b>", "</b>", "<br>"}
        assert not re.search(r"[$\n\u202e]|&(?!lt;|gt;|amp;|#36;)", text)
    # Only a fixed template is ever read for %{...}; the titles come in by name.
    assert {t.hovertemplate for t in plot.curves(made).data if t.hovertext} == {"%{hovertext}"}


@pytest.mark.slow
def test_the_page_loads_nothing_and_holds_plotly_once(hostile_page: str) -> None:
    loads = [attributes for _, attributes in Elements(hostile_page).found if {"src", "href"} & set(attributes)]
    assert loads == []
    assert len(re.findall(r"plotly\.js v\d", hostile_page)) == 1
    assert "@import" not in hostile_page[: hostile_page.index("</style>")]
    assert hostile_page.count("Plotly.newPlot(") == 4


@pytest.mark.slow
def test_the_page_says_what_it_shows() -> None:
    page = plot.page(playlist(track(0), track(1, key=4), name="Sunday", cost=[-0.75], tempo_change=[-2.5]))
    text = " ".join(Elements(page).text.split())
    for result in ("Sunday", "2 tracks, 1 of them seeds, 6 minutes", "from the demo (invented tracks), 5,000 tracks",
                 "spicyness 1.2", "predictor mean", "8A → 9A", "−2.5 %", "−0.75", "Artist 1"):  # fmt: skip
        assert result in text, result
    assert page.count('<tr class="seed">') == 1


@pytest.mark.slow
def test_the_same_playlist_makes_the_same_page() -> None:
    made = playlist(track(0), track(1))
    assert plot.page(made) == plot.page(made)


def by_name(figure: go.Figure) -> dict[str, Any]:
    return {trace.name: trace for trace in figure.data if trace.name}


def test_the_wheel_puts_each_key_at_its_number_and_in_its_ring() -> None:
    # 8A, 9A and 10A, then 12B, 1B and 8B: A minor, E minor, B minor, E major, B major, C major.
    keys = [(9, 0), (4, 0), (11, 0), (4, 1), (11, 1), (0, 1)]
    figure = plot.wheel(playlist(*(track(i, key=key, mode=mode) for i, (key, mode) in enumerate(keys))))
    tracks = by_name(figure)["tracks"]
    np.testing.assert_allclose(np.asarray(tracks.theta) % 360, [240, 270, 300, 0, 30, 240])
    assert (np.asarray(tracks.r)[:3] < 0.66).all()
    assert (np.asarray(tracks.r)[3:] > 0.7).all()
    assert list(tracks.text) == ["1", "2", "3", "4", "5", "6"]
    assert list(tracks.marker.symbol) == ["diamond", *["circle"] * 5]
    names = {
        text for trace in figure.data if trace.type != "barpolar" and trace.mode == "text" for text in trace.text
    }
    assert names == {f"{number}{letter}" for number in range(1, 13) for letter in "AB"}


def test_tracks_in_one_key_do_not_hide_each_other_on_the_wheel() -> None:
    tracks = by_name(plot.wheel(playlist(*map(track, range(40)))))["tracks"]
    angle, radius = np.radians(np.asarray(tracks.theta, float)), np.asarray(tracks.r, float)
    at = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    apart = np.linalg.norm(at[:, None] - at, axis=2)[~np.eye(40, dtype=bool)]
    assert apart.min() > 0.02
    assert (np.abs(np.degrees(angle) - 240) < 15).all()


def test_the_wheel_tells_moves_that_go_together_from_others_and_skips_unknown_keys() -> None:
    def joins(*keys: int | None) -> dict[str, int]:
        figure = plot.wheel(playlist(*(track(i, key=key) for i, key in enumerate(keys))))
        return {
            t.name: int(np.isnan(np.asarray(t.r, float)).sum()) for t in figure.data if t.name and t.name != "tracks"
        }

    # A, E, B flat and, past a track whose key is unknown, E minor.
    assert joins(9, 4, 10, None, 4) == {
        "compatible keys (fifths)": 1,
        "other keys": 1,
        "over tracks in unknown keys": 1,
    }
    assert joins(None, None) == {}
    nothing = plot.wheel(playlist(track(0, key=None), track(1, key=None)))
    assert nothing.layout.annotations[0].text == "2 of 2 tracks have an unknown key"


@pytest.mark.slow
def test_the_arc_is_drawn_over_the_energy_and_only_if_one_was_asked_for() -> None:
    made = playlist(track(0), track(1), track(2))
    assert "arc" not in by_name(plot.curves(made))
    asked = replace(made, arc=np.array([0.2, 0.5], dtype=np.float32))  # the third is unknown, and comes last
    arc = by_name(plot.curves(asked))["arc"]
    assert (list(arc.x), list(arc.y), arc.yaxis, arc.line.dash) == ([1, 2], [np.float32(0.2), 0.5], "y", "dash")


@pytest.mark.slow
def test_half_and_double_time_are_marked_where_they_count() -> None:
    tempos = [70.0, 140.0, 142.0, 71.0, None, 284.0]
    made = playlist(*(track(i, tempo_bpm=tempo) for i, tempo in enumerate(tempos)))

    def result(figure: go.Figure) -> list[tuple[str, float]]:
        return [(note.text, note.x) for note in figure.layout.annotations if note.yref == "y5"]

    assert result(plot.curves(made)) == [("2×", 1.5), ("½×", 3.5)]
    dotted = [trace for trace in plot.curves(made).data if trace.type == "scatter" and trace.line.dash == "dot"]
    assert [list(trace.y)[:2] for trace in dotted] == [[70.0, 140.0]]
    assert result(plot.curves(replace(made, mixing=Mixing(half_time_weight=0)))) == []


def test_the_matrix_holds_the_costs_of_all_joins_and_outlines_those_played() -> None:
    made = playlist(
        track(0), track(1, key=4, tempo_bpm=126.0), unmeasured(2, key=None, tempo_bpm=None), track(3, key=2)
    )
    cells, played = plot.matrix(made).data
    space = scaler().transform(made.tracks.features())
    for a, b in ((0, 1), (1, 0), (0, 3), (3, 1)):
        terms = PairwiseCost(made.tracks, made.knobs, space).terms(np.array([a, b]))
        assert cells.z[a, b] == pytest.approx(float(terms["cost"][0]), abs=1e-4)
    assert np.isnan(np.diag(cells.z)).all()
    assert np.isnan(cells.z[2]).all()
    assert np.isnan(cells.z[:, 2]).all()
    # One outline for each join: to track i + 1 (across), from track i (down).
    x, y = (np.asarray(v, float).reshape(3, 6)[:, :4].mean(axis=1) for v in (played.x, played.y))
    np.testing.assert_allclose(x, [2, 3, 4])
    np.testing.assert_allclose(y, [1, 2, 3])


@pytest.mark.slow
def test_the_matrix_of_many_tracks_is_small_and_of_one_says_so() -> None:
    made = playlist(*map(track, range(450)))
    z = plot.matrix(made).data[0].z
    assert z.shape == (150, 150)
    space = scaler().transform(made.tracks.features())
    whole = PairwiseCost(made.tracks, made.knobs, space).matrix(np.arange(450))
    assert z[3, 70] == pytest.approx(whole[9:12, 210:213].mean(), abs=1e-4)
    assert "no transitions" in plot.matrix(playlist(track(0))).layout.annotations[0].text
    assert not plot.matrix(playlist(unmeasured(0), unmeasured(1))).layout.annotations


def test_hostile_titles_are_no_markup_on_the_wheel_and_in_the_matrix() -> None:
    made = playlist(track(0, title=HOSTILE), track(1, title=LINK, artists=[IMAGE]))
    texts = [*by_name(plot.wheel(made))["tracks"].hovertext, *plot.matrix(made).layout.yaxis.ticktext]
    assert len(texts) == 4
    for text in texts:
        assert set(re.findall(r"<[^>]*>?", text)) <= {"<b>", "</b>", "<br>"}
        assert not re.search(r"[$\n\u202e]|&(?!lt;|gt;|amp;|#36;)", text)


@pytest.mark.slow
def test_a_page_without_a_path_has_a_sentence_and_still_draws_the_rest() -> None:
    text = plot.page(playlist(unmeasured(0), unmeasured(1)))
    assert "No track of this playlist has all eight features" in text
    assert 'id="path"' not in text
    assert all(f'id="{name}"' in text for name in ("wheel", "curves", "matrix"))
    assert text.count("Plotly.newPlot(") >= 3
    assert len(text) > 1_000_000  # Plotly's script is still part of it
    assert 'id="path"' in plot.page(playlist(track(0), unmeasured(1)))


@pytest.mark.slow
def test_figures_are_drawn_by_their_kind_and_a_wrong_kind_is_refused() -> None:
    made = playlist(track(0), track(1))
    assert made.figure() == plot.path(made)
    assert made.figure("wheel") == plot.wheel(made)
    with pytest.raises(DiscoError, match="there are: map, path, wheel, curves, matrix"):
        made.figure("cake")
