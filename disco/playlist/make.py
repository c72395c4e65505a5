"""`disco.make`: a playlist from words, by the names and defaults of `disco generate`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from disco.catalogue import Catalogue, Filters, Rows
from disco.catalogue.lookup import Choose
from disco.errors import DiscoError
from disco.models.predictors import PREDICTORS, Predictor, load_predictor
from disco.models.recommenders import Recommender, default_recommender, load_recommender
from disco.playlist.alternatives import alternatives
from disco.playlist.cost import Knobs
from disco.playlist.generate import generate
from disco.playlist.key_moves import compatible_filters, keys_after
from disco.playlist.mixing import FOR_NEW_PLAYLISTS, Mixing
from disco.playlist.parsing import (
    parse_arc,
    parse_bpm,
    parse_duration,
    parse_key_name,
    parse_pins,
    parse_positions,
    parse_tempo_arc,
    parse_tempo_change,
)
from disco.playlist.played import played_rows
from disco.playlist.playlist import Playlist
from disco.playlist.sequence import Constraints
from disco.sources.tracklist import Tracklist

# Texts that mean tracks, or rows of the catalogue.
Seeds = str | Sequence[str] | Rows
# Weight of the rank of a candidate, so that those that belong best are played, not those at the far end.
# Chosen on validation playlists: 0 finds 10 of 100 tracks, 1 finds 16, more no more (docs/research/experiments.md).
RELEVANCE = 1.0
# The published method: `disco.make(catalogue, seeds, **PUBLISHED)`.
PUBLISHED: dict[str, Any] = {
    "predictor": "classic",
    "recommender": "nearest",
    "sequencer": "greedy",
    "artist_gap": 0,
    "relevance": 0.0,
    "max_per_artist": 0,
    "max_tempo_change": None,
    "avoid_clashes": False,
    "style": "published",
    **{"flow": 1.0, "spicyness": 1.2, "sweetness": 1.0, "smoothness": 1.0},
}

# Options of the example: a set of thirteen artists, since the demo has only about eleven a genre.
EXAMPLE: dict[str, Any] = {"max_per_artist": 1}


def make(
    catalogue: Catalogue,
    seeds: Seeds = (),
    *,
    length: int = 10,
    minutes: float | None = None,
    title: str = "",
    flow: float = Knobs.flow,
    spicyness: float = Knobs.spicyness,
    sweetness: float = Knobs.sweetness,
    smoothness: float = Knobs.smoothness,
    relevance: float = RELEVANCE,
    artist_gap: int = 1,
    max_per_artist: int = 3,
    candidates: int = 400,
    predictor: str | Predictor = PREDICTORS[0],
    recommender: str | Recommender | None = None,
    sequencer: str = "beam",
    width: int | None = None,
    key_rule: str = Mixing.key_rule,
    energy_boost: bool = Mixing.energy_boost,
    half_time_weight: float = Mixing.half_time_weight,
    style: str = Mixing.style,
    max_tempo_change: float | str | None = FOR_NEW_PLAYLISTS.max_tempo_change,
    avoid_clashes: bool = FOR_NEW_PLAYLISTS.avoid_clashes,
    pitch: float | None = Mixing.pitch,
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
    randomness: float = Constraints.randomness,
    random_seed: int = Constraints.random_seed,
    include: str | Sequence[str] = Filters.include,
    exclude: str | Sequence[str] = Filters.exclude,
    bpm: str | tuple[float, float] | None = Filters.bpm,
    duration: str | tuple[float, float] | None = Filters.seconds,
    explicit: bool = Filters.explicit,
    exclude_playlist: str | Path | Tracklist | Sequence[str | Path | Tracklist] = (),
    compatible_with: str | None = None,
    unplayed: bool = False,
    not_played_since: str | date | None = None,
    choose: Choose | None = None,
) -> Playlist:
    """Make a playlist that begins with the seeds and flows on from them.

    Parameters
    ----------
    catalogue : Catalogue
        The tracks to choose from; see `disco.open`.
    seeds : str, sequence of str, or rows
        Tracks to begin with: title and artist in any order and roughly spelt, ids, Spotify links, or rows of the
        catalogue.
    length : int
        Tracks to add after the seeds.
    minutes : float, optional
        Total duration of the playlist, instead of a length.
    title : str
        Name of the playlist; some recommenders read it.
    flow, spicyness, sweetness, smoothness : float
        The knobs; see `disco.Knobs`.
    relevance : float
        Weight of the recommender's ranking of the candidates beside flow, sweetness and smoothness. A candidate costs
        so much more for each hundred that are ranked before it.
    artist_gap : int
        Tracks between two by the same artist; 0 allows two in a row.
    max_per_artist : int
        Most tracks by one artist among any 13 in a row, where there are enough others; 0 allows all. Seeds count.
    candidates : int
        Number of candidates to choose from.
    predictor : str or Predictor
        Model that predicts the next track: a name, or a model's folder.
    recommender : str or Recommender, optional
        Method that finds candidates: a name, or a model's folder. By default the best that knows the catalogue.
    sequencer : str
        Method that chooses tracks: greedy, beam, order, path or walk.
    width : int, optional
        Sequences that beam, path and walk keep at each step. By default 16 for beam, 32 for the others.
    key_rule, energy_boost, half_time_weight, style, pitch
        How transitions are judged; see `disco.Mixing`.
    max_tempo_change : float or "none"
        Per cent by which the tempo may change from track to track where there are others, or none for any change.
        Half and double time are folded unless their weight is 0.
    avoid_clashes : bool
        Let keys that the key rule does not allow follow each other only where there are no others.
    end_track : str, optional
        Last track.
    pin : sequence of str, or dict of int to str
        Track at a fixed position, as "5=girlfriend is better". In Python also {5: "girlfriend is better"}.
    keep_positions : str or sequence of int, optional
        Positions whose tracks stay while the others are chosen anew, as 1-4,6-10.
    arc : str or sequence of float, optional
        Energy over the playlist: flat, warm-up, peak, wave, cool-down, or heights from 0 to 1 such as 0.2,0.9,0.4.
    arc_weight : float
        Weight of the arc.
    start_key : str, optional
        Key of the first track, as 8A, Am or 1m.
    end_key : str, optional
        Key of the last track.
    tempo_arc : str or sequence of float, optional
        Tempo over the playlist in BPM, as 118,126,122.
    tempo_arc_weight : float
        Weight of the arc of tempo: what a track 10 per cent away from it costs.
    max_tempo_drift : float, optional
        Per cent by which the tempo of any track may differ from that of the first. Half and double time are folded
        unless their weight is 0.
    randomness : float
        Largest random amount added to each cost, for other good playlists than the best.
    random_seed : int
        Seed of the randomness; the same seed gives the same playlist.
    include : str or sequence of str
        Only tracks with a text in a column, as genre=techno or key=8A,7A. Columns are genre, artist, title, album,
        id and key.
    exclude : str or sequence of str
        No tracks with a text in a column, as genre=polka.
    bpm : str or (float, float), optional
        Lowest and highest tempo, as 118-126.
    duration : str or (float, float), optional
        Shortest and longest track, as 2:00-6:30 or 90-400 (seconds).
    explicit : bool
        Allow tracks with explicit lyrics.
    exclude_playlist : str, Path or sequence of these
        Playlist files whose tracks are left out.
    compatible_with : str, optional
        Only tracks in keys that go together with this track's.
    unplayed : bool
        Only tracks that you have never played, as far as `disco learn` knows.
    not_played_since : str or date, optional
        Only tracks that you have not played for some time, as 30d, 4w, 6m or 1y, or since a date.
    choose : callable, optional
        Picks one of several tracks that a text may mean; see `Catalogue.find`.

    Returns
    -------
    Playlist

    Raises
    ------
    DiscoError
        If a value means nothing, a seed is not found, or no track can follow.

    Examples
    --------
    >>> import disco
    >>> playlist = disco.make(disco.open(), ["sunday night staircase"], length=3)
    >>> len(playlist)
    4
    """
    check_catalogue(catalogue)
    rows = find_rows(catalogue, seeds, choose)

    def row(text: str) -> int:
        return int(find_rows(catalogue, text, choose)[0])

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
        keys = keys_after(catalogue, row(compatible_with), mixing.keys)
        filters = compatible_filters(filters, keys, compatible_with)
    played, played_notes = played_rows(catalogue, unplayed, not_played_since)
    excluded = _rows_of(exclude_playlist, catalogue)
    playlist = generate(
        catalogue,
        rows,
        length=length,
        minutes=minutes,
        candidates=candidates,
        knobs=Knobs(flow, spicyness, sweetness, smoothness),
        predictor=predictor,
        recommender=recommender,
        sequencer=sequencer,
        filters=filters,
        artist_gap=artist_gap,
        max_per_artist=max_per_artist,
        title=title,
        mixing=mixing,
        constraints=Constraints(
            pinned=parse_pins(pin, row),
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
        exclude=played if excluded is None else np.union1d(excluded, played),
        keep_positions=None if keep_positions is None else parse_positions(keep_positions),
        width=width,
        relevance=relevance,
    )
    return replace(playlist, notes=(*played_notes, *playlist.notes)) if played_notes else playlist


def make_alternatives(n: int, catalogue: Catalogue, seeds: Seeds = (), **options: Any) -> list[Playlist]:
    """Make playlists that differ from each other in at least 3 of 10 transitions.

    Parameters
    ----------
    n : int
        How many; fewer come back if so many that differ are not found.
    catalogue, seeds, **options
        As for `make`.

    Examples
    --------
    >>> import disco
    >>> first, second = make_alternatives(2, disco.open(), "sunday night staircase", length=5)
    >>> first.tracks.column("track_id") == second.tracks.column("track_id")
    False
    """
    check_catalogue(catalogue)
    choose = options.pop("choose", None)

    def track_id(text: str) -> str:
        return catalogue.ids(find_rows(catalogue, text, choose))[0]

    # Looked up and loaded once, however many are made.
    ids = catalogue.ids(find_rows(catalogue, seeds, choose))
    for given in ("end_track", "compatible_with"):
        if options.get(given) is not None:
            options[given] = track_id(options[given])
    pinned = parse_pins(options.pop("pin", ()), lambda text: int(find_rows(catalogue, text, choose)[0]))
    options["pin"] = {position + 1: catalogue.ids(np.array([row]))[0] for position, row in pinned}
    name = options.get("recommender")
    if name is None or isinstance(name, str):
        options["recommender"] = load_recommender(name, catalogue) if name else default_recommender(catalogue)
    if isinstance(options.get("predictor", PREDICTORS[0]), str):
        options["predictor"] = load_predictor(options.get("predictor", PREDICTORS[0]))
    return repeat(n, lambda **changed: make(catalogue, ids, **options | changed), options)


def repeat(n: int, call: Callable[..., Any], options: Mapping[str, Any]) -> list[Any]:
    """Playlists of a call that is repeated with more and more `randomness` and other seeds; see `alternatives`."""
    names = ("randomness", "random_seed")
    first = Constraints(**{name: options[name] for name in names if name in options})
    return alternatives(lambda now: call(randomness=now.randomness, random_seed=now.random_seed), first, n)


def check_catalogue(catalogue: object) -> None:
    """Refuse what is no catalogue with a sentence that says how to get one."""
    if not isinstance(catalogue, Catalogue):
        raise DiscoError(f"{catalogue!r} is no catalogue; open it first: disco.open({catalogue!r})")


def find_rows(catalogue: Catalogue, tracks: Seeds, choose: Choose | None = None) -> Rows:
    """Rows of the tracks that texts mean; rows stay what they are."""
    found: list[int] = []
    tracks = [tracks] if isinstance(tracks, str) else tracks
    texts = iter(catalogue.find(*(track for track in tracks if isinstance(track, str)), choose=choose).tolist())
    for track in tracks:
        if isinstance(track, str):
            found.append(next(texts))
        elif isinstance(track, int | np.integer) and 0 <= track < len(catalogue):
            found.append(int(track))
        else:
            raise DiscoError(f"{track!r} names no track; write title and artist, an id or a link as text")
    return np.array(found, dtype=np.intp)


def texts_of(conditions: str | Sequence[str]) -> tuple[str, ...]:
    """Conditions of filters as a tuple, of which there may be one alone."""
    return (conditions,) if isinstance(conditions, str) else tuple(conditions)


def _rows_of(files: str | Path | Tracklist | Sequence[str | Path | Tracklist], catalogue: Catalogue) -> Rows | None:
    """Rows of the tracks of playlist files; None without files."""
    several = [files] if isinstance(files, str | Path | Tracklist) else files
    if not several:
        return None
    from disco.sources import playlist_files  # imports every source

    lists = [file if isinstance(file, Tracklist) else playlist_files.read(Path(file)) for file in several]
    return np.unique(np.concatenate([tracklist.rows(catalogue) for tracklist in lists]))
