"""The columns of a catalogue, one row a track; a null is unknown, never 0."""

from __future__ import annotations

import pyarrow as pa

FEATURES = (
    "acousticness",
    "danceability",
    "energy",
    "instrumentalness",
    "liveness",
    "loudness",
    "speechiness",
    "valence",
)

SCHEMA = pa.schema(
    [
        ("track_id", pa.string()),
        ("title", pa.string()),
        ("artists", pa.list_(pa.string())),
        ("album", pa.string()),
        ("genres", pa.list_(pa.string())),
        ("duration_ms", pa.int32()),
        ("popularity", pa.float32()),
        ("explicit", pa.bool_()),
        ("time_signature", pa.int8()),
        ("isrc", pa.string()),
        ("path", pa.string()),
        ("tempo_bpm", pa.float32()),
        ("key", pa.int8()),
        ("mode", pa.int8()),
        *((feature, pa.float32()) for feature in FEATURES),
        ("feature_set", pa.string()),
        # Source of key and tempo: "table", "tag", "sound" or "person"; confidence, 0-1, where it was measured.
        ("key_origin", pa.string()),
        ("key_confidence", pa.float32()),
        ("tempo_origin", pa.string()),
        ("tempo_confidence", pa.float32()),
    ]
)

# Feature set of values that a person gave: on the same scales as Spotify's, 0 to 1.
PERSON = "person"
# Columns that are always taken together from one source, so that no track mixes two measurements.
COLUMN_GROUPS = ((*FEATURES, "feature_set"), ("key", "mode"), ("tempo_bpm",))
# Columns that describe a group and are taken with it.
PROVENANCE_COLUMNS = {"key": ("key_origin", "key_confidence"), "tempo_bpm": ("tempo_origin", "tempo_confidence")}
