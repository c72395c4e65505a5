"""Values filled in from the same recording under another id."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.catalogues import catalogue_of, random_catalogue
from hypothesis import given
from hypothesis import strategies as st

from disco.catalogue import FEATURES
from disco.catalogue.fill import fill_from_same_recording
from disco.catalogue.same_recording import NEAR_MS

WHOLE = dict.fromkeys(FEATURES, 0.25) | {"feature_set": "spotify", "key": 3, "mode": 1, "tempo_bpm": 120.0}


def track(track_id, title="Song", artist="Béla", **more):
    return {"track_id": track_id, "title": title, "artists": [artist], **more}


def filled(*tracks):
    catalogue = fill_from_same_recording(catalogue_of(list(tracks)))
    return {found["track_id"]: found for found in catalogue.table.to_pylist()}, catalogue


@pytest.mark.parametrize(
    "title",
    [
        "Song",
        "SONG (feat. Someone)",
        "Song - 2011 Remaster",
        "Song (Remastered 2009)",
        "Song [Explicit]",
        "Song - Original Mix",
        "Sóng ft. X",
    ],
)
def test_releases_of_one_recording_fill_in_each_other(title):
    got, catalogue = filled(track("mine", title, "bela"), track("theirs", **WHOLE))
    assert {name: got["mine"][name] for name in WHOLE} == WHOLE
    assert got["mine"]["title"] == title
    assert "1 tracks are known better" in catalogue.notes[-1]
    assert "(0 by ISRC, 1 by artist and title): features of 1, tempo of 1, key of 1" in catalogue.notes[-1]


@pytest.mark.parametrize(
    ("title", "artist", "duration_ms"),
    [
        ("Song - Live", "Béla", 200_000),
        ("Song (Remix)", "Béla", 200_000),
        ("Song (Acoustic)", "Béla", 200_000),
        ("Song - Radio Edit", "Béla", 200_000),
        ("Song", "Bella", 200_000),
        ("Song", "Béla", 204_000),
        (None, "Béla", 200_000),
        ("!?", "Béla", 200_000),
    ],
)
def test_other_versions_artists_and_durations_fill_in_nothing(title, artist, duration_ms):
    got, catalogue = filled(
        track("mine", title, artist, duration_ms=duration_ms), track("theirs", duration_ms=200_000, **WHOLE)
    )
    assert got["mine"]["energy"] is None
    assert not catalogue.notes


def test_durations_may_differ_by_three_seconds_or_be_unknown():
    got, _ = filled(
        track("near", duration_ms=202_000),
        track("unknown"),
        track("theirs", duration_ms=200_000, **WHOLE),
        track("long", duration_ms=300_000),
        track("longer", duration_ms=302_000, **{**WHOLE, "tempo_bpm": 90.0}),
    )
    assert [got[name]["tempo_bpm"] for name in ("near", "unknown", "long")] == [120.0, 120.0, 90.0]


def test_an_isrc_in_any_spelling_takes_precedence_over_the_name():
    got, catalogue = filled(
        {"track_id": "mine", "isrc": "us-abc-12-34567"},
        track("name", isrc="USABC1234567", **WHOLE),
        track("both", isrc="USXYZ1234567", duration_ms=1000),
        track("other", "Else", isrc="usxyz1234567", **{**WHOLE, "tempo_bpm": 77.0}),
        {"track_id": "bad", "isrc": "-"},
        {"track_id": "worse", "isrc": "-", **WHOLE},
    )
    assert (got["mine"]["title"], got["mine"]["energy"]) == ("Song", 0.25)
    assert got["both"]["tempo_bpm"] == 77.0
    assert got["bad"]["energy"] is None
    assert "2 by ISRC, 0 by artist" in catalogue.notes[-1]


def test_another_isrc_contradicts_the_name():
    got, catalogue = filled(
        track("other", isrc="USABC1234567"), track("without"), track("theirs", isrc="USABC1234568", **WHOLE)
    )
    assert [got[name]["key"] for name in ("other", "without")] == [None, 3]
    assert "1 tracks are known better" in catalogue.notes[-1]


def test_features_come_from_one_measurement_and_known_values_stay():
    part = {"energy": 0.9, "feature_set": "audio-1", "tempo_bpm": 60.0}
    got, _ = filled(
        track("part", **part),
        track("whole", **WHOLE),
        track("own", **{**WHOLE, "energy": 0.7, "feature_set": "audio-1"} | {"key": None}),
    )
    assert (got["part"]["energy"], got["part"]["feature_set"], got["part"]["tempo_bpm"]) == (0.25, "spotify", 60.0)
    assert (got["own"]["energy"], got["own"]["feature_set"], got["own"]["key"]) == (pytest.approx(0.7), "audio-1", 3)
    only, _ = filled(track("a", **part), track("b", valence=0.1, feature_set="spotify"))
    assert (only["a"]["valence"], only["b"]["energy"]) == (None, None)


def test_a_complete_catalogue_is_returned_as_it_is():
    catalogue = random_catalogue(30)
    assert fill_from_same_recording(catalogue) is catalogue
    assert len(fill_from_same_recording(catalogue_of([{"track_id": "a"}]))) == 1


names = st.sampled_from(["Song", "Song (Live)", "Tune", None])
durations = st.sampled_from([None, 200_000, 202_500, 205_000, 260_000])


@given(st.lists(st.tuples(names, durations, st.booleans()), min_size=1, max_size=9))
def test_filling_in_agrees_with_a_loop_over_pairs(rows):
    tracks = [
        track(f"t{i}", title, duration_ms=ms, **({"tempo_bpm": 60.0 + i} if knows else {}))
        for i, (title, ms, knows) in enumerate(rows)
    ]
    got = fill_from_same_recording(catalogue_of(tracks)).tempos
    for i, (title, ms, knows) in enumerate(rows):
        if knows:
            assert got[i] == 60 + i
            continue
        same = [j for j, row in enumerate(rows) if title is not None and row[0] == title and row[2]]
        run = {ms}  # durations that are reached by steps of three seconds
        for _ in rows:
            run |= {
                other
                for name, other, _ in rows
                if name == title and None not in (other, *run) and min(abs(other - r) for r in run) <= NEAR_MS
            }
        near = [j for j in same if ms is None or rows[j][1] in run] or [j for j in same if rows[j][1] is None]
        assert np.isnan(got[i]) if not near else got[i] == 60 + near[0]
