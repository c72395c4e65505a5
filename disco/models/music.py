"""The model `music`: what playlists taught about songs, artists, genres and words of titles, in one space.

A track's point comes from all that is known of it: vectors of its song, artist and genres by name, features, key,
tempo and popularity. Any of them may be missing. A song that the model does not know is placed by its artist and
genres, an artist that it does not know by genres and sound. A recurrent network says where the next track lies;
candidates are the tracks with the highest inner product with that point, less half their squared norm (which orders
them as their distance does), plus a prior: how likely the track is in any playlist.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Catalogue, Floats, Rows
from disco.models.card import Card, load_card
from disco.models.files import file_array
from disco.models.names import NamedTracks, NameVectors, look_up, name_hashes, name_inputs, other_releases
from disco.models.network import Network, load_network
from disco.models.scaler import Scaler, scaler
from disco.models.title_words import parts_of_word, tokens
from disco.models.track_inputs import tower_inputs
from disco.sources.progress import Count

# Tracks that the tower places at a time: few enough that their inputs stay in the processor's cache.
_BATCH = 2048
# Tracks of a part, where a catalogue is placed in parts: their points take 128 MB, inputs and names five times that.
_PART = 500_000
_PLACED = "tracks placed among what belongs together"
# Words of a title that are read, as in training.
MAX_WORDS = 8
# Nats that a release loses where the catalogue has the one that playlists have: enough that it comes behind it.
_OTHER_RELEASE = 4.0


@dataclass(frozen=True)
class MusicSpace:
    """A predictor in the space that `music` learned; see `disco.models.recommenders.music` for its candidates.

    Attributes
    ----------
    card : Card
    tower, network : Network
        From what is known of a track to its point and prior; from a track and a state to the point of the next.
    scaler : Scaler
    names, words : NameVectors
        Of songs, artists and genres, the tower's inputs; of words of titles, points of the space.
    """

    card: Card
    tower: Network
    network: Network
    scaler: Scaler
    names: NameVectors
    words: NameVectors
    predicts_features: bool = False

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.card.name

    @property
    def scale(self) -> np.float32:
        """Factor of the distances, chosen so that they weigh well against keys and tempos with all knobs at 1."""
        return np.float32(self.card["space_scale"])

    @property
    def size(self) -> int:
        """Number of components of a point."""
        return int(self.card["network"]["inputs"]["inputs"])

    def place(self, catalogue: Catalogue) -> tuple[Floats, Floats]:
        """Points of the tracks before scaling, and their priors.

        Returns
        -------
        points : ndarray, shape (n, size)
            NaN for tracks of which nothing is known.
        priors : ndarray, shape (n,)
            In nats, times the card's `prior_scale`; NaN for the same tracks.
        """
        # Arrow, NumPy's loops and the networks, each on one thread, release the interpreter lock.
        with ThreadPoolExecutor() as threads:
            later = threads.submit(self._numbers, catalogue) if len(catalogue) > _BATCH else None
            named = look_up(self.names, catalogue)
            numbers = later.result() if later else self._numbers(catalogue)
            placed = self._start_placing(catalogue, named, numbers, threads, Count(len(catalogue), _PLACED))
            others = other_releases(self.names, named.songs, catalogue)
            points, priors = placed()
        priors[others] -= _OTHER_RELEASE
        return points, priors

    def place_in_parts(self, catalogue: Catalogue, size: int = _PART) -> Iterator[tuple[slice, Floats, Floats]]:
        """The same for some tracks after the other, for catalogues whose points as float32 would take gigabytes.

        Parameters
        ----------
        catalogue : Catalogue
        size : int
            Tracks of a part.

        Yields
        ------
        rows : slice
        points, priors : ndarray, shapes (rows, size) and (rows,)
        """
        if len(catalogue) <= size:
            yield slice(0, len(catalogue)), *self.place(catalogue)
            return
        rows = [np.arange(start, min(start + size, len(catalogue))) for start in range(0, len(catalogue), size)]
        named = [look_up(self.names, catalogue.take(some)) for some in rows]
        others = other_releases(self.names, np.concatenate([each.songs for each in named]), catalogue)
        count = Count(len(catalogue), _PLACED)
        with ThreadPoolExecutor() as threads:
            for some, names in zip(rows, named, strict=True):
                part = slice(int(some[0]), int(some[-1]) + 1)
                tracks = catalogue.take(some)
                points, priors = self._start_placing(tracks, names, self._numbers(tracks), threads, count)()
                priors[others[part]] -= _OTHER_RELEASE
                yield part, points, priors

    def _numbers(self, catalogue: Catalogue) -> Floats:
        return tower_inputs(catalogue, self.card["inputs"], self.scaler, np.ones(len(catalogue), dtype=bool))

    def _start_placing(
        self, catalogue: Catalogue, named: NamedTracks, numbers: Floats, threads: ThreadPoolExecutor, count: Count
    ) -> Callable[[], tuple[Floats, Floats]]:
        """Start to place tracks in threads; what is given back waits for them, and has points and priors."""
        known = catalogue.has_any_feature | (named.songs >= 0) | (named.artists >= 0) | (named.n_genres > 0)
        points = np.full((len(catalogue), self.size), np.nan, dtype=np.float32)
        priors = np.full(len(catalogue), np.nan, dtype=np.float32)
        rows = np.flatnonzero(known)

        def run(start: int) -> int:
            some = rows[start : start + _BATCH]
            placed = self.tower(inputs=name_inputs(self.names.take, named, numbers, some))
            points[some], priors[some] = placed["vector"], placed["prior"][:, 0]
            return len(some)

        starts = range(0, len(rows), _BATCH)
        running = threads.map(run, starts) if len(starts) > 1 else map(run, [0])

        def wait() -> tuple[Floats, Floats]:
            count.add(len(catalogue) - len(rows))
            for n in running:
                count.add(n)
            songs = named.songs
            of_songs = np.where(songs >= 0, self.names.priors[songs] if len(self.names.priors) else 0, 0)
            np.add(priors, of_songs, out=priors)
            # Of these the prior tells the popularity of a genre, which would draw any playlist towards pop.
            priors[(songs < 0) & (named.artists < 0) & known] = self.card["unfamiliar_prior"]
            np.multiply(priors, np.float32(self.card["prior_scale"]), out=priors)
            return points, priors

        return wait

    def embed(self, catalogue: Catalogue) -> Floats:
        """Points of the tracks, shape (n, size); NaN for tracks of which nothing is known."""
        return self.place(catalogue)[0] * self.scale

    def inputs(self, catalogue: Catalogue, embedded: Floats, rows: Rows) -> Floats:
        """Points of the tracks, shape (n, size); 0, the middle of the space, where unknown."""
        known: Floats = np.nan_to_num(embedded[rows], nan=0.0)
        return known

    def start(self, n: int, title: str = "") -> Floats:
        """State after the title, for n sequences; an unknown or empty title is the point 0."""
        return np.repeat(self._read(title)["next_state"], n, axis=0)

    def step(self, tracks: Floats, state: Floats) -> tuple[Floats, Floats]:
        """Run the network for one track of each sequence."""
        after = self.network(inputs=tracks / self.scale, state=state)
        return after["vector"] * self.scale, after["next_state"]

    def next_points(self, points: Sequence[Floats], titles: Sequence[str]) -> Floats:
        """Where the next track of each of some playlists lies, shape (playlists, size), before scaling.

        Parameters
        ----------
        points : sequence of ndarray, shape (tracks, size)
            Of the tracks of each in their order, before scaling, without NaN.
        titles : sequence of str
            Of each.
        """
        read = {title: self._read(title) for title in set(titles)}
        vectors: Floats = np.concatenate([read[title]["vector"] for title in titles])
        states = np.concatenate([read[title]["next_state"] for title in titles])
        lengths = np.array([len(each) for each in points])
        for step in range(int(lengths.max(initial=0))):
            on = np.flatnonzero(lengths > step)
            after = self.network(inputs=np.stack([points[i][step] for i in on.tolist()]), state=states[on])
            vectors[on], states[on] = after["vector"], after["next_state"]
        return vectors

    def notes(self, seeds: Catalogue) -> list[str]:
        """What users should know of seeds: that the model knows none of their artists."""
        if not len(seeds) or (look_up(self.names, seeds).artists >= 0).any():
            return []
        return [f"the model {self.name} knows none of the seeds' artists: it goes by genres and sound"]

    def knows_title(self, title: str) -> bool:
        """Whether a word of a title or part of one is known, or it is the name of an artist or genre that is."""
        return bool(self._title_point(title).any()) or self._named_in(title) is not None

    def _whole_word(self, word: str) -> NDArray[np.int32]:
        """Number of a word, or of its first variant that is known; empty where none is."""
        found = self.words.find(name_hashes("title", word_variants(word)))
        return found[found >= 0][:1]

    def _title_point(self, title: str) -> Floats:
        """Sum of the words' vectors over the root of their number; an unknown word is the mean of its parts."""
        point, n = np.zeros((1, self.size), dtype=np.float32), 0
        for word in tokens(title)[:MAX_WORDS]:
            found = self._whole_word(word)
            if not len(found):
                found = self.words.find(name_hashes("title", parts_of_word(word)))
                found = found[found >= 0]
            if len(found):
                point += self.words.take(found).mean(axis=0)
                n += 1
        return point / np.float32(max(n, 1) ** 0.5)

    def _read(self, title: str) -> dict[str, Floats]:
        point = self._title_point(title)
        state = np.zeros((1, self.card["network"]["state"]), dtype=np.float32)
        after = self.network(inputs=point, state=state)
        named = self._named_in(title)
        # The artist or genre that a title names counts as one more track.
        return after if named is None else self.network(inputs=named, state=after["next_state"])

    def _named_in(self, title: str) -> Floats | None:
        """Point of a track of the artist, or without a known word the genre, that a title names; shape (1, size)."""
        if not title.strip():
            return None
        genres = [] if any(len(self._whole_word(word)) for word in tokens(title)[:MAX_WORDS]) else [title]
        point, _ = self.place(Catalogue.from_tracks([{"track_id": "title", "artists": [title], "genres": genres}]))
        return None if np.isnan(point).any() else point


