"""The next track of DJs among many: what they really played next, among 400 of their collection or of a catalogue.

*Cases.* A transition counts if the track that came next is in the pool, and the pool has enough others. All options,
the true one too, are rows of the same table, so that what is known of a track does not tell which one it is. The
others are drawn at random, with a fixed seed, from one of three pools:

- `of the DJ's collection`: songs of the same DJ's other sets, with known keys and tempos;
- `of the catalogue`: all tracks of the catalogue, where entries of sets have the id of one;
- `of other sets`: those tracks of the catalogue that other sets of the same kind have. It is harder: being music that
  DJs play, or popular, distinguishes no option.

What was played so far in the set is in no pool.

*Terms.* `MANY_TERMS`, by weights of a conditional logit (see `choice_fit`). What is not known of an option counts as
the mean of the other options.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from disco.catalogue import Catalogue, Floats, Rows
from disco.catalogue.music import tempo_octaves
from disco.catalogue.numbering import artist_numbers
from disco.evaluation.dj_costs import SetTracks, costs_to_compare, set_tracks, style_parts
from disco.evaluation.dj_ranks import dj_numbers, importance_of, records
from disco.evaluation.dj_sets import Cases, DjSet, DjSets, songs_of
from disco.models.card import find_model
from disco.models.music import load_music
from disco.playlist.choice_fit import Choices, Fit, fit_choices, held_out
from disco.playlist.key_rules import UNKNOWN, key_index
from disco.playlist.styles import CARDS, DJ, load_style, read_card

Values = NDArray[np.float64]

# Options of a case, the true one included: as many as `disco evaluate next-track` ranks.
MANY = 400
# Cases of a kind and a pool, drawn: other programs compare all options of each, which takes time.
MOST_CASES = 500
# Options of a case in a fit: fewer, drawn at random, lead to the same weights, only less sure (McFadden 1978).
_FITTED_OPTIONS = 100
# Parts of the options of a case in which other programs compare each track with each.
_PARTS = 8
COLLECTION, WHOLE, OTHER_SETS = "the DJ's collection", "the catalogue", "other sets"
STYLE, NEXT, LAST, ARTIST, PRIOR, TEMPO, ENERGY = MANY_TERMS = (
    "keys and tempos by the style",
    "music: near what comes next",
    "music: near the last track",
    "artist was played",
    "music: in many playlists",
    "tempo unlike the set's",
    "energy unlike the set's",
)
# What music the model knows to belong together, and what is known without it.
MUSIC_TERMS = (NEXT, PRIOR)
SOUND_TERMS = (STYLE, TEMPO, ENERGY)


@dataclass(frozen=True, eq=False)
class ManyCases:
    """Cases with many options each, and what was played before.

    Attributes
    ----------
    name : str
        Of the pool.
    tracks : Catalogue
        Entries of the sets, then the catalogue.
    cases : Cases
        By rows of `tracks`.
    before : list of ndarray of rows
        What was played so far in the set of each case, as entries; the last of them is the one before the choice.
    """

    name: str
    tracks: Catalogue
    cases: Cases
    before: list[Rows]


@dataclass(frozen=True, eq=False)
class Known:
    """What is known of the tracks of `ManyCases`, beside keys and tempos.

    Attributes
    ----------
    points, expected : ndarray, shape (n, size), (entries, size)
        Of the tracks in the space of the model `music`, and where it expects the next track after each entry.
    priors : ndarray, shape (n,)
        How likely a track is in any playlist, in nats times a factor of the model.
    """

    points: Floats
    expected: Floats
    priors: Floats


def with_catalogue(read: DjSets, catalogue: Catalogue | None) -> tuple[Catalogue, Rows]:
    """Entries of sets and tracks of a catalogue in one table, and the row there of each entry's track, or -1."""
    if catalogue is None:
        return read.tracks, np.full(len(read.tracks), -1)
    names = read.tracks.table.column_names
    tables = [read.tracks.table, catalogue.table.select(names).cast(read.tracks.table.schema)]
    ids = read.tracks.column("path")
    found = pc.fill_null(pc.index_in(ids, value_set=catalogue.table["track_id"]), -1)
    rows = found.to_numpy().astype(np.intp)
    return Catalogue(pa.concat_tables(tables), catalogue.where), np.where(rows < 0, -1, rows + len(read.tracks))


