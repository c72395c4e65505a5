"""From the settings of the page to a playlist: calls of `disco.make` and `disco.reorder`, the last answers kept."""

from __future__ import annotations

import inspect
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

import disco
from disco.app.state import State
from disco.catalogue import Catalogue
from disco.catalogue.schema import FEATURES
from disco.errors import DiscoError
from disco.models.predictors import Predictor, load_predictor
from disco.models.recommenders import Recommender, default_recommender
from disco.playlist.cost import Knobs
from disco.playlist.matching import match_tracklist
from disco.playlist.mixing import FOR_ORDERING, Mixing
from disco.playlist.playlist import Playlist
from disco.playlist.reorder import Reordered
from disco.playlist.transition_grades import DistanceQuantiles, distance_quantiles
from disco.sources import DEMO_NAME, EXAMPLE_SEEDS
from disco.sources.corrections import Correction, apply
from disco.sources.tracklist import Entry, Tracklist

# Answers that each process keeps, for people who compare two settings, or undo and redo: a quarter of a MB each.
_KEPT = 24
# Tracks among which the distances of random pairs are measured.
_SAMPLE = 2_000
# What `disco.make` is called with where the page sets nothing.
DEFAULTS = {name: each.default for name, each in inspect.signature(disco.make).parameters.items()}


