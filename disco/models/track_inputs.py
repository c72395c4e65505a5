"""What a learned track tower hears of a track: numbers, and words of its genres where it has any.

No name and no id, so that it knows new tracks too; and no genre is needed, because it learned to do without.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from disco.catalogue import FEATURES, Catalogue, Floats, Rows
from disco.catalogue.music import tempo_angle
from disco.catalogue.table import Mask
from disco.errors import DataError
from disco.models.scaler import Scaler, scaled_features

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
# Length of the vector of a track's genres: what numbers of sd 1 and this together, a first layer hears alike.
_GENRE_NORM = 2.0


@dataclass(frozen=True)
class EncodedTracks:
    """What a tower hears of every track of a catalogue, made whole a few tracks at a time.

    Attributes
    ----------
    numbers : ndarray, shape (n, inputs)
        As `tower_inputs`; NaN for tracks without any feature or genre.
    slots : int
        Places for words of genres: 0 for a tower that hears none.
    starts, words : ndarray of int, shapes (n + 1,) and (any,)
        Places of the words of track i are words[starts[i]:starts[i + 1]].
    """

    numbers: Floats
    slots: int
    starts: NDArray[np.int64]
    words: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def width(self) -> int:
        """How many numbers a tower hears of a track."""
        return int(self.numbers.shape[1]) + self.slots

    def take(self, rows: Rows) -> Floats:
        """What is heard of these tracks, shape (rows, inputs + slots), float32.

        The genres are a vector of length 2 with equal parts for its words, or zeros where there are none.
        """
        heard = np.zeros((len(rows), self.width), dtype=np.float32)
        heard[:, : self.width - self.slots] = self.numbers[rows]
        begin, count = self.starts[rows], self.starts[rows + 1] - self.starts[rows]
        place = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count - begin, count)
        words = heard[:, self.width - self.slots :]
        words[np.repeat(np.arange(len(rows)), count), self.words[place]] = 1
        words *= _GENRE_NORM / np.sqrt(np.maximum(words.sum(axis=1, keepdims=True), 1))
        return heard


def encode_tracks(catalogue: Catalogue, names: Sequence[str], by: Scaler, slots: int = 0) -> EncodedTracks:
    """All that a tower hears of a catalogue: `names` as `tower_inputs`, and genres in so many slots.

    A genre is heard as its words and as the whole of them, so that a new one (*liquid drum and bass*) is heard by
    words that were met. A word's slot is its crc32 (feature hashing; Weinberger et al. 2009): no list of genres
    is kept, and any may come. Genres alone are enough to be heard: the shipped tower then finds the true next track
    with an MRR of 0.10, where it has 0.21 with all, and 0.02, as by chance, with key, tempo and duration alone.
    """
    if not slots:
        numbers = tower_inputs(catalogue, names, by)
        return EncodedTracks(numbers, 0, np.zeros(len(numbers) + 1, dtype=np.int64), np.zeros(0, dtype=np.int32))
    genres = catalogue.table["genres"].combine_chunks()
    said_any = pc.fill_null(pc.greater(pc.list_value_length(genres), 0), False).to_numpy(zero_copy_only=False)
    numbers = tower_inputs(catalogue, names, by, catalogue.has_any_feature | said_any)
    encoded = pc.list_flatten(genres).dictionary_encode()
    said = [_slots(genre or "", slots) for genre in encoded.dictionary.to_pylist()]
    n_words = np.array([len(words) for words in said], dtype=np.int64)
    flat = np.array([word for words in said for word in words], dtype=np.int32)
    genre = pc.fill_null(encoded.indices, -1).to_numpy().astype(np.int64)
    track = pc.list_parent_indices(genres).to_numpy()[genre >= 0]
    genre = genre[genre >= 0]
    each = n_words[genre]
    place = np.arange(each.sum()) - np.repeat(np.cumsum(each) - each - (np.cumsum(n_words) - n_words)[genre], each)
    per_track = np.bincount(track, weights=each, minlength=len(numbers)).astype(np.int64)
    return EncodedTracks(numbers, slots, np.r_[0, np.cumsum(per_track)], flat[place])


def _slots(genre: str, slots: int) -> list[int]:
    words = re.findall(r"\w+", genre.casefold())
    return sorted({zlib.crc32(word.encode()) % slots for word in (*words, " ".join(words)) if word})


def tower_inputs(catalogue: Catalogue, names: Sequence[str], by: Scaler, known: Mask | None = None) -> Floats:
    """What a tower hears, shape (n, names), float32; NaN for tracks that are not known, by default without a feature.

    The eight features scaled; log tempo and log duration about their middles; key on the circle of fifths
    and of semitones; tempo on the circle of its octave; metre and explicit lyrics as flags; popularity about its
    middle. What is unknown is 0, and has a flag for what is known of most tracks or matters most.

    Raises
    ------
    DataError
        If a name is not one of `NUMBERS` and `OTHERS`.
    """
    if unknown := [name for name in names if name not in (*NUMBERS, *OTHERS)]:
        raise DataError("tower", f"does not know the input {unknown[0]!r}; it knows {', '.join((*NUMBERS, *OTHERS))}")
    columns = dict(zip(FEATURES, scaled_features(catalogue, by).T, strict=True))
    tempo, seconds = catalogue.tempos, catalogue.numbers("duration_ms") / 1000
    fifths = catalogue.circle_positions * (2 * np.pi / 12)
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
    heard[~(catalogue.has_any_feature if known is None else known)] = np.nan
    return heard
