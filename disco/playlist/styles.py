"""Styles: what a join in key and tempo is worth, as learned from those who mix, or as published.

A style is a card of weights of the terms in `joins`, in nats: by how much a term raises the logarithm of the odds of
the next track. For the cost it becomes a table of keys and a curve of tempo, each from 1, the best, to -1, the worst,
like K and T of the published DISCO, and two factors that say how much they count beside each other. The factors are
such that both together vary as much over pairs of tracks as the published K + T, so that the knobs mean the same.

*Unsure keys.* Spotify names the key that a DJ's own software names in 36 of 100 tracks, so a key from there, or one
measured with little confidence, is worth what is expected of the keys that it may stand for (`UNSURE`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from disco.catalogue import Catalogue, Floats
from disco.errors import DataError, DiscoError
from disco.playlist.joins import TEMPO_TERMS, tempo_terms
from disco.playlist.key_moves import KEY_TERMS, key_relations
from disco.playlist.key_rules import UNKNOWN, key_index
from disco.sources.storage import user_data_dir

CARDS = Path(__file__).with_name("style_cards")
PUBLISHED, DJ, LISTENER = "published", "dj", "listener"
FORMAT = 1
# Keys are numbered as in `key_rules`; those that are unsure come after the unknown one.
FIRST_UNSURE = UNKNOWN + 1
# Shares of the relations from Spotify's key to that of the DJ's software, over 273 tracks whose tempos agree; the
# rest is spread over all keys.
UNSURE = {
    "same key": 0.355,
    "fifth up": 0.075,
    "fifth down": 0.075,
    "relative key": 0.07,
    "parallel key": 0.077,
    "diagonal": 0.168,
}
# A key measured from sound with less confidence is unsure; in music that modulates and in noise it is lower.
_CONFIDENT = 0.35
# Tempos are compared in steps of a 1200th of an octave, 0.06 %, up to eight octaves apart; the first value of a curve
# is that of an unknown tempo.
STEPS, _OCTAVES = 1200, 8
_UNKNOWN_TEMPO = -(10**6)


@dataclass(frozen=True, eq=False)
class Style:
    """What keys and tempos of a join are worth.

    Attributes
    ----------
    name : str
    keys : ndarray, shape (49, 49)
        Values from 1 to -1 by the numbers of two keys: sure ones, the unknown one (0), unsure ones.
    tempos : ndarray, shape (2 * 8 * 1200 + 1,)
        Values from 1 to -1 by the steps from one tempo to another; the first is that of unknown tempos, 0.
    sweetness, smoothness : float
        Factors of the knobs of these names.
    scale : float
        What a nat is worth beside the published K and T.
    """

    name: str
    keys: Floats
    tempos: Floats
    sweetness: float
    smoothness: float
    scale: float

    def tempo_values(self, a_bpm: NDArray[np.floating], b_bpm: NDArray[np.floating]) -> Floats:
        """Values of changes of tempo; NaN where one is unknown."""
        a, b = tempo_steps(a_bpm), tempo_steps(b_bpm)
        known = (a != _UNKNOWN_TEMPO) & (b != _UNKNOWN_TEMPO)
        change = np.clip(b + self.first_change(a), 0, len(self.tempos) - 1)
        return np.where(known, self.tempos[change], np.nan).astype(np.float32)

    def first_change(self, steps: NDArray[np.intp]) -> NDArray[np.intp]:
        """What to add to the steps of a next tempo for its index in `tempos`; below 0 in sum where one is unknown."""
        return np.where(steps == _UNKNOWN_TEMPO, _UNKNOWN_TEMPO, STEPS * _OCTAVES - steps)


def tempo_steps(tempos: NDArray[np.floating]) -> NDArray[np.intp]:
    """Tempos in steps of a 1200th of an octave, shape (n,); a large negative number where unknown."""
    tempo = np.asarray(tempos, dtype=float)
    known = tempo > 0
    steps = np.rint(STEPS * np.log2(np.where(known, tempo, 1.0)))
    return np.where(known, steps, _UNKNOWN_TEMPO).astype(np.intp)


def key_numbers(catalogue: Catalogue) -> NDArray[np.uint8]:
    """Numbers of the keys of a catalogue in the tables of styles, shape (n,)."""
    keys = key_index(catalogue.numbers("key"), catalogue.modes)
    # Spotify's features without a file of one's own: the key is Spotify's too, unless a person or a tag gave it.
    spotify = pc.fill_null(pc.equal(catalogue.column("feature_set"), "spotify"), False)
    own = pc.or_(pc.is_valid(catalogue.column("path")), pc.is_valid(catalogue.column("key_origin")))
    doubtful = pc.and_(spotify, pc.invert(own)).to_numpy(zero_copy_only=False)
    unsure = doubtful | (np.nan_to_num(catalogue.numbers("key_confidence"), nan=1.0) < _CONFIDENT)
    return np.where(unsure & (keys != UNKNOWN), keys + FIRST_UNSURE, keys).astype(np.uint8)


def style_from(name: str, weights: Mapping[str, float], scale: float) -> Style:
    """A style from weights of terms.

    Parameters
    ----------
    name : str
    weights : mapping
        In nats, by the names in `joins.TERMS`; a term that is missing weighs nothing.
    scale : float
        What a nat is worth beside the published K and T.

    Examples
    --------
    >>> style = style_from("example", {"same key": 1.0, "tempo, up to 3 %": -2.0}, scale=1.0)
    >>> style.keys[0, [0, 1]].tolist(), style.sweetness, style.smoothness
    ([1.0, -1.0], 0.5, 1.0)
    >>> style.tempo_values(np.array([100.0, 100, 100]), np.array([100.0, 200, 110])).tolist()
    [1.0, 1.0, -1.0]
    """
    relation = key_relations()
    by_relation = np.array([*(weights.get(term, 0.0) for term in KEY_TERMS), 0.0])  # the last is a clash
    keys, sweetness = _to_unit(by_relation[relation][:UNKNOWN, :UNKNOWN])
    apart = np.exp2(np.arange(-STEPS * _OCTAVES, STEPS * _OCTAVES + 1) / STEPS)
    terms = tempo_terms(np.ones(len(apart)), apart)
    tempos, smoothness = _to_unit(terms @ np.array([weights.get(term, 0.0) for term in TEMPO_TERMS]))
    tempos[0] = 0
    return Style(name, _with_unsure(keys), tempos.astype(np.float32), scale * sweetness, scale * smoothness, scale)


@cache
def load_style(name: str) -> Style | None:
    """A style by its name: one that is shipped, or one of the user's own; None for the published K and T.

    Raises
    ------
    DiscoError
        If there is no such style.
    """
    if name == PUBLISHED:
        return None
    names = style_names()
    if name not in names:
        raise DiscoError(f"there is no style {name!r}; there are: {', '.join(names)}")
    card = read_card(next(path for path in _paths() if path.stem == name))
    return style_from(name, {term: found["weight"] for term, found in card["weights"].items()}, card["scale"])


def style_names() -> list[str]:
    """Names of all styles, the published one first.

    Examples
    --------
    >>> style_names()[:3]
    ['published', 'dj', 'listener']
    """
    return list(dict.fromkeys([PUBLISHED, *(path.stem for path in _paths())]))


def own_styles() -> Path:
    """Folder of the styles that were learned from what the user played."""
    return user_data_dir() / "styles"


def read_card(path: Path) -> dict[str, Any]:
    """The card of a style.

    Raises
    ------
    DataError
        If it is none.
    """
    try:
        card: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        numbers = [float(card["scale"]), *(float(found["weight"]) for found in card["weights"].values())]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise DataError(path, "is no card of a style") from None
    if card.get("format") != FORMAT or not np.isfinite(numbers).all():
        raise DataError(path, "is a card of a style that this version cannot read")
    return card


def _paths() -> list[Path]:
    """Cards of styles: the shipped ones, then the user's own."""
    return [path for folder in (CARDS, own_styles()) for path in sorted(folder.glob("*.json"))]


def _to_unit(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Values moved and stretched so that the best is 1 and the worst -1, and how many nats one of them is."""
    half = float(values.max() - values.min()) / 2
    if half < 1e-9:
        return np.zeros_like(values), 0.0
    return (values - values.min()) / half - 1, half


def _with_unsure(keys: NDArray[np.float64]) -> Floats:
    """Values of sure, unknown and unsure keys, shape (49, 49), from those of sure keys."""
    relation = key_relations()[:UNKNOWN, :UNKNOWN]
    shares = np.full((UNKNOWN, UNKNOWN), (1 - sum(UNSURE.values())) / UNKNOWN)
    for term, share in UNSURE.items():
        here = relation == KEY_TERMS.index(term)
        shares += here * (share / here.sum(axis=1, keepdims=True))
    # Each row of `may_be` says which sure keys a number may stand for.
    may_be = np.concatenate([np.eye(UNKNOWN), np.zeros((1, UNKNOWN)), shares])
    return np.asarray(may_be @ keys @ may_be.T, dtype=np.float32)
