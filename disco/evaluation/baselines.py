"""How others order a set of tracks: their costs of a join and their searches, told again from what they say.

Written anew from descriptions and published figures (September 2026); no program of theirs is in it.

*AudioMuse-AI* (NeptuneHub, tasks/playlist_ordering): nearest neighbour from the track at the lower quartile of
energy, by 0.35 tempo + 0.35 energy + 0.30 key. Tempo is the plain difference over 80 BPM, at most 1, octaves not
folded. Key is the steps between the *roots* on the circle of fifths over 6, times 0.8 in one mode: so C major to A
minor, its relative, is 0.5, and to C minor 0. Its energy spans 0.14; here, from 0 to 1, it spans 1.
*WrzDJ* (wrzonance, setbuilder): of 1 the keys get 1, 0.8 (one up or down, the other letter), 0.5 (two), or 0; tempos
1 within 2 BPM, falling to 0 at 20, half and double time 70 % of it. Tracks are filled in greedily by 0.30 energy to a
curve, 0.25 tempo, 0.20 key, 0.10 genre, 0.05 artist not heard before; then the worse track of the worst join changes
places with a later one, up to 50 times, as long as the mean of 0.35 tempo, 0.30 key, 0.20 mood, 0.15 other artist
grows. Its curve is flat here, at the tracks' middle, since no arc is asked of anybody; moods are unknown and count
the same for all.
*playlist-sorter* (stojg): keys 0, 1 (next, relative), 2 (parallel), 10 over 12; energy over its range, tempo (0.5x,
1x, 2x) over its greatest difference, same artist, same album, each times 0.5. A genetic algorithm: 100 orders,
tournaments of three, the best two stay, order crossover, 10 to 30 % mutated (pairs changed, a part turned), 15 %
immigrants, 2-opt on the best three at generation 50 and every 100 from there. It runs until stopped; here, 300
generations.
*reklawdbox* (ryan-voitiskis, set builder): keys 1, 0.9 (one), 0.8 (other letter), 0.5 (two), 0.4 (diagonal), 0.1;
tempos 1, 0.8, 0.5, 0.3, 0.1 up to 2, 4, 6, 8 BPM and beyond, octaves not folded; energy 1 where high (0.65) and
stable (0.1), as its flat curve wants, else 0.5; genre 1, 0.7 in one family, 0.3: weighed 0.30, 0.20, 0.18, 0.17.
Brightness and rhythm, which no table knows, are left out, as it does. A beam of 8 from the calmest track. What makes
one family is ours, coarser than its list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Catalogue, Floats, Rows
from disco.catalogue.numbering import album_numbers, artist_numbers, genre_numbers
from disco.playlist.cost import State
from disco.playlist.key_rules import UNKNOWN, key_index
from disco.playlist.sequence import beam, greedy
from disco.playlist.sequence.order import Order

Costs = NDArray[np.float64]
Search = Callable[["Tracks", Costs, np.random.Generator], Order]

# playlist-sorter's published parameters; the generations are ours.
POPULATION, TOURNAMENT, ELITE, IMMIGRANTS, GENERATIONS = 100, 3, 2, 15, 300
# WrzDJ's and reklawdbox's.
SWAPS, BEAM_WIDTH = 50, 8
_FAMILIES = ("house", "techno", "trance")


@dataclass(frozen=True, eq=False)
class Tracks:
    """What the rivals read of n tracks.

    Attributes
    ----------
    key : ndarray of int, shape (n,)
        Places in the tables of `keys`, `UNKNOWN` where unknown.
    tempo, energy : ndarray, shape (n,)
        NaN where unknown; energy is 0-1.
    artist, album, genre : ndarray of int, shape (n,)
        Numbers, -1 where unknown.
    family : ndarray of str, shape (n,)
        Of the genre; empty where it has none.
    space : ndarray, shape (n, 8)
        Scaled features.
    """

    key: NDArray[np.intp]
    tempo: Costs
    energy: Costs
    artist: NDArray[np.intp]
    album: NDArray[np.intp]
    genre: NDArray[np.intp]
    family: NDArray[np.str_]
    space: Floats

    def __len__(self) -> int:
        return len(self.key)


@dataclass(frozen=True)
class Baseline:
    """One way to order tracks.

    Attributes
    ----------
    cost : callable, optional
        What a join costs by it, shape (n, n) from the row to the column; None where it has no cost.
    search : callable
        Its own search, of the tracks, the cost and a generator: a permutation.
    weighs_all : bool
        Whether its cost has terms for key, tempo and sound, all three.
    """

    cost: Callable[[Tracks], Costs] | None
    search: Search
    weighs_all: bool = False


def baseline_tracks(few: Catalogue, space: Floats) -> Tracks:
    """What the rivals read of a catalogue of few tracks, and where these lie in the space of scaled features."""
    first = [(genres or [""])[0].lower().replace("-", " ") for genres in few.table["genres"].to_pylist()]
    family = [next((name for name in _FAMILIES if name in genre.split()), "") for genre in first]
    return Tracks(
        key=key_index(few.numbers("key"), few.modes).astype(np.intp),
        tempo=few.tempos.astype(float),
        energy=few.numbers("energy").astype(float),
        artist=artist_numbers(few),
        album=album_numbers(few),
        genre=genre_numbers(few),
        family=np.array(family, dtype=np.str_),
        space=space,
    )


def _camelot_steps(tracks: Tracks) -> tuple[NDArray[np.intp], NDArray[np.bool_], NDArray[np.bool_]]:
    """Steps on the Camelot wheel, 0-6, whether the letter is the same, whether both keys are known: (n, n) each."""
    number, minor = tracks.key % 12, tracks.key // 12
    apart = np.abs(number[:, None] - number[None, :])
    known = tracks.key != UNKNOWN
    return np.minimum(apart, 12 - apart), minor[:, None] == minor[None, :], known[:, None] & known[None, :]


def _absolute_differences(values: Costs) -> Costs:
    """Absolute differences, shape (n, n), NaN where either is unknown."""
    return np.asarray(np.abs(values[:, None] - values[None, :]))


def _same_number(numbers: NDArray[np.intp]) -> NDArray[np.bool_]:
    return np.asarray((numbers[:, None] == numbers[None, :]) & (numbers >= 0)[:, None])


def audiomuse(tracks: Tracks) -> Costs:
    """AudioMuse-AI's distance, 0-1."""
    # The root of a minor key stands three fifths above its relative major.
    minor = tracks.key // 12
    root = (tracks.key % 12 + 3 * minor) % 12
    apart = np.abs(root[:, None] - root[None, :])
    key = np.minimum(apart, 12 - apart) / 6 * np.where(minor[:, None] == minor[None, :], 0.8, 1)
    key = np.where(_camelot_steps(tracks)[2], key, 0.5)
    tempo = np.minimum(_absolute_differences(np.nan_to_num(tracks.tempo)) / 80, 1)
    energy = np.minimum(_absolute_differences(np.nan_to_num(tracks.energy)), 1)
    return np.asarray(0.35 * tempo + 0.35 * energy + 0.30 * key)


