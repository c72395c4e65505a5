"""Playlist: tracks in an order, and why they stand in it. `generate` makes one in the four steps."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np

from disco.catalogue import Catalogue, Filters, Floats, Rows
from disco.errors import DiscoError
from disco.mixing import Mixing
from disco.model import matched_notes, scaler
from disco.music import camelot
from disco.playing import kept, places_of, player, seconds, timed, wishes_of
from disco.predict import PREDICTORS, Predictor, load_predictor
from disco.recommend import Candidates, Query, Recommender, akin, default_recommender, load_recommender
from disco.sequence import PAIRWISE, SEQUENCERS, Places, Rules, Wishes
from disco.transition import Flow, Knobs, Pairwise

# The variety that alternatives begin with: less than what most joins cost, and enough to move some.
_LITTLE_VARIETY = 0.5
# Share of joins that two alternatives may have in common.
_MOST_IN_COMMON = 0.7

Choice = TypeVar("Choice")
Made = TypeVar("Made")


@dataclass(frozen=True)
class Playlist:
    """Tracks in playing order with the terms of every join.

    Attributes
    ----------
    name : str
    tracks : Catalogue
        The tracks alone, in playing order.
    seeds : int
        How many of the first tracks were given.
    knobs : Knobs
    catalogue : dict
        `where` the tracks are from, and how many `tracks` there are.
    predictor, recommender, sequencer : str
        Names of what made it.
    terms : dict of ndarray, shape (n - 1,)
        Of each join: `cost`, `distance`, `key_similarity`, `tempo_similarity`, and `tempo_change` in per
        cent with half and double time folded; NaN where unknown.
    notes : tuple of str
        What its maker should tell the listener, in sentences.
    mixing : Mixing
        What the key and tempo similarities are.
    arc : ndarray, optional
        Energy that was asked for at each place, shape (n,) or shorter; None where no arc was.
    """

    name: str
    tracks: Catalogue
    seeds: int
    knobs: Knobs
    catalogue: dict[str, Any]
    predictor: str
    recommender: str
    sequencer: str
    terms: dict[str, Floats]
    notes: tuple[str, ...] = ()
    mixing: Mixing = Mixing()  # noqa: RUF009 - frozen
    arc: Floats | None = None

    def __len__(self) -> int:
        return len(self.tracks)

    def as_dict(self) -> dict[str, Any]:
        """The playlist as one JSON object; `join` tells how a track follows the one before it."""
        return {
            "name": self.name,
            "knobs": asdict(self.knobs),
            "catalogue": self.catalogue,
            "predictor": self.predictor,
            "recommender": self.recommender,
            "sequencer": self.sequencer,
            **({} if self.mixing == Mixing() else {"mixing": asdict(self.mixing)}),
            "tracks": [
                {
                    "position": i + 1,
                    "seed": i < self.seeds,
                    "id": track["track_id"],
                    "title": track["title"],
                    "artist": ", ".join(track["artists"] or []) or None,
                    "camelot": key_name(track),
                    "key": track["key"],
                    "mode": track["mode"],
                    "tempo_bpm": _rounded(track["tempo_bpm"], 2),
                    "duration_ms": track["duration_ms"],
                    "join": self._join(i) if i else None,
                }
                for i, track in enumerate(self.tracks.table.to_pylist())
            ],
        }

    def _join(self, i: int) -> dict[str, float | None]:
        names = ("cost", "distance", "key_similarity", "tempo_similarity")
        return {name: _rounded(float(self.terms[name][i - 1]), 4) for name in names}


def key_name(track: dict[str, Any]) -> str | None:
    """Camelot name of a track's key, None where unknown."""
    known = track["key"] is not None and track["mode"] is not None
    return camelot(track["key"], track["mode"]) if known else None


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
    wishes: Wishes = Wishes(),  # noqa: B008 - frozen
    without: Rows | None = None,
    keep: Sequence[int] | None = None,
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
    wishes : Wishes
        Tracks at their places, an arc of energy, keys of the ends, variety; rows are the catalogue's, and places
        count from the first seed's, which is 0.
    without : ndarray of rows, optional
        Tracks to leave out.
    keep : sequence of int, optional
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
    asked = np.array(
        [row for _, row in wishes.held] + [row for row in (wishes.first, wishes.last) if row is not None]
    )
    allowed = catalogue.named & filters.mask(catalogue)
    if without is not None:
        allowed[without] = False
    # What is to be come to belongs to the playlist too, so that candidates lie on the way.
    query = Query(np.array(list(dict.fromkeys([*seeds.tolist(), *asked.tolist()])), dtype=np.intp), title, allowed)
    found, finder, notes = candidates_for(catalogue, recommend, query, candidates, mixing)
    if not len(found.rows):
        raise DiscoError(_why_nothing(catalogue, filters, recommend, query))
    first = seeds if len(seeds) else found.rows[:1]
    added = length - (len(first) - len(seeds))
    held = np.setdiff1d(asked, first).astype(np.intp)
    # From here on there are only these and the other candidates, the latter in the catalogue's order: 0, 1, 2, ...
    rows = np.r_[first, held, np.setdiff1d(found.rows, np.r_[first, held])]
    few, begun = catalogue.take(rows), len(first) + len(held)
    start, pool = np.arange(len(first)), np.arange(len(first), len(few))
    # 2 predict, 3 choose, 4 step on: the sequencer asks the cost, the cost asks the predictor
    model = load_predictor(predictor) if isinstance(predictor, str) else predictor
    space, rules = model.embed(few), Rules(few, artist_gap)
    cost: Flow | Pairwise = Flow(few, model, knobs, space, mixing)
    if sequencer in PAIRWISE:
        cost = Pairwise(few, knobs, space, mixing)
    wished = wishes_of(wishes, {int(row): i for i, row in enumerate(rows)})
    ranked = np.r_[np.arange(len(first), begun), places_of(found.rows, rows, begun)]
    play = player(few, start, ranked, choose(SEQUENCERS, sequencer, "sequencer"), width, cost, rules, mixing)
    if minutes is None:
        path = play(added, wished, pool)
    else:
        path, added = timed(play, few, start, pool, wished, sequencer, minutes)
    if keep is not None:
        stays, gone = kept(keep, path, len(first))
        wished = replace(wished, held=tuple({**dict(wished.held), **stays}.items()))
        path = play(added, wished, np.setdiff1d(pool, gone))
    tracks = few.take(path)
    notes += matched_notes(tracks, scaler().feature_set)
    if len(path) < len(first) + added:
        notes.append(
            f"only {len(path) - len(seeds)} of {len(first) + added - len(seeds)} tracks could be added: the rules "
            f"leave none of the {len(pool)} candidates; allow more with --candidates, --artist-gap 0 or fewer filters"
        )
    if minutes is not None and len(seeds) and (last := float(seconds(tracks)[: len(seeds)].sum())) > minutes * 60:
        notes.append(f"the seeds alone last {last / 60:.0f} min, longer than the {minutes:g} that were asked for")
    terms = cost.terms(path)
    places = Places(few, len(first) + added, wished, mixing.keys, sequencer == "order")
    notes += places.notes(path)
    notes += too_far(tracks, mixing, len(first))
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
        arc=places.asked,
    )


