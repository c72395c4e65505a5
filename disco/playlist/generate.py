"""Make a playlist in four steps: candidates, predict, choose, step on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from disco.catalogue import Catalogue, Filters, Rows
from disco.errors import DiscoError
from disco.models.predictors import PREDICTORS, Predictor, load_predictor
from disco.models.recommenders import Query, Recommender, default_recommender, load_recommender
from disco.models.scaler import quantile_match_notes, scaler
from disco.playlist.candidates import candidates_for, nothing_left_reason
from disco.playlist.cost import FlowCost, Knobs, PairwiseCost
from disco.playlist.duration import constraints_by_rows, kept, places_of, player, seconds, timed
from disco.playlist.mixing import Mixing
from disco.playlist.playlist import Playlist
from disco.playlist.sequence import PAIRWISE, SEQUENCERS, Constraints, PositionCosts, Rules

Choice = TypeVar("Choice")


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
    title: str = "",
    mixing: Mixing = Mixing(),  # noqa: B008 - frozen
    constraints: Constraints = Constraints(),  # noqa: B008 - frozen
    exclude: Rows | None = None,
    keep_positions: Sequence[int] | None = None,
    width: int | None = None,
) -> Playlist:
    """Make a playlist that begins with the seeds and flows on from them.

    Parameters
    ----------
    catalogue : Catalogue
    seeds : ndarray of rows
        Tracks to begin with; there may be none if the recommender reads titles, or needs neither. Then the best
        candidate comes first.
    length : int
        Tracks to add after the seeds.
    minutes : float, optional
        Instead of a length: add tracks until the whole comes as near as it can to so many minutes.
    candidates : int
        Tracks to choose from.
    recommender : str or Recommender, optional
        By default `default_recommender`'s choice.
    artist_gap : int
        Tracks between two by one artist: 1 means none in a row, 0 the published behaviour.
    title : str
        Name of the playlist; recommenders that read titles hear it too.
    mixing : Mixing
        Which keys go together, what half and double time are worth, how far tempos may change.
    constraints : Constraints
        Tracks at their places, an arc of energy, keys of the ends, randomness; rows are the catalogue's, and places
        count from the first seed's, which is 0.
    exclude : ndarray of rows, optional
        Tracks to leave out.
    keep_positions : sequence of int, optional
        Make the playlist again with the tracks that it has at these places, and others at the rest.
    width : int, optional
        Sequences that `beam` and `path` carry on side by side.

    Raises
    ------
    DiscoError
        If no track can follow the seeds, with the reason.
    """
    seeds = np.array(list(dict.fromkeys(int(row) for row in seeds)), dtype=np.intp)
    if width is not None and width < 1:
        raise DiscoError(f"a beam must be 1 or more wide, not {width}")
    if length < 0 or candidates < 1 or (minutes is not None and not 0 < minutes < math.inf):
        raise DiscoError("a playlist needs a length of 0 or more (or minutes above 0), and a candidate")
    if not len(seeds) and (length == 0 or not title.strip()):
        raise DiscoError("a playlist needs a seed, or a title and a length above 0")
    # 1 candidates
    recommend = load_recommender(recommender, catalogue) if isinstance(recommender, str) else recommender
    recommend = recommend or default_recommender(catalogue)
    ends = [row for row in (constraints.start_track, constraints.end_track) if row is not None]
    asked = np.array([row for _, row in constraints.pinned] + ends)
    allowed = catalogue.has_title_and_artist & filters.mask(catalogue)
    if exclude is not None:
        allowed[exclude] = False
    # What is to be come to belongs to the playlist too, so that candidates lie on the way.
    query = Query(np.array(list(dict.fromkeys([*seeds.tolist(), *asked.tolist()])), dtype=np.intp), title, allowed)
    found, finder, notes = candidates_for(catalogue, recommend, query, candidates, mixing)
    if not len(found.rows):
        raise DiscoError(nothing_left_reason(catalogue, filters, recommend, query))
    first = seeds if len(seeds) else found.rows[:1]
    added = length - (len(first) - len(seeds))
    held = np.setdiff1d(asked, first).astype(np.intp)
    # From here on there are only these and the other candidates, the latter in the catalogue's order: 0, 1, 2, ...
    rows = np.r_[first, held, np.setdiff1d(found.rows, np.r_[first, held])]
    few, begun = catalogue.take(rows), len(first) + len(held)
    start, pool = np.arange(len(first)), np.arange(len(first), len(few))
    # 2 predict, 3 choose, 4 step on: the sequencer asks the cost, the cost asks the predictor
    model = load_predictor(predictor) if isinstance(predictor, str) else predictor
    embeddings, rules = model.embed(few), Rules(few, artist_gap)
    cost: FlowCost | PairwiseCost = FlowCost(few, model, knobs, embeddings, mixing)
    if sequencer in PAIRWISE:
        cost = PairwiseCost(few, knobs, embeddings, mixing)
    wished = constraints_by_rows(constraints, {int(row): i for i, row in enumerate(rows)})
    ranked = np.r_[np.arange(len(first), begun), places_of(found.rows, rows, begun)]
    play = player(few, start, ranked, choose(SEQUENCERS, sequencer, "sequencer"), width, cost, rules, mixing)
    if minutes is None:
        path = play(added, wished, pool)
    else:
        path, added = timed(play, few, start, pool, wished, sequencer, minutes)
    if keep_positions is not None:
        stays, gone = kept(keep_positions, path, len(first))
        wished = replace(wished, pinned=tuple({**dict(wished.pinned), **stays}.items()))
        path = play(added, wished, np.setdiff1d(pool, gone))
    tracks = few.take(path)
    notes += quantile_match_notes(tracks, scaler().feature_set)
    if len(path) < len(first) + added:
        notes.append(
            f"only {len(path) - len(seeds)} of {len(first) + added - len(seeds)} tracks could be added: the rules "
            f"leave none of the {len(pool)} candidates; allow more with --candidates, --artist-gap 0 or fewer filters"
        )
    if minutes is not None and len(seeds) and (last := float(seconds(tracks)[: len(seeds)].sum())) > minutes * 60:
        notes.append(f"the seeds alone last {last / 60:.0f} min, longer than the {minutes:g} that were asked for")
    terms = cost.terms(path)
    places = PositionCosts(few, len(first) + added, wished, mixing.keys, sequencer == "order")
    notes += places.notes(path)
    notes += tempo_notes(tracks, mixing, len(first))
    return Playlist(
        name=title or f"From {tracks.table['title'][0].as_py() or tracks.table['track_id'][0].as_py()}",
        tracks=tracks,
        seeds=len(seeds),
        knobs=knobs,
        catalogue={"where": catalogue.where, "tracks": len(catalogue)},
        predictor=model.name,
        recommender=finder,
        sequencer=sequencer,
        terms=terms,
        notes=tuple(notes),
        mixing=mixing,
        arc=places.arc_energy,
    )


def tempo_notes(tracks: Catalogue, mixing: Mixing, begun: int = 1) -> list[str]:
    """A note if tracks in their order, those of the start left out, change tempo by more than was allowed."""
    tempos = tracks.tempos[max(begun, 1) - 1 :]
    broken = int(mixing.large_tempo_jumps(tempos[:-1], tempos[1:]).sum())
    limit = mixing.max_tempo_change
    return [f"{broken} transitions change the tempo by more than {limit:g} %: there were no others"] if broken else []


def choose(choices: dict[str, Choice], name: str, what: str) -> Choice:
    """One of several by its name; a wrong name is told which there are."""
    if name not in choices:
        raise DiscoError(f"there is no {what} {name!r}; there are: {', '.join(choices)}")
    return choices[name]