def _wrzdj_key(tracks: Tracks) -> Costs:
    steps, letter, known = _camelot_steps(tracks)
    near = np.select(
        [letter & (steps == 0), (steps == 0) | (letter & (steps == 1)), letter & (steps == 2)], [1, 0.8, 0.5]
    )
    return np.asarray(np.where(known, near, 0.0))


def _wrzdj_tempo(tracks: Tracks) -> Costs:
    a, b = tracks.tempo[:, None], tracks.tempo[None, :]
    plain, other = np.abs(b - a), np.minimum(np.abs(b - a / 2), np.abs(b - 2 * a))
    near = 1 - np.clip((np.minimum(plain, other) - 2) / 18, 0, 1)
    return np.where(np.isnan(plain), 0.5, np.where(other < plain, 0.7 * near, near))


def wrzdj(tracks: Tracks) -> Costs:
    """1 less WrzDJ's transition score, with moods unknown."""
    score = 0.35 * _wrzdj_tempo(tracks) + 0.30 * _wrzdj_key(tracks) + 0.20 * 0.5 + 0.15 * ~_same_number(tracks.artist)
    return np.asarray(1 - score)


def playlist_sorter(tracks: Tracks) -> Costs:
    """playlist-sorter's fitness of a join, lower is better; it divides the whole by n - 1, which changes nothing."""
    steps, letter, known = _camelot_steps(tracks)
    # The parallel key is three steps away: from C major, 8B, to C minor, 5A.
    number, minor = tracks.key % 12, tracks.key // 12
    up = (number[None, :] - number[:, None]) % 12
    parallel = np.where(minor[:, None] == 0, up == 9, up == 3) & ~letter
    key = np.select([letter & (steps == 0), (steps == 0) | (letter & (steps == 1)), parallel], [0, 1, 2], 10)
    key = np.where(known, key, 10) / 12
    a, b = tracks.tempo[:, None], tracks.tempo[None, :]
    ways = [np.abs(a - b), np.abs(a / 2 - b), np.abs(a - b / 2), np.abs(2 * a - b), np.abs(a - 2 * b)]
    tempo = np.nan_to_num(np.min(ways, axis=0))
    energy = np.nan_to_num(_absolute_differences(tracks.energy))
    parts = [
        key,
        energy / max(energy.max(), 1e-9),
        tempo / max(tempo.max(), 1e-9),
        _same_number(tracks.artist),
        _same_number(tracks.album),
    ]
    return np.asarray(0.5 * np.sum(parts, axis=0))