def candidates_for(
    catalogue: Catalogue, recommender: Recommender, query: Query, n: int, mixing: Mixing
) -> tuple[Candidates, str, list[str]]:
    """What a recommender finds, filled up by key and tempo with tracks without features; who found it, and notes.

    Where the seeds have no features and the recommender has nothing to say, all that may be played is open.
    """
    found, notes = recommender.recommend(query, n), []
    allowed = np.ones(len(catalogue), dtype=bool) if query.allowed is None else query.allowed.copy()
    if unnamed := int(len(catalogue) - catalogue.named.sum()):
        notes.append(f"{unnamed:,} of {len(catalogue):,} tracks skipped: no title or artist")
    allowed[query.seeds] = allowed[found.rows] = False
    if not len(query.seeds):
        return found, recommender.name, notes
    silent = allowed & ~catalogue.heard
    if not len(found.rows) and not catalogue.heard[query.seeds].any():
        silent = allowed
    if not silent.any():
        return found, recommender.name, notes
    if len(found.rows) >= n:
        notes.append(f"{silent.sum():,} tracks without features are no candidates: {n:,} others have some")
        return found, recommender.name, notes
    more = akin.akin(catalogue, query.seeds, silent, n - len(found.rows), mixing)
    if len(found.rows):
        notes.append(
            f"{len(more):,} of {len(found.rows) + len(more):,} candidates have no features: by key and tempo"
        )
    else:
        notes.append(f"without features (acousticness ... valence): {len(more):,} candidates by key and tempo alone")
    worst = found.scores.min() if len(found.rows) else 0
    scores = np.r_[found.scores, np.full(len(more), worst)].astype(np.float32)
    return Candidates(np.r_[found.rows, more], scores), recommender.name if len(found.rows) else akin.NAME, notes