@dataclass(frozen=True)
class Music:
    """A catalogue, and what is needed to answer from it, loaded once.

    Attributes
    ----------
    catalogue : Catalogue
    recommender : Recommender
    predictor : Predictor
    apart : DistanceQuantiles
        Of random pairs of its tracks, by which the sound of a transition is graded.
    """

    catalogue: Catalogue
    recommender: Recommender
    predictor: Predictor
    apart: DistanceQuantiles
    _answers: OrderedDict[Any, Any] = field(default_factory=OrderedDict, repr=False, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def kept(self, key: object, make: Callable[[], Any]) -> Any:
        """An answer, made where it is not one of the last."""
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
                return self._answers[key]
        made = make()
        with self._lock:
            self._answers[key] = made
            while len(self._answers) > _KEPT:
                self._answers.popitem(last=False)
        return made


def music_of(catalogue: Catalogue) -> Music:
    """Load what is needed to answer from a catalogue.

    Examples
    --------
    >>> len(music_of(disco.open()).catalogue)
    5000
    """
    predictor = load_predictor(DEFAULTS["predictor"])
    sample = catalogue
    if len(catalogue) > _SAMPLE:
        sample = catalogue.take(np.sort(np.random.default_rng(0).choice(len(catalogue), _SAMPLE, replace=False)))
    return Music(catalogue, default_recommender(catalogue), predictor, distance_quantiles(predictor.embed(sample)))


def first_seeds(music: Music) -> tuple[str, ...]:
    """Three tracks with which the page begins: the example of the demo, or the most popular track and two after it.

    Examples
    --------
    >>> len(first_seeds(music_of(disco.open())))
    3
    """
    catalogue = music.catalogue
    if catalogue.where == DEMO_NAME:
        return EXAMPLE_SEEDS
    known = np.nan_to_num(catalogue.numbers("popularity"), nan=-1.0) - np.where(
        catalogue.has_comparable_features, 0, 1e3
    )
    best = np.flatnonzero(known == known.max())[:1]
    try:
        made = disco.make(catalogue, best, length=2, recommender=music.recommender, predictor=music.predictor)
    except DiscoError:  # nothing follows it
        return tuple(catalogue.ids(best))
    return tuple(made.tracks.ids(np.arange(len(made))))


def corrected(music: Music, corrections: Sequence[Correction]) -> Music:
    """The same music with keys and tempos corrected in it; where tracks lie is not computed anew."""
    catalogue = apply(music.catalogue, corrections).with_arrays_of(music.catalogue)
    return Music(catalogue, default_recommender(catalogue), music.predictor, music.apart)


def play(music: Music, state: State) -> Playlist:
    """The playlist of a state: made from its seeds or title, or its list in order.

    Raises
    ------
    DiscoError
        With what the person should change.

    Examples
    --------
    >>> len(play(music_of(disco.open()), State(seeds=("demo-00001",), length=4)))
    5
    """
    made: Playlist = music.kept(
        state if not state.tracks else (state, *map(str, state.tracks)), lambda: _made(music, state)
    )
    return made


def given(music: Music, state: State) -> Playlist:
    """The list of a state in the order that it was given in, with its transitions."""
    own, tracklist = list_of(state)
    return match_tracklist(
        tracklist, own, knobs=_knobs(state), predictor=music.predictor, mixing=_for_ordering(state)
    )


def _made(music: Music, state: State) -> Playlist:
    if state.tracks:
        return given(music, state) if state.given_order else _ordered(music, state)
    if not state.seeds and not state.title:
        raise DiscoError("name a song or two to begin with, or a title")
    catalogue, notes = music.catalogue, []
    seeds, lost = _present(catalogue, state.seeds)
    pins = {position: track for position, track in state.pins if _present(catalogue, (track,))[0]}
    if lost := lost + len(state.pins) - len(pins):
        notes.append(f"{lost} tracks of this link are not in {catalogue.where}")
    if not seeds and not state.title:
        raise DiscoError(f"none of the tracks of this link are in {catalogue.where}; search for others")
    first = len(seeds)
    out = [track for track in _present(catalogue, state.out)[0] if track not in seeds]
    made = disco.make(
        catalogue,
        catalogue.rows(seeds),
        length=state.length,
        minutes=state.minutes,
        title=state.title,
        flow=state.flow,
        spicyness=state.spicyness,
        sweetness=state.sweetness,
        smoothness=state.smoothness,
        style=state.style,
        key_rule=state.key_rule,
        arc=state.arc or None,
        tempo_arc=state.tempo_arc or None,
        include=_conditions(genre=state.genre, key=state.keys),
        exclude=_conditions(genre=state.without_genre),
        bpm=state.bpm or None,
        duration=state.duration or None,
        pin={position: track for position, track in pins.items() if position > first and track not in seeds},
        exclude_playlist=Tracklist("", [Entry(track) for track in out]) if out else (),
        randomness=state.variety,
        random_seed=state.variety_seed,
        recommender=music.recommender,
        predictor=music.predictor,
    )
    return _noted(made, notes)


def _ordered(music: Music, state: State) -> Reordered:
    own, tracklist = list_of(state)
    ids = {entry.id for entry in tracklist.entries}
    return disco.reorder(
        own,
        tracklist,
        flow=state.flow,
        sweetness=state.sweetness,
        smoothness=state.smoothness,
        style=state.style,
        arc=state.arc or None,
        tempo_arc=state.tempo_arc or None,
        pin={position: track for position, track in state.pins if track in ids and position <= len(own)},
        together=[group for group in state.together if set(group) <= ids],
        randomness=state.variety,
        random_seed=state.variety_seed,
        predictor=music.predictor,
    )


def list_of(state: State) -> tuple[Catalogue, Tracklist]:
    """The tracks of a list as a catalogue of their own; those of which only a name is known are not in it."""
    out = set(state.out)
    tracks = [track for track in state.tracks if track["track_id"] not in out]
    known = [track for track in tracks if _is_known(track)]
    own = Catalogue.from_tracks({track["track_id"]: track for track in known}.values(), state.name or "the list")
    entries = [
        Entry(track["track_id"])
        if _is_known(track)
        else Entry(title=track.get("title") or track["track_id"], artist=", ".join(track.get("artists", ())) or None)
        for track in tracks
    ]
    return own, Tracklist(state.name or "In order", entries)


def _is_known(track: Mapping[str, Any]) -> bool:
    return any(track.get(name) is not None for name in ("tempo_bpm", "key", *FEATURES))


def _present(catalogue: Catalogue, ids: tuple[str, ...]) -> tuple[list[str], int]:
    """Those of the ids that a catalogue has, and how many it has not."""
    found = [track for track in dict.fromkeys(ids) if _row(catalogue, track) is not None]
    return found, len(set(ids)) - len(found)


def _row(catalogue: Catalogue, track: str) -> int | None:
    try:
        return int(catalogue.rows([track])[0])
    except DiscoError:
        return None


def _conditions(**wanted: str) -> tuple[str, ...]:
    return tuple(f"{column}={text}" for column, text in wanted.items() if text)


def _knobs(state: State) -> Knobs:
    return Knobs(state.flow, state.spicyness, state.sweetness, state.smoothness)


def _for_ordering(state: State) -> Mixing:
    return Mixing(FOR_ORDERING.key_rule, graded=FOR_ORDERING.graded, style=state.style)


def _noted(playlist: Playlist, notes: list[str]) -> Playlist:
    return replace(playlist, notes=(*notes, *playlist.notes)) if notes else playlist