def collection_cases(read: DjSets, tracks: Catalogue, seed: int = 0, many: int = MANY) -> ManyCases:
    """Cases among songs of the same DJ's other sets; a song stands in its first entry with known key and tempo."""
    rows = np.arange(len(read.tracks))
    known = (key_index(read.tracks.numbers("key"), read.tracks.modes) != UNKNOWN) & ~np.isnan(read.tracks.tempos)
    songs = songs_of(read.tracks)
    first: dict[tuple[str, str], int] = {}
    by_dj: dict[str, Counter[str]] = defaultdict(Counter)
    own: list[set[str]] = []
    for one in read.sets:
        here = [row for row in one.rows.tolist() if known[row]]
        for row in here:
            first.setdefault((one.dj, songs[row]), row)
        own.append({songs[row] for row in here})
        by_dj[one.dj].update(own[-1])
    stands = np.full(len(rows), -1)
    for one in read.sets:
        stands[one.rows] = [first.get((one.dj, songs[row]), -1) for row in one.rows.tolist()]

    def pool(number: int) -> Rows:
        one = read.sets[number]
        counts = by_dj[one.dj]
        return np.array([first[one.dj, s] for s, n in counts.items() if n > (s in own[number])], dtype=np.intp)

    return _draw(COLLECTION, read, tracks, stands, pool, seed, many)


def catalogue_cases(
    read: DjSets, tracks: Catalogue, rows: Rows, *, other_sets: bool = False, seed: int = 0, many: int = MANY
) -> ManyCases:
    """Cases among all tracks of the catalogue, or among those that other sets of the kind have.

    Parameters
    ----------
    read, tracks, rows
        As `with_catalogue` gives them.
    other_sets : bool
    seed, many : int
    """
    everything = np.arange(len(read.tracks), len(tracks))
    of_kind: dict[str, Counter[int]] = defaultdict(Counter)
    own = [set(rows[one.rows].tolist()) - {-1} for one in read.sets]
    for one, here in zip(read.sets, own, strict=True):
        of_kind[one.kind].update(here)

    def pool(number: int) -> Rows:
        if not other_sets:
            return everything
        counts = of_kind[read.sets[number].kind]
        return np.array([row for row, n in counts.items() if n > (row in own[number])], dtype=np.intp)

    return _draw(OTHER_SETS if other_sets else WHOLE, read, tracks, rows, pool, seed, many)


def _draw(
    name: str,
    read: DjSets,
    tracks: Catalogue,
    stands: Rows,
    pool: Callable[[int], Rows],
    seed: int,
    many: int,
) -> ManyCases:
    """Cases whose options are drawn from a pool; `stands` is the row in pools of each entry, -1 for none."""
    rng = np.random.default_rng(seed)
    by_kind: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for number, one in enumerate(read.sets):
        follows = (np.diff(one.positions) == 1) & (stands[one.rows[1:]] >= 0)
        by_kind[one.kind] += [(number, i) for i in np.flatnonzero(follows).tolist()]
    last, options, numbers, before = [], [], [], []
    for kind in sorted(by_kind):
        at = np.sort(rng.permutation(len(by_kind[kind]))[:MOST_CASES])
        pools: dict[int, Rows] = {}
        for number, i in (by_kind[kind][j] for j in at):
            if number not in pools:
                pools = {number: np.sort(pool(number))}
            one, others = read.sets[number], pools[number]
            played = one.rows[: i + 1]
            true = stands[one.rows[i + 1]]
            out = np.r_[true, stands[played]]
            if len(others) < many or true in stands[played]:
                continue
            drawn = rng.choice(others, min(many + len(out), len(others)), replace=False)
            drawn = drawn[~np.isin(drawn, out)][: many - 1]
            if len(drawn) < many - 1:
                continue
            last.append(stands[played[-1]] if stands[played[-1]] >= 0 else played[-1])
            options.append(np.r_[true, drawn])
            numbers.append(number)
            before.append(played)
    cases = Cases(
        np.array(last, dtype=np.intp),
        np.concatenate([np.empty(0, dtype=np.intp), *options]),
        np.full(len(last), many),
        np.array(numbers, dtype=np.intp),
    )
    return ManyCases(name, tracks, cases, before)


