"""Generate a playlist in four steps: gather candidates, predict the next vector, choose the next track, step on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from disco.catalogue import Catalogue, Filters, Rows
from disco.errors import DiscoError
from disco.models.music import MusicSpace
from disco.models.predictors import PREDICTORS, Predictor, load_predictor
from disco.models.recommenders import Recommender, default_recommender, load_recommender
from disco.models.scaler import quantile_match_notes, scaler
from disco.playlist.candidates import gather
from disco.playlist.cost import FlowCost, Knobs, PairwiseCost
from disco.playlist.duration import Selector, fit_duration, replace_others, seconds
from disco.playlist.mixing import Mixing
from disco.playlist.playlist import Playlist, Surroundings
from disco.playlist.sequence import PAIRWISE, SEQUENCERS, Constraints, PositionCosts, Rules
from disco.playlist.sequence.beam import MOST_WIDTH
from disco.playlist.sequence.rules import NEIGHBOURS

Choice = TypeVar("Choice")

# Ten weeks; more can only be a slip.
MOST_MINUTES = 100_000


def generate(
    catalogue: Catalogue,
    seeds: Rows,
    *,
    length: int = 10,
    minutes: float | None = None,
    candidates: int = 400,
    knobs: Knobs = Knobs(),  # noqa: B008 - frozen
    predictor: str | Predictor = PREDICTORS[0],
    recommender: str | Recommender | None = None,
    sequencer: str = "beam",
    filters: Filters = Filters(),  # noqa: B008 - frozen
    artist_gap: int = 1,
    max_per_artist: int = 0,
    title: str = "",
    mixing: Mixing = Mixing(),  # noqa: B008 - frozen
    constraints: Constraints = Constraints(),  # noqa: B008 - frozen
    exclude: Rows | None = None,
    keep_positions: Sequence[int] | None = None,
    width: int | None = None,
    relevance: float = 0.0,
) -> Playlist:
    """Generate a playlist that begins with the seeds and flows on from them.

    Parameters
    ----------
    catalogue : Catalogue
        The tracks to choose from.
    seeds : ndarray of rows
        Tracks that come first; none if the recommender reads titles, then the best candidate comes first.
    length : int
        Number of tracks after the seeds.
    minutes : float, optional
        Total duration instead of a length.
    candidates : int
        Number of candidates to choose from.
    knobs : Knobs
        Weights of the terms in the cost.
    predictor : str or Predictor
        Model that predicts the next vector.
    recommender : str or Recommender, optional
        Method that finds the candidates; by default the choice of `default_recommender`.
    sequencer : str
        Method that chooses tracks: one of `SEQUENCERS`.
    filters : Filters
        Which tracks may be candidates.
    artist_gap : int
        Tracks between two by one artist: 1 means none in a row; 0, the published behaviour, allows everything.
    max_per_artist : int
        Tracks by one artist among any 13 neighbouring ones, where enough others can be played; 0 allows all.
    title : str
        Name of the playlist; some recommenders read it.
    mixing : Mixing
        How keys and tempos are judged.
    constraints : Constraints
        Pinned tracks, an arc of energy, keys of the ends, randomness. Rows are those of the catalogue; positions
        count from 0, the first seed.
    exclude : ndarray of rows, optional
        Tracks to leave out.
    keep_positions : sequence of int, optional
        Positions whose tracks stay when the playlist is generated once more; the other tracks are excluded.
    width : int, optional
        Sequences that beam, path and walk keep side by side.
    relevance : float
        Weight of the recommender's ranking: what a candidate costs more for each hundred that are ranked before it.
        Not part of the cost that is reported.

    Returns
    -------
    Playlist

    Raises
    ------
    DiscoError
        If no track can follow the seeds, with the reason.

    Notes
    -----
    With the predictor `classic`, the recommender `nearest`, the sequencer `greedy` and an artist gap of 0 this is the
    published method (taylorhawks, RNN-music-recommender).

    Examples
    --------
    >>> import disco
    >>> catalogue = disco.open()
    >>> playlist = generate(catalogue, catalogue.rows(["demo-00001"]), length=4)
    >>> len(playlist), playlist.seeds
    (5, 1)
    """
    seeds = np.array(list(dict.fromkeys(int(row) for row in seeds)), dtype=np.intp)
    _check(len(seeds), length, minutes, candidates, title, width)
    if max_per_artist < 0:
        raise DiscoError(f"the tracks by one artist must be 0 (all) or more, not {max_per_artist}")
    if not 0 <= relevance < math.inf:
        raise DiscoError(f"the relevance must be 0 or more, not {relevance}")
    choose(SEQUENCERS, sequencer, "sequencer")
    # 1. Gather candidates.
    recommender = load_recommender(recommender, catalogue) if isinstance(recommender, str) else recommender
    pool = gather(
        catalogue, seeds, recommender or default_recommender(catalogue), candidates,
        filters=filters, exclude=exclude, title=title, constraints=constraints, mixing=mixing,
    )  # fmt: skip
    # 2. Predict the next vector: the cost asks the predictor, unless it measures from track to track.
    model = load_predictor(predictor) if isinstance(predictor, str) else predictor
    embeddings = pool.once("embeddings", model, lambda: model.embed(pool.tracks))
    cost: FlowCost | PairwiseCost = FlowCost(pool.tracks, model, knobs, embeddings, mixing, title)
    if sequencer in PAIRWISE:
        cost = PairwiseCost(pool.tracks, knobs, embeddings, mixing)
    unknown = pool.once("notes", model, lambda: _notes_on_seeds(model, pool.tracks.take(pool.start[: len(seeds)])))
    # 3. Choose the next track, and 4. step on, until there are enough.
    select = Selector(pool, sequencer, cost, Rules(pool.tracks, artist_gap, max_per_artist), width, relevance)
    length -= len(pool.start) - len(seeds)
    order, length = (select(length), length) if minutes is None else fit_duration(select, minutes)
    constraints = pool.constraints
    if keep_positions is not None:
        order, constraints = replace_others(select, order, keep_positions, length)
    tracks, position_costs = pool.tracks.take(order), select.position_costs(length, constraints)
    return Playlist(
        name=title or f"From {tracks.column('title')[0].as_py() or tracks.column('track_id')[0].as_py()}",
        tracks=tracks,
        seeds=len(seeds),
        knobs=knobs,
        catalogue={"where": catalogue.where, "tracks": len(catalogue)},
        predictor=model.name,
        recommender=pool.recommender,
        sequencer=sequencer,
        terms=cost.terms(order),
        notes=(
            *pool.notes,
            *unknown,
            *_notes(select, order, tracks, len(seeds), length, minutes, position_costs),
        ),
        mixing=mixing,
        arc=position_costs.arc_energy,
        surroundings=Surroundings(pool.tracks, embeddings, order, pool.ranks),
    )


def _notes_on_seeds(model: Predictor, seeds: Catalogue) -> list[str]:
    return model.notes(seeds) if isinstance(model, MusicSpace) else []


def tempo_notes(tracks: Catalogue, mixing: Mixing, start: int = 1) -> list[str]:
    """A note if tracks in their order, those of the start left out, change tempo by more than is allowed."""
    tempos = tracks.tempos[max(start, 1) - 1 :]
    jumps = int(mixing.large_tempo_jumps(tempos[:-1], tempos[1:]).sum())
    limit = mixing.max_tempo_change
    return [f"{jumps} transitions change the tempo by more than {limit:g} %: there were no others"] if jumps else []


def key_notes(tracks: Catalogue, mixing: Mixing, start: int = 1) -> list[str]:
    """A note if keys of tracks in their order, those of the start left out, clash and clashes are to be avoided."""
    if not mixing.avoid_clashes:
        return []
    before, after, _ = mixing.sounding_keys(tracks)
    clashes = int(mixing.key_clashes(before, after)[max(start, 1) - 1 :].sum())
    return [f"{clashes} transitions clash in key: there were no others"] if clashes else []


def choose(choices: dict[str, Choice], name: str, what: str) -> Choice:
    """One of several by its name; the message about a wrong name lists them.

    Examples
    --------
    >>> choose({"greedy": 1, "beam": 2}, "beam", "sequencer")
    2
    """
    if name not in choices:
        raise DiscoError(f"there is no {what} {name!r}; there are: {', '.join(choices)}")
    return choices[name]


def _check(seeds: int, length: int, minutes: float | None, candidates: int, title: str, width: int | None) -> None:
    if width is not None and not 1 <= width <= MOST_WIDTH:
        raise DiscoError(f"a beam must be from 1 to {MOST_WIDTH:,} wide, not {width}")
    if length < 0 or candidates < 1 or (minutes is not None and not 0 < minutes <= MOST_MINUTES):
        raise DiscoError(
            f"a playlist needs a length of 0 or more (or minutes from above 0 to {MOST_MINUTES:,}), and a candidate"
        )
    if not seeds and (length == 0 or not title.strip()):
        raise DiscoError("a playlist needs a seed, or a title and a length above 0")


def _notes(
    select: Selector,
    order: Rows,
    tracks: Catalogue,
    seeds: int,
    length: int,
    minutes: float | None,
    position_costs: PositionCosts,
) -> list[str]:
    """What the user should know of a playlist, in sentences."""
    start, mixing = len(select.pool.start), select.cost.mixing
    notes = quantile_match_notes(tracks, scaler().feature_set)
    if len(order) < start + length:
        added, wanted, pool = len(order) - seeds, start + length - seeds, len(select.pool.candidates)
        notes.append(
            f"only {added} of {wanted} tracks could be added: the rules leave none of {pool} candidates; allow more "
            "with --candidates, --artist-gap 0 or fewer filters"
        )
    given = {*range(start), *position_costs.pinned.values()}
    if excess := select.rules.artist_excess(order, given):
        notes.append(
            f"{excess} of {NEIGHBOURS} neighbouring tracks are by one artist, more than "
            f"{select.rules.max_per_artist}: with fewer the playlist would be shorter"
        )
    if minutes is not None and seeds and (total := float(seconds(tracks)[:seeds].sum())) > minutes * 60:
        notes.append(f"the seeds alone last {total / 60:.0f} min, longer than the {minutes:g} that were asked for")
    return [
        *notes,
        *position_costs.notes(order),
        *tempo_notes(tracks, mixing, start),
        *key_notes(tracks, mixing, start),
    ]