def word_variants(word: str) -> list[str]:
    """A word, and what it may be a variant of: without digits, in the singular or plural, without an ending.

    Examples
    --------
    >>> word_variants("workouts2016")
    ['workouts2016', 'workouts', 'workout']
    >>> word_variants("chillin")
    ['chillin', 'chillins', 'chill', 'chilling']
    """
    letters = word.strip("0123456789") or word
    variants = [word, letters, letters[:-1] if letters.endswith("s") else f"{letters}s"]
    for ending in ("ing", "in", "y"):
        if letters.endswith(ending) and len(letters) > len(ending) + 2:
            variants.append(letters[: -len(ending)])
    if letters.endswith("in"):
        variants.append(f"{letters}g")
    return list(dict.fromkeys(variants))


def load_music(folder: Path) -> MusicSpace:
    """Load a model of this kind; once for as long as its card does not change.

    Raises
    ------
    DataError
        If its files are invalid.

    Examples
    --------
    >>> from disco.models.card import find_model
    >>> load_music(find_model("music")).name
    'music'
    """
    return _load(folder, (folder / "card.json").stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _load(folder: Path, changed: int) -> MusicSpace:
    card = load_card(folder, "predictor")
    return MusicSpace(
        card,
        load_network(card, "tower"),
        load_network(card),
        scaler(card["scaler"]["model"], card["scaler"]["version"]),
        _names(card, "name"),
        _names(card, "word"),
    )


def _names(card: Card, kind: str) -> NameVectors:
    hashes = file_array(card, f"{kind}_hashes", None)
    n = len(hashes)
    vectors = file_array(card, f"{kind}_vectors", n, None)
    scales, priors = (file_array(card, f"{kind}_{what}", n).astype(np.float32) for what in ("scales", "priors"))
    releases = file_array(card, f"{kind}_releases", n) if f"{kind}_releases.npy" in card["files"] else None
    return NameVectors(hashes, vectors, scales, priors, releases)