def reklawdbox(tracks: Tracks) -> Costs:
    """1 less reklawdbox's composite score on its flat curve; not the same both ways."""
    steps, letter, known = _camelot_steps(tracks)
    moves = [letter & (steps == 0), letter & (steps == 1), steps == 0, letter & (steps == 2), steps == 1]
    key = np.where(known, np.select(moves, [1, 0.9, 0.8, 0.5, 0.4], 0.1), 0.5)
    apart = _absolute_differences(tracks.tempo)
    tempo = np.select([apart <= 2, apart <= 4, apart <= 6, apart <= 8], [1, 0.8, 0.5, 0.3], 0.1)
    tempo = np.where(np.isnan(apart), 0.5, tempo)
    energy = np.where((tracks.energy >= 0.65)[None, :] & (_absolute_differences(tracks.energy) <= 0.1), 1.0, 0.5)
    family = (tracks.family[:, None] == tracks.family[None, :]) & (tracks.family != "")[:, None]
    genre = np.select([_same_number(tracks.genre), family], [1, 0.7], 0.3)
    genre = np.where((tracks.genre < 0)[:, None] | (tracks.genre < 0)[None, :], 0.5, genre)
    return np.asarray(1 - (0.30 * key + 0.20 * tempo + 0.18 * energy + 0.17 * genre) / 0.85)


def feature_distance(tracks: Tracks) -> Costs:
    """Distance of features alone."""
    squared = ((tracks.space[:, None, :].astype(float) - tracks.space[None, :, :]) ** 2).sum(axis=2)
    return np.asarray(np.sqrt(np.nan_to_num(squared)))


class _TransitionCosts:
    """Costs of joins as the sequencers read them."""

    pairwise = True

    def __init__(self, joins: Costs) -> None:
        self._joins = joins

    def start(self, path: Rows) -> State:
        """After a path."""
        return self.step(None, path, np.asarray(path[-1:], dtype=np.intp))

    def step(self, state: State | None, parents: Rows, rows: Rows) -> State:
        """After these rows; what was before does not matter."""
        return State(rows, np.empty((len(rows), 0), np.float32), np.empty((len(rows), 0), np.float32))

    def costs(self, state: State, options: Rows) -> Floats:
        """Of each option after each last track, shape (beams, options)."""
        return self._joins[np.ix_(state.last, options)].astype(np.float32)

    def lookahead_cost(self, options: Rows) -> Floats:
        """Nothing: rivals do not ask what may come after the next track."""
        return np.zeros(len(options), dtype=np.float32)

    def terms(self, path: Rows) -> dict[str, Floats]:
        """The cost alone."""
        return {"cost": self._joins[path[:-1], path[1:]].astype(np.float32)}


def _nearest_neighbour(joins: Costs, first: int, width: int = 1) -> Order:
    """To the nearest that is left, again and again, with so many sequences side by side."""
    pool, start = np.delete(np.arange(len(joins)), first), np.array([first])
    if width == 1:
        return greedy(start, pool, len(pool), _TransitionCosts(joins), _not_yet_played)
    return beam(start, pool, len(pool), _TransitionCosts(joins), _not_yet_played, width=width)