def alternatives(
    make: Callable[[Wishes], Made], wishes: Wishes, n: int, playlist: Callable[[Made], Playlist]
) -> list[Made]:
    """What is made of wishes, and others that differ from it and from each other in three of ten joins or more.

    Parameters
    ----------
    make : callable
        Asked with more and more variety, each time with another seed.
    wishes : Wishes
        Of the first one.
    n : int
        How many in all; fewer come back when so many that differ are not found.
    playlist : callable
        The playlist in what was made.
    """
    if n < 1:
        raise DiscoError(f"there must be at least one alternative, not {n}")
    found = [make(wishes)]
    variety = max(wishes.variety, _LITTLE_VARIETY)
    # A quarter more each time reaches, after 20, 86 times the least: then the noise outweighs every cost.
    for i in range(1, 1 if n == 1 else 21):
        made = make(replace(wishes, variety=variety, seed=wishes.seed + i))
        if all(_in_common(playlist(made), playlist(other)) <= _MOST_IN_COMMON for other in found):
            found.append(made)
        if len(found) == n:
            break
        variety *= 1.25
    return found


def too_far(tracks: Catalogue, mixing: Mixing, begun: int = 1) -> list[str]:
    """A note if tracks in their order, those of the start left out, change tempo by more than was allowed."""
    tempos = tracks.tempos[max(begun, 1) - 1 :]
    broken = int(mixing.too_far(tempos[:-1], tempos[1:]).sum())
    limit = mixing.max_bpm_change
    return [f"{broken} joins change the tempo by more than {limit:g} %: there were no others"] if broken else []


def choose(choices: dict[str, Choice], name: str, what: str) -> Choice:
    """One of several by its name; a wrong name is told which there are."""
    if name not in choices:
        raise DiscoError(f"there is no {what} {name!r}; there are: {', '.join(choices)}")
    return choices[name]


def _in_common(one: Playlist, other: Playlist) -> float:
    """Share of the joins of one that the other has too, in either direction; those between seeds do not count."""
    sets = []
    for playlist in (one, other):
        ids = playlist.tracks.table["track_id"].to_pylist()[max(playlist.seeds - 1, 0) :]
        sets.append({frozenset(pair) for pair in pairwise(ids)})
    return len(sets[0] & sets[1]) / max(len(sets[0]), 1)


def _why_nothing(catalogue: Catalogue, filters: Filters, recommender: Recommender, query: Query) -> str:
    if not filters.mask(catalogue).any():
        return "the filters leave no track; loosen --only, --exclude, --bpm, --duration or --no-explicit"
    if not len(recommender.recommend(Query(query.seeds, query.title), 1).rows):
        return unanswered(recommender, query)
    return "no other track with a title and an artist is left to choose from"


def unanswered(recommender: Recommender, query: Query) -> str:
    """Why a recommender has no candidate for a query, and what to do."""
    if len(query.seeds):
        return f"{recommender.name} knows none of the seeds; name others, or another --recommender"
    if not recommender.reads_titles:
        return f"{recommender.name} reads no titles; name seeds, or a --recommender that reads them"
    return f"{recommender.name} can say nothing of the title alone; name seeds, or another title"


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None or math.isnan(value) else round(value, digits)
