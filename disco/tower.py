"""What a learned track tower hears of a track: numbers alone, no name and no id, so that it knows new tracks too."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from disco.catalogue import FEATURES, Catalogue, Floats
from disco.errors import DataError
from disco.model import Scaler, scaled_features
from disco.music import tempo_angle

# Of 380,000 tracks: the median and the quartile deviation of log2 beats per minute, and of log seconds.
_TEMPO = 6.85, 0.36
_DURATION = 5.4, 0.35
# Of 90,000 tracks: mean and standard deviation.
_POPULARITY = 33.0, 20.6
# Numbers heard through waves too come first; the others are circles and flags.
NUMBERS = (*FEATURES, "log_tempo", "log_duration")
OTHERS = (
    *("mode", "mode_unknown", "fifths_cos", "fifths_sin", "semitones_cos", "semitones_sin", "key_unknown"),
    *("tempo_cos", "tempo_sin", "tempo_unknown", "in_three", "in_five", "explicit"),
    *("explicit_unknown", "popularity", "popularity_unknown"),
)


def tower_inputs(catalogue: Catalogue, names: Sequence[str], by: Scaler) -> Floats:
    """What a tower hears, shape (n, names), float32; NaN for tracks without features.

    The eight features scaled; log tempo and log duration about their middles; key on the circle of fifths
    and of semitones; tempo on the circle of its octave; metre and explicit lyrics as flags; popularity about its
    middle. What is unknown is 0, and has a flag for what is known of most tracks or matters most.

    Raises
    ------
    DataError
        If a name is not one of `NUMBERS` and `OTHERS`, or the features are of another set than the scaler's.
    """
    if unknown := [name for name in names if name not in (*NUMBERS, *OTHERS)]:
        raise DataError("tower", f"does not know the input {unknown[0]!r}; it knows {', '.join((*NUMBERS, *OTHERS))}")
    columns = dict(zip(FEATURES, scaled_features(catalogue, by).T, strict=True))
    tempo, seconds = catalogue.tempos, catalogue.numbers("duration_ms") / 1000
    fifths = catalogue.positions * (2 * np.pi / 12)
    semitones = catalogue.numbers("key") * (2 * np.pi / 12)
    angle, metre = tempo_angle(tempo), catalogue.numbers("time_signature")
    with np.errstate(divide="ignore"):
        columns |= {
            "log_tempo": (np.log2(tempo) - _TEMPO[0]) / _TEMPO[1],
            "log_duration": np.clip((np.log(seconds) - _DURATION[0]) / _DURATION[1], -8, 8),
            # 0.65 is the share of major tracks, so that an unknown mode, 0, says nothing.
            "mode": catalogue.modes - 0.65,
            "mode_unknown": np.isnan(catalogue.modes),
            "fifths_cos": np.cos(fifths),
            "fifths_sin": np.sin(fifths),
            "semitones_cos": np.cos(semitones),
            "semitones_sin": np.sin(semitones),
            "key_unknown": np.isnan(semitones),
            "tempo_cos": np.cos(angle),
            "tempo_sin": np.sin(angle),
            "tempo_unknown": np.isnan(tempo),
            "in_three": metre == 3,
            "in_five": metre == 5,
            "explicit": catalogue.numbers("explicit"),
            "explicit_unknown": np.isnan(catalogue.numbers("explicit")),
            "popularity": (np.clip(catalogue.numbers("popularity"), 0, 100) - _POPULARITY[0]) / _POPULARITY[1],
            "popularity_unknown": np.isnan(catalogue.numbers("popularity")),
        }
    heard = np.stack([np.asarray(columns[name], dtype=np.float32) for name in names], axis=1)
    heard = np.nan_to_num(heard, nan=0.0)
    heard[~catalogue.measured] = np.nan
    return heard