def _not_yet_played(path: object, row: int) -> bool:
    """Sequencers play nothing of a pool twice by themselves but for the rules: there are no others here."""
    return row not in path  # type: ignore[operator]


def _from_lower_quartile(tracks: Tracks, joins: Costs, rng: np.random.Generator) -> Order:
    calm = np.argsort(np.nan_to_num(tracks.energy), kind="stable")
    return _nearest_neighbour(joins, int(calm[len(calm) // 4]))


def _from_lowest_energy(tracks: Tracks, joins: Costs, rng: np.random.Generator) -> Order:
    return _nearest_neighbour(joins, int(np.argmin(np.nan_to_num(tracks.energy, nan=np.inf))), BEAM_WIDTH)


def _from_first_track(tracks: Tracks, joins: Costs, rng: np.random.Generator) -> Order:
    return _nearest_neighbour(joins, 0)


def _greedy_with_swaps(tracks: Tracks, joins: Costs, rng: np.random.Generator) -> Order:
    """WrzDJ's greedy fill, and its swaps."""
    n = len(tracks)
    energy = np.where(np.isnan(tracks.energy), 0.5, 10 * tracks.energy)
    target = float(np.nanmean(10 * tracks.energy)) if not np.isnan(tracks.energy).all() else 0.0
    match = np.where(np.isnan(tracks.energy), 0.5, np.maximum(0, 1 - np.abs(energy - target) / 10))
    same, artists = _same_number(tracks.genre), _same_number(tracks.artist)
    genre = np.where((tracks.genre < 0)[:, None] | (tracks.genre < 0)[None, :], 0.5, same)
    follow = 0.25 * _wrzdj_tempo(tracks) + 0.20 * _wrzdj_key(tracks) + 0.10 * genre
    order: list[int] = []
    left, score = np.ones(n, dtype=bool), np.zeros(n)
    for _ in range(n):
        played = np.array(order, dtype=np.intp)
        heard, recent = artists[:, played].any(axis=1), artists[:, played[-3:]].any(axis=1)
        score = 0.30 * match + 0.05 * np.where(recent, 0, np.where(heard, 0.5, 1))
        if order:
            score = score + follow[order[-1]]
        order.append(int(np.where(left, score, -np.inf).argmax()))
        left[order[-1]] = False
    found = np.array(order, dtype=np.intp)
    for _ in range(SWAPS):
        costs = joins[found[:-1], found[1:]]
        if not len(costs):
            break
        worst = int(costs.argmax()) + 1
        tried = np.repeat(found[None, :], n - worst - 1, axis=0)
        others = np.arange(worst + 1, n)
        tried[np.arange(len(others)), others], tried[:, worst] = found[worst], found[others]
        better = np.flatnonzero(_order_costs(joins, tried) < costs.sum() - 1e-5 * len(costs))
        if not len(better):
            break
        found = tried[better[0]]
    return found


def _order_costs(joins: Costs, orders: Order) -> Costs:
    return np.asarray(joins[orders[:, :-1], orders[:, 1:]].sum(axis=1))


def two_opt(joins: Costs, order: Order) -> Order:
    """An order that turning no part of it betters; the costs are the same both ways."""
    n = len(order)
    first, last = np.triu_indices(n, 1)
    framed = np.zeros((n + 2, n + 2))
    while True:
        framed[1:-1, 1:-1] = joins[np.ix_(order, order)]
        on = np.diagonal(framed, 1)
        change = framed[first, last + 1] + framed[first + 1, last + 2] - on[first] - on[last + 1]
        best = int(change.argmin())
        if change[best] > -1e-10:
            return order
        order = order.copy()
        order[first[best] : last[best] + 1] = order[first[best] : last[best] + 1][::-1].copy()


def order_crossover(one: Order, two: Order, rng: np.random.Generator) -> Order:
    """Order crossover of m pairs, shape (m, n): a part of one, and the rest after it as it comes in the other."""
    m, n = one.shape
    cuts = np.sort(rng.integers(n, size=(m, 2)), axis=1)
    # Both turned so that what comes after the part is first, and the part itself last.
    turned = (cuts[:, 1:] + 1 + np.arange(n)) % n
    one_turned, two_turned = (np.take_along_axis(parent, turned, axis=1) for parent in (one, two))
    kept = cuts[:, 1:] - cuts[:, :1] + 1
    held = np.zeros((m, n), dtype=bool)
    np.put_along_axis(held, one_turned, np.arange(n) >= n - kept, axis=1)
    rest = np.argsort(np.take_along_axis(held, two_turned, axis=1), axis=1, kind="stable")
    filled = np.where(np.arange(n) < n - kept, np.take_along_axis(two_turned, rest, axis=1), one_turned)
    children = np.empty_like(one)
    np.put_along_axis(children, turned, filled, axis=1)
    return children


def genetic_search(tracks: Tracks, joins: Costs, rng: np.random.Generator) -> Order:
    """playlist-sorter's genetic algorithm with 2-opt."""
    n = len(tracks)
    by = [np.arange(n), np.argsort(tracks.energy, kind="stable"), np.argsort(tracks.tempo, kind="stable")]
    by.append(np.lexsort((tracks.key // 12, tracks.key % 12)))
    shuffled = rng.permuted(np.tile(np.arange(n), (POPULATION - len(by), 1)), axis=1)
    now = np.r_[np.array(by), shuffled]
    best: Order = now[0].copy()
    least, stuck = np.inf, 0
    for generation in range(GENERATIONS):
        costs: Costs = _order_costs(joins, now)
        rank = np.argsort(costs, kind="stable")
        now, costs = now[rank], costs[rank]
        if generation % 100 == 50:
            for i in range(3):
                now[i] = two_opt(joins, now[i])
            costs[:3] = _order_costs(joins, now[:3])
        leader = int(costs.argmin())
        stuck = 0 if costs[leader] < least - 1e-12 else stuck + 1
        if not stuck:
            best, least = now[leader].copy(), float(costs[leader])
        now[-IMMIGRANTS:] = now[0]
        for order in now[-IMMIGRANTS:]:
            _swap_pairs(order, max(3, n // 10), rng)
        costs[-IMMIGRANTS:] = _order_costs(joins, now[-IMMIGRANTS:])
        drawn = rng.integers(POPULATION, size=(POPULATION - ELITE, TOURNAMENT))
        parents = now[drawn[np.arange(len(drawn)), costs[drawn].argmin(axis=1)]]
        one, two = parents[::2], parents[1::2]
        children = np.stack([order_crossover(one, two, rng), order_crossover(two, one, rng)], axis=1).reshape(-1, n)
        rate = min(0.3, 0.1 + stuck / 100 * 0.2)
        for i in np.flatnonzero(rng.random(len(children)) < rate).tolist():
            if rng.random() < 0.5:
                _swap_pairs(children[i], int(rng.integers(2, 6)), rng)
            else:
                low, high = sorted(rng.integers(n, size=2).tolist())
                part = slice(low, high + 1)
                children[i, part] = children[i, part][::-1].copy()
        now = np.r_[now[:ELITE], children]
    return best


def _swap_pairs(order: Order, times: int, rng: np.random.Generator) -> None:
    """Pairs of tracks, drawn so many times, change places."""
    for a, b in rng.integers(len(order), size=(times, 2)):
        order[a], order[b] = order[b], order[a]


BASELINES: dict[str, Baseline] = {
    "random": Baseline(None, lambda tracks, joins, rng: rng.permutation(len(tracks))),
    "by tempo": Baseline(
        lambda t: np.nan_to_num(_absolute_differences(t.tempo)),
        lambda t, joins, rng: np.argsort(t.tempo, kind="stable"),
    ),
    "by energy": Baseline(
        lambda t: np.nan_to_num(_absolute_differences(t.energy)),
        lambda t, joins, rng: np.argsort(t.energy, kind="stable"),
    ),
    "nearest neighbour": Baseline(feature_distance, _from_first_track),
    "AudioMuse-AI": Baseline(audiomuse, _from_lower_quartile, weighs_all=True),
    "WrzDJ": Baseline(wrzdj, _greedy_with_swaps, weighs_all=True),
    "playlist-sorter": Baseline(playlist_sorter, genetic_search, weighs_all=True),
    "reklawdbox": Baseline(reklawdbox, _from_lowest_energy, weighs_all=True),
}