def known_of(sets: Sequence[DjSet], entries: int, tracks: Catalogue, rows: Rows) -> Known:
    """What the shipped model `music` knows of tracks, and where it expects the next after each entry.

    Parameters
    ----------
    sets : sequence of DjSet
    entries : int
        The first so many tracks are entries of sets.
    tracks, rows
        As `with_catalogue` gives them.
    """
    space = load_music(find_model("music"))
    points, priors = space.place(tracks)
    here = rows[:entries] >= 0
    points[:entries][here], priors[:entries][here] = points[rows[:entries][here]], priors[rows[:entries][here]]
    expected = np.full((entries, space.size), np.nan, dtype=np.float32)
    for one in sets:
        state = space.start(1)
        vector = None
        for row in one.rows.tolist():
            if not np.isnan(points[row]).any():
                vector, state = space.step(points[row][None] * space.scale, state)
            if vector is not None:
                expected[row] = vector[0] / space.scale
    return Known(points, expected, priors)


def many_terms(drawn: ManyCases, known: Known, style: Values) -> Values:
    """Terms of the options of all cases, shape (options, terms) in the order of `MANY_TERMS`.

    Parameters
    ----------
    drawn : ManyCases
    known : Known
    style : ndarray, shape (options,)
        What keys and tempos of the options are worth, in nats.
    """
    cases, tracks = drawn.cases, drawn.tracks
    artists, tempos = artist_numbers(tracks), tracks.tempos.astype(float)
    energies = tracks.numbers("energy").astype(float)
    found = np.zeros((len(cases.options), len(MANY_TERMS)))
    ends = np.cumsum(cases.sizes)
    for case, (before, end) in enumerate(zip(drawn.before, ends.tolist(), strict=True)):
        part = slice(end - int(cases.sizes[case]), end)
        options = cases.options[part]
        points = known.points[options].astype(float)
        # Highest inner product less half the squared norm: nearest, up to what all options share.
        less = (points**2).sum(axis=1) / 2
        terms = {STYLE: style[part], PRIOR: known.priors[options]}
        terms[NEXT] = points @ known.expected[before[-1]] - less
        terms[LAST] = points @ known.points[before[-1]] - less
        played = artists[before]
        terms[ARTIST] = np.isin(artists[options], played[played >= 0]).astype(float)
        so_far = np.r_[before, cases.last[case]]
        middle = np.nanmedian(tempos[so_far]) if np.isfinite(tempos[so_far]).any() else np.nan
        terms[TEMPO] = np.abs(tempo_octaves(np.full(len(options), middle), tempos[options]))
        mean = np.nanmean(energies[so_far]) if np.isfinite(energies[so_far]).any() else np.nan
        terms[ENERGY] = np.abs(energies[options] - mean)
        found[part] = np.stack([_filled(terms[name]) for name in MANY_TERMS], axis=1)
    return found


def popularity(drawn: ManyCases) -> Values:
    """Popularity of the options by the catalogue's column, shape (options,); unknown is the mean of the case."""
    values = drawn.tracks.numbers("popularity").astype(float)[drawn.cases.options]
    ends = np.cumsum(drawn.cases.sizes)[:-1]
    return np.concatenate([_filled(part) for part in np.split(values, ends)]) if len(values) else values


def many_pools(read: DjSets, catalogue: Catalogue | None, seed: int = 0) -> tuple[list[ManyCases], Known]:
    """The cases of every pool that has any, and what is known of their tracks."""
    tracks, rows = with_catalogue(read, catalogue)
    pools = [collection_cases(read, tracks, seed)]
    if catalogue is not None:
        pools += [catalogue_cases(read, tracks, rows, other_sets=other, seed=seed) for other in (False, True)]
    pools = [drawn for drawn in pools if len(drawn.cases)]
    entries = len(read.tracks)
    used = {number for drawn in pools for number in drawn.cases.number.tolist()}
    return pools, known_of([read.sets[number] for number in sorted(used)], entries, tracks, rows)


