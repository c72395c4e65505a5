"""`disco.next_tracks`: what goes well after a track, best first, each with its reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Catalogue, Filters, Floats, Rows
from disco.catalogue.lookup import Choose
from disco.catalogue.music import tempo_change
from disco.errors import DiscoError
from disco.models.predictors import PREDICTORS, Predictor, load_predictor
from disco.models.recommenders import Recommender, default_recommender, load_recommender
from disco.playlist.candidates import gather
from disco.playlist.cost import FlowCost, Knobs
from disco.playlist.key_moves import compatible_filters, key_move, keys_after
from disco.playlist.key_rules import key_index
from disco.playlist.make import RELEVANCE, check_catalogue, find_rows, texts_of
from disco.playlist.mixing import FOR_NEW_PLAYLISTS, Mixing
from disco.playlist.parsing import parse_bpm, parse_duration, parse_tempo_change
from disco.playlist.pitch import nearest, transposed
from disco.playlist.played import played_rows
from disco.playlist.playlist import key_name, pitched_records, sounding_name
from disco.playlist.sequence import Rules
from disco.playlist.transition_grades import folded
from disco.playlist.transitions import energy_in_words, tempo_in_words

# Tracks of the catalogue with which the nearness of a track is compared.
_SAMPLE = 2000


@dataclass(frozen=True)
class NextTracks:
    """Tracks that go well after another, best first.

    Attributes
    ----------
    tracks : Catalogue
        The track that comes before, then those that go well after it.
    costs : ndarray, shape (n,)
        What `disco.make` would choose by, the lowest first.
    key_moves : list of str
        In words.
    tempo_changes : ndarray, shape (n,)
        In per cent, half and double time folded unless their weight is 0; NaN unknown.
    energy_changes : ndarray, shape (n,)
        NaN unknown.
    nearer_than : ndarray, shape (n,)
        Share of the catalogue from which the track before is farther away; NaN unknown.
    notes : tuple of str
    pitched : list of dict
        What to pitch each track by, and how its key then sounds (`Playlist.pitched`); empty with key lock.
    """

    tracks: Catalogue
    costs: Floats
    key_moves: list[str]
    tempo_changes: Floats
    energy_changes: Floats
    nearer_than: Floats
    notes: tuple[str, ...] = ()
    pitched: list[dict[str, Any]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.costs)

    @property
    def reasons(self) -> list[str]:
        """Why each track goes well after the one before, or what does not, in words."""
        tempos = self.tracks.tempos
        half = folded(np.full(len(self), tempos[0]), tempos[1:])
        found = []
        for i in range(len(self)):
            octave = ("double" if tempos[i + 1] > tempos[0] else "half") if half[i] else ""
            near = float(self.nearer_than[i])
            pitch = self.pitched[i]["pitch"] if self.pitched else 0
            parts = [
                f"pitched {pitch:+.1f} % to {sounding_name(self.pitched[i])}" if pitch else "",
                self.key_moves[i],
                tempo_in_words(float(self.tempo_changes[i]), octave),
                energy_in_words(float(self.energy_changes[i])),
                "" if np.isnan(near) else f"nearer than {min(100 * near, 99):.0f} %",
            ]
            found.append(", ".join(filter(None, parts)))
        return found

    def to_dict(self) -> dict[str, Any]:
        """Everything as one object, as `disco next --json` prints it; unknown values are None."""
        records = []
        for i, track in enumerate(self.tracks.tracks()):
            record = {
                "position": i,
                "id": track["track_id"],
                "title": track["title"],
                "artist": ", ".join(track["artists"] or []) or None,
                "camelot": key_name(track),
                "tempo_bpm": _rounded(track["tempo_bpm"], 2),
                "energy": _rounded(track["energy"], 3),
            }
            if i:
                record |= {
                    "cost": _rounded(self.costs[i - 1], 4),
                    "key_move": self.key_moves[i - 1],
                    "tempo_change": _rounded(self.tempo_changes[i - 1], 2),
                    "energy_change": _rounded(self.energy_changes[i - 1], 3),
                    "nearer_than": _rounded(self.nearer_than[i - 1], 4),
                    "reason": self.reasons[i - 1],
                    **(self.pitched[i - 1] if self.pitched else {}),
                }
            records.append(record)
        before = {name: value for name, value in records[0].items() if name != "position"}
        return {"after": before, "tracks": records[1:]}


def next_tracks(
    catalogue: Catalogue,
    tracks: str | Sequence[str],
    *,
    n: int = 15,
    flow: float = Knobs.flow,
    spicyness: float = Knobs.spicyness,
    sweetness: float = Knobs.sweetness,
    smoothness: float = Knobs.smoothness,
    relevance: float = RELEVANCE,
    artist_gap: int = 1,
    candidates: int = 400,
    predictor: str | Predictor = PREDICTORS[0],
    recommender: str | Recommender | None = None,
    key_rule: str = Mixing.key_rule,
    energy_boost: bool = Mixing.energy_boost,
    half_time_weight: float = Mixing.half_time_weight,
    style: str = Mixing.style,
    max_tempo_change: float | str | None = FOR_NEW_PLAYLISTS.max_tempo_change,
    avoid_clashes: bool = FOR_NEW_PLAYLISTS.avoid_clashes,
    pitch: float | None = Mixing.pitch,
    include: str | Sequence[str] = Filters.include,
    exclude: str | Sequence[str] = Filters.exclude,
    bpm: str | tuple[float, float] | None = Filters.bpm,
    duration: str | tuple[float, float] | None = Filters.seconds,
    explicit: bool = Filters.explicit,
    compatible_with: str | None = None,
    unplayed: bool = False,
    not_played_since: str | date | None = None,
    choose: Choose | None = None,
) -> NextTracks:
    """List what goes well after a track, best first: what `disco.make` would choose from for the next position.

    Parameters
    ----------
    catalogue : Catalogue
        The tracks to choose from; see `disco.open`.
    tracks : str or sequence of str
        The track that was played last; of several, the last of them, after the others.
    n : int
        How many to list.
    flow, spicyness, sweetness, smoothness, relevance, artist_gap, candidates, predictor, recommender
        As for `disco.make`.
    key_rule, energy_boost, half_time_weight, max_tempo_change, avoid_clashes, style, pitch
        How transitions are judged; see `disco.Mixing`.
    include, exclude, bpm, duration, explicit, compatible_with, unplayed, not_played_since, choose
        As for `disco.make`.

    Returns
    -------
    NextTracks

    Raises
    ------
    DiscoError
        If a track is not found, a value means nothing, or no track can follow.

    Examples
    --------
    >>> import disco
    >>> found = disco.next_tracks(disco.open(), "sunday night staircase", n=3)
    >>> len(found), len(found.reasons)
    (3, 3)
    """
    check_catalogue(catalogue)
    if n < 1:
        raise DiscoError(f"the number of tracks to list must be 1 or more, not {n}")
    rows = find_rows(catalogue, tracks, choose)
    if not len(rows):
        raise DiscoError("name the track that was played last")
    mixing = Mixing(
        key_rule,
        energy_boost,
        half_time_weight,
        parse_tempo_change(max_tempo_change),
        avoid_clashes,
        style=style,
        pitch=pitch,
    )
    filters = Filters(texts_of(include), texts_of(exclude), parse_bpm(bpm), parse_duration(duration), explicit)
    if compatible_with is not None:
        compatible = keys_after(catalogue, int(find_rows(catalogue, compatible_with, choose)[0]), mixing.keys)
        filters = compatible_filters(filters, compatible, compatible_with)
    if recommender is None or isinstance(recommender, str):
        recommender = load_recommender(recommender, catalogue) if recommender else default_recommender(catalogue)
    played, played_notes = played_rows(catalogue, unplayed, not_played_since)
    pool = gather(catalogue, rows, recommender, max(candidates, n), filters=filters, exclude=played, mixing=mixing)
    model = load_predictor(predictor) if isinstance(predictor, str) else predictor
    embeddings = model.embed(pool.tracks)
    cost = FlowCost(pool.tracks, model, Knobs(flow, spicyness, sweetness, smoothness), embeddings, mixing)
    rules = Rules(pool.tracks, artist_gap)
    allowed = np.array([row for row in pool.candidates.tolist() if rules(pool.start.tolist(), row)], dtype=np.intp)
    if not len(allowed):
        raise DiscoError(
            f"none of {len(pool.candidates)} candidates may follow; allow more with --candidates, --artist-gap 0 or "
            "fewer filters"
        )
    costs = cost.costs(cost.start(pool.start), allowed)[0]
    costs += np.float32(relevance / 100) * np.argsort(pool.ranked)[np.searchsorted(np.sort(pool.ranked), allowed)]
    best = allowed[np.argsort(costs, kind="stable")[:n]]
    before = int(pool.start[-1])
    keys = key_index(pool.tracks.numbers("key"), pool.tracks.modes)
    tempos, energy = pool.tracks.tempos, pool.tracks.numbers("energy")
    numbers = mixing.key_numbers(pool.tracks)
    semitones = mixing.semitones(numbers[[before]], numbers[best], tempos[[before]], tempos[best])
    sounding = transposed(keys[best], nearest(semitones))
    jumps = mixing.large_tempo_jumps(tempos[[before]], tempos[best]) | mixing.key_clashes(keys[[before]], sounding)
    notes = [*played_notes, *pool.notes]
    if count := int(jumps.sum()):
        notes.append(f"{count} of {len(best)} clash in key or change the tempo too much: there were no others")
    return NextTracks(
        pool.tracks.take(np.r_[before, best]),
        np.sort(costs, kind="stable")[:n],
        [key_move(int(keys[before]), after) for after in sounding.tolist()],
        tempo_change(tempos[before], tempos[best], mixing.folds).astype(np.float32),
        energy[best] - energy[before],
        _nearer_than(catalogue, model, embeddings, before, best),
        tuple(notes),
        [] if mixing.pitch is None else pitched_records(sounding, semitones),
    )


def _nearer_than(catalogue: Catalogue, model: Predictor, embeddings: Floats, before: int, rows: Rows) -> Floats:
    """Share of the catalogue that is farther from a track than each row is, estimated from a sample."""
    sample = catalogue
    if len(catalogue) > _SAMPLE:
        sample = catalogue.take(np.sort(np.random.default_rng(0).choice(len(catalogue), _SAMPLE, replace=False)))
    apart = _distances(model.embed(sample), embeddings[before])
    apart = np.sort(apart[~np.isnan(apart)])
    found = _distances(embeddings[rows], embeddings[before])
    if not len(apart):
        return np.full(len(rows), np.nan, dtype=np.float32)
    share = 1 - np.searchsorted(apart, found, side="left") / len(apart)
    return np.where(np.isnan(found), np.nan, share).astype(np.float32)


def _distances(embeddings: Floats, target: Floats) -> NDArray[np.float64]:
    return np.asarray(np.linalg.norm(embeddings.astype(float) - target, axis=1))


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None or np.isnan(value) else round(float(value), digits)
