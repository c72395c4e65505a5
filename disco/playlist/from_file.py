"""`disco.reorder` and `disco.lint`: a playlist that exists, put into its best order, or explained as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from disco import sources
from disco.catalogue import Catalogue
from disco.catalogue.lookup import Choose
from disco.errors import DiscoError
from disco.models.predictors import Predictor, load_predictor
from disco.playlist.cost import Knobs
from disco.playlist.leave_out import Choice
from disco.playlist.make import check_catalogue, find_rows, repeat
from disco.playlist.matching import KNOBS, match_tracklist
from disco.playlist.mixing import FOR_ORDERING, Mixing
from disco.playlist.parsing import (
    parse_arc,
    parse_key_name,
    parse_pins,
    parse_positions,
    parse_tempo_arc,
    parse_together,
)
from disco.playlist.played import without_played
from disco.playlist.playlist import Playlist
from disco.playlist.reorder import Reordered, distinct_tracks
from disco.playlist.reorder import reorder as put_in_order
from disco.playlist.sequence import Budget, Constraints
from disco.playlist.sequence.wishes import Wishes
from disco.playlist.suggestions import Explanation, explain
from disco.sources.tracklist import Entry, Tracklist


def reorder(
    catalogue: Catalogue | None,
    playlist: str | Path | Tracklist | Playlist | Sequence[str],
    *,
    title: str = "",
    flow: float = KNOBS.flow,
    sweetness: float = KNOBS.sweetness,
    smoothness: float = KNOBS.smoothness,
    artist_gap: int | None = None,
    predictor: str | Predictor = "mean",
    key_rule: str = FOR_ORDERING.key_rule,
    energy_boost: bool = Mixing.energy_boost,
    half_time_weight: float = Mixing.half_time_weight,
    style: str = Mixing.style,
    max_tempo_change: float | None = Mixing.max_tempo_change,
    graded: bool = FOR_ORDERING.graded,
    pitch: float | None = Mixing.pitch,
    start_track: str | None = None,
    end_track: str | None = None,
    pin: Mapping[int, str] | Sequence[str] = (),
    keep_positions: str | Sequence[int] | None = None,
    arc: str | Sequence[float] | None = None,
    arc_weight: float = Constraints.arc_weight,
    start_key: str | None = None,
    end_key: str | None = None,
    tempo_arc: str | Sequence[float] | None = None,
    tempo_arc_weight: float = Constraints.tempo_arc_weight,
    max_tempo_drift: float | None = Constraints.max_tempo_drift,
    rising_tempo: float = Wishes.rising_tempo,
    together: Sequence[Sequence[str]] = (),
    artists: str | None = Wishes.artists,
    albums: str | None = Wishes.albums,
    genres: str | None = Wishes.genres,
    drop: int = Choice.drop,
    best: int | None = Choice.best,
    best_minutes: float | None = Choice.best_minutes,
    randomness: float = Constraints.randomness,
    random_seed: int = Constraints.random_seed,
    unplayed: bool = False,
    not_played_since: str | date | None = None,
    iterations: int | None = Budget.iterations,
    seconds: float | None = Budget.seconds,
    choose: Choose | None = None,
) -> Reordered:
    """Put the tracks of a playlist into their best order; none is added, and none left out unless you allow it.

    Parameters
    ----------
    catalogue : Catalogue or None
        Where features, keys and tempos of the tracks are looked up. None: the file has them itself.
    playlist : str, Path, Tracklist, Playlist or sequence of str
        A playlist file, or the ids or names of the tracks.
    title : str
        Name of the playlist; by default that of the file.
    flow, sweetness, smoothness : float
        The knobs; see `disco.Knobs`. Here a clash of keys costs `sweetness`, a tempo out of reach `smoothness`.
    predictor : str or Predictor
        Model in whose space distance is measured; mean stands for the features themselves.
    key_rule, energy_boost, half_time_weight, max_tempo_change, graded, style, pitch
        How transitions are judged; see `disco.Mixing`.
    start_track : str, optional
        First track.
    end_track : str, optional
        Last track.
    keep_positions : str or sequence of int, optional
        Positions whose tracks stay where they are, as 1-4,6-10.
    rising_tempo : float
        Weight of a tempo that prefers to rise: what a transition costs whose tempo falls by 10 per cent.
    together : sequence of sequence of str
        Tracks that follow each other, in this order. One group of tracks, or several.
    artists : str, optional
        `spread` puts tracks by one artist as far from each other as possible.
    albums : str, optional
        `whole` plays each album without a break, in the order of the playlist, and `spread` its tracks far apart.
    genres : str, optional
        `runs` plays tracks of one genre one after the other, and `spread` far apart.
    drop : int
        Most misfits that are left out: tracks without which the playlist costs much less.
    best : int, optional
        Number of tracks to play, those that flow best in a row; the others are left out.
    best_minutes : float, optional
        Minutes to play, with the tracks that flow best in a row; the others are left out.
    artist_gap : int, optional
        Tracks between two by one artist; 0 allows all. By default one, but tracks that the list has together stay
        so where parting them would make the order worse than the one given.
    pin, arc, arc_weight, start_key, end_key, randomness, random_seed, unplayed, not_played_since, choose
        As for `disco.make`.
    tempo_arc, tempo_arc_weight, max_tempo_drift
        As for `disco.make`.
    iterations : int, optional
        Iterations of the search; by default as many as the number of tracks asks for.
    seconds : float, optional
        Time limit for the search instead; the best order so far is returned.

    Returns
    -------
    Reordered
        A `Playlist` with measures `before` and `after`.

    Raises
    ------
    DiscoError
        If none of the tracks is known, or a value means nothing.

    Examples
    --------
    >>> import disco
    >>> playlist = disco.reorder(disco.open(), ["demo-00001", "demo-00002", "demo-00003", "demo-00004"])
    >>> playlist.after.mean_cost <= playlist.before.mean_cost
    True
    """
    read_playlist, _ = read(catalogue, playlist, title)
    read_playlist = without_played(read_playlist, unplayed, not_played_since)
    tracks, _ = distinct_tracks(read_playlist)

    def row(text: str) -> int:
        return int(find_rows(tracks, text, choose)[0])

    return put_in_order(
        read_playlist,
        knobs=Knobs(flow=flow, sweetness=sweetness, smoothness=smoothness),
        predictor=predictor,
        mixing=Mixing(
            key_rule, energy_boost, half_time_weight, max_tempo_change, graded=graded, style=style, pitch=pitch
        ),
        constraints=Constraints(
            pinned=parse_pins(pin, row),
            start_track=None if start_track is None else row(start_track),
            end_track=None if end_track is None else row(end_track),
            arc=parse_arc(arc),
            arc_weight=arc_weight,
            start_key=parse_key_name(start_key),
            end_key=parse_key_name(end_key),
            tempo_arc=parse_tempo_arc(tempo_arc),
            tempo_arc_weight=tempo_arc_weight,
            max_tempo_drift=max_tempo_drift,
            randomness=randomness,
            random_seed=random_seed,
        ),
        wishes=Wishes(parse_together(together, row), artists, albums, genres, rising_tempo),
        choice=Choice(drop, best, best_minutes),
        artist_gap=artist_gap,
        keep_positions=() if keep_positions is None else parse_positions(keep_positions),
        budget=Budget(iterations, seconds),
    )


def reorder_alternatives(
    n: int, catalogue: Catalogue | None, playlist: str | Path | Tracklist | Playlist | Sequence[str], **options: Any
) -> list[Reordered]:
    """Orders that differ from each other in at least 3 of 10 transitions; `options` as for `reorder`."""
    if isinstance(options.get("predictor", "mean"), str):
        options["predictor"] = load_predictor(options.get("predictor", "mean"))
    return repeat(n, lambda **changed: reorder(catalogue, playlist, **options | changed), options)


def lint(
    catalogue: Catalogue | None,
    playlist: str | Path | Tracklist | Playlist | Sequence[str],
    *,
    title: str = "",
    flow: float = KNOBS.flow,
    sweetness: float = KNOBS.sweetness,
    smoothness: float = KNOBS.smoothness,
    artist_gap: int = 1,
    predictor: str | Predictor = "mean",
    key_rule: str = FOR_ORDERING.key_rule,
    energy_boost: bool = Mixing.energy_boost,
    half_time_weight: float = Mixing.half_time_weight,
    style: str = Mixing.style,
    max_tempo_change: float | None = Mixing.max_tempo_change,
    graded: bool = FOR_ORDERING.graded,
    pitch: float | None = Mixing.pitch,
    iterations: int | None = None,
    seconds: float | None = None,
) -> Explanation:
    """Grade the transitions of a playlist in the order that it has, and suggest changes for the worst.

    Parameters
    ----------
    catalogue, playlist, title, flow, sweetness, smoothness, artist_gap, predictor
        As for `reorder`.
    key_rule, energy_boost, half_time_weight, max_tempo_change, graded, style, pitch
        How transitions are judged; see `disco.Mixing`.
    iterations : int, optional
        Iterations of the search for the best order (200).
    seconds : float, optional
        Time limit for that search instead.

    Returns
    -------
    Explanation
        Its `playlist`, `grades`, and the `worst` transitions with suggestions.

    Examples
    --------
    >>> import disco
    >>> found = disco.lint(disco.open(), ["demo-00001", "demo-00002", "demo-00003"])
    >>> sum(found.grades.counts().values())
    2
    """
    read_playlist, catalogue = read(catalogue, playlist, title)
    return explain(
        read_playlist,
        catalogue,
        knobs=Knobs(flow=flow, sweetness=sweetness, smoothness=smoothness),
        predictor=predictor,
        mixing=Mixing(
            key_rule, energy_boost, half_time_weight, max_tempo_change, graded=graded, style=style, pitch=pitch
        ),
        artist_gap=artist_gap,
        budget=None if iterations is None and seconds is None else Budget(iterations, seconds),
    )


def read(
    catalogue: Catalogue | None,
    playlist: str | Path | Tracklist | Playlist | Sequence[str],
    title: str = "",
) -> tuple[Playlist, Catalogue]:
    """A playlist in the order that it has, and the catalogue: the playlist's own tracks where none is given."""
    if catalogue is not None:
        check_catalogue(catalogue)
    if isinstance(playlist, Playlist):
        found = playlist
        catalogue = playlist.tracks if catalogue is None else catalogue
    else:
        if isinstance(playlist, str | Path):
            playlist, catalogue = sources.open_playlist(playlist, catalogue=() if catalogue is None else catalogue)
        elif not isinstance(playlist, Tracklist):
            playlist = Tracklist("", [Entry(text, text=text) for text in playlist])
        if catalogue is None:
            catalogue = sources.open() if playlist.tracks is None else playlist.tracks
        if not len(playlist):
            raise DiscoError("the playlist has no tracks")
        found = match_tracklist(playlist, catalogue)
    return (replace(found, name=title) if title else found), catalogue