def fit_many(terms: Values, names: Sequence[str], read: DjSets, cases: Cases) -> Fit:
    """Weights of some of the terms, fitted to all cases."""
    return fit_choices(_choices(terms, names, cases), importance_of(read, cases))


def many_records(read: DjSets, catalogue: Catalogue | None, seed: int = 0) -> list[dict[str, Any]]:
    """Records of every cost for each kind of set and each pool, as those of `dj`.

    Parameters
    ----------
    read : DjSets
    catalogue : Catalogue, optional
        Without one only the DJs' collections are pools.
    seed : int
        Of what is drawn, and of the intervals.

    Returns
    -------
    list of dict
        Beside the costs of `dj`: popularity by the catalogue's column; `music`, what the model expects next and how
        many playlists have it; the style with the terms of sound, and with all terms. Those by the weights on the
        style's card are `dj with ...`; those `DJs left out` were fitted on the sets of other DJs in the file.
    """
    pools, known = many_pools(read, catalogue, seed)
    if not pools:
        return []
    tracks = set_tracks(pools[0].tracks)
    shipped = read_card(CARDS / f"{DJ}.json").get("among_many", {})
    made: list[dict[str, Any]] = []
    for drawn in pools:
        cases = drawn.cases
        alone, parts = _parts(cases, 1), _parts(cases, _PARTS)
        terms = many_terms(drawn, known, style_values(tracks, cases))
        # Its largest differences, by which it divides, are those of all options; the others compare two tracks.
        whole = ("playlist-sorter", "playlist-sorter README")
        compared = costs_to_compare().items()
        costs = {name: cost(tracks, alone if name in whole else parts) for name, cost in compared}
        costs |= {"popularity": -popularity(drawn), DJ: -terms[:, MANY_TERMS.index(STYLE)]}
        costs["music"] = -_columns(terms, MUSIC_TERMS).sum(axis=1)
        djs, importance = dj_numbers(read, cases), importance_of(read, cases)
        for name, names in (("sound", SOUND_TERMS), ("sound and music", MANY_TERMS)):
            if weights := shipped.get(drawn.name, {}).get(name):
                costs[f"{DJ} with {name}"] = -_columns(terms, names) @ [weights[one]["weight"] for one in names]
            if len(np.unique(djs)) > 1:
                fitted = held_out(_choices(terms, names, cases), djs, importance)
                values = (_columns(terms, names) * np.repeat(fitted, cases.sizes, axis=0)).sum(axis=1)
                costs[f"{DJ} with {name}, fitted, DJs left out"] = -values
        for name, values in costs.items():
            made += records(name, values, read, cases, seed, f" among {MANY} of {drawn.name}")
    return made


def _parts(cases: Cases, n: int) -> Cases:
    """The same options, those of each case in n parts of their own, whose costs are found much faster."""
    sizes = np.full(n * len(cases), MANY // n)
    return Cases(np.repeat(cases.last, n), cases.options, sizes, np.arange(n * len(cases)))


def style_values(tracks: SetTracks, cases: Cases) -> Values:
    """What keys and tempos of options are worth in the style of DJs, in nats, shape (options,)."""
    style = load_style(DJ)
    assert style is not None  # noqa: S101 - it is shipped
    key, tempo = style_parts(style, tracks, cases)
    return (key + tempo) / style.scale


def _columns(terms: Values, names: Sequence[str]) -> Values:
    return terms[:, [MANY_TERMS.index(name) for name in names]]


def _choices(terms: Values, names: Sequence[str], cases: Cases) -> Choices:
    """Choices with some of the terms and the first of the options, which are the true one and others at random."""
    few = np.minimum(cases.sizes, _FITTED_OPTIONS)
    place = np.arange(len(terms)) - np.repeat(np.cumsum(cases.sizes) - cases.sizes, cases.sizes)
    return Choices(_columns(terms, names)[place < np.repeat(few, cases.sizes)], few)


def _filled(values: Any) -> Values:
    """The values, unknown ones the mean of the others, 0 where none is known."""
    values = np.asarray(values, dtype=float)
    ok = np.isfinite(values)
    return np.where(ok, values, values[ok].mean() if ok.any() else 0.0)
