"""Search tracks by words of title and artist, in any order and roughly spelt.

An inverted index from words to tracks, built once. A track's score is the share of the query that it matches (rare
words weigh more, misspelt ones count less), less a penalty for other words in its title. Exact and rough matches have
the same weights, so one pass finds both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from disco.catalogue.arrays import among_ascending, row_array
from disco.catalogue.packing import pack, unpack
from disco.catalogue.text import fold_accents, normalise, without_version

# Words of a query that hardly tell one track from another.
_NOISE = {"feat", "ft", "featuring", "remaster", "remastered", "by", "the", "a", "and"}
_NOISE_WEIGHT = 0.1
# Weight of the words in `(feat. X)` or `- Remastered 2011`, which the catalogue may not have.
_ASIDE_WEIGHT = 0.25
# Weight of a match by the number of its edits.
_ROUGH = {0: 1.0, 1: 0.8, 2: 0.65}
# Weight of a word that only resembles one of the query: enough for a hint, never for an answer.
_RESEMBLING = 0.3
# A word that is still being typed means each that begins so, a little less than the word itself; of those the most
# frequent, as many as are looked up within a few milliseconds.
_BEGUN, _MOST_BEGUN = 0.95, 48
# Highest penalty for words of the title that are not in the query: "Hello" before "Hello Goodbye".
_UNASKED_TITLE = 0.25
# Words that make it another performance; a remaster is the same one. Where the query has none of them, they cost a
# little, so that the recording comes before the karaoke version even where that is more popular.
_OTHER_TAKES = frozenset(
    """live remix mix edit karaoke cover acoustic instrumental demo acapella unplugged sped slowed rework tribute
    originally reprise session version dub extended interlude skit commentary medley""".split()
)
_UNASKED_TAKE = 0.04
# Penalty for a match by artist alone, so that a title of that name comes first.
_NO_TITLE = 0.2
# Longest word that is tried as two words written together.
_LONGEST_COMPOUND = 40
# Names of the parts of an index.
PARTS: tuple[str, ...] = ("letters", "ends", "whole_gaps", "whole_counts", "artist_gaps", "artist_counts")
PARTS += ("in_core", "only_in_core", "n_core", "other_take")
# Below this score a track is a hint, not an answer.
ENOUGH = 0.55
_SHIFT = 32


class Match(NamedTuple):
    """A track found: its row, its score (0-1), and whether it has every word of the query as spelt."""

    row: int
    score: float
    exact: bool


@dataclass(frozen=True)
class _Postings:
    """For word w, the rows that contain it: rows[starts[w]:starts[w + 1]]."""

    starts: NDArray[np.int64]
    rows: NDArray[np.int32]

    def __getitem__(self, word: int) -> NDArray[np.int32]:
        return self.rows[self.starts[word] : self.starts[word + 1]]

    def keys(self) -> NDArray[np.int64]:
        """Word and row of each in one number, in ascending order."""
        words = np.arange(len(self.starts) - 1, dtype=np.int64) << _SHIFT
        return np.repeat(words, np.diff(self.starts)) | self.rows

    def gaps(self) -> NDArray[np.int32]:
        """Each row less the one before it, of the first of a word the row itself."""
        gaps = np.diff(self.rows, prepend=np.int32(0))
        first = self.starts[:-1][np.diff(self.starts) > 0]
        gaps[first] = self.rows[first]
        return gaps


@dataclass(frozen=True)
class _Gaps:
    """The rows of words from what `_Postings.gaps` gives, added up when they are asked for: a query has few words."""

    starts: NDArray[np.int64]
    gaps: NDArray[np.int32]

    def __getitem__(self, word: int) -> NDArray[np.int64]:
        return np.cumsum(self.gaps[self.starts[word] : self.starts[word + 1]], dtype=np.int64)


@dataclass(frozen=True)
class _Core:
    """The rows of words in the core of a title: a bit for each row of the whole, and those that only the core has."""

    whole: _Gaps
    bits: NDArray[np.uint8]
    only: NDArray[np.int64]

    def __getitem__(self, word: int) -> NDArray[np.int64]:
        first, end = (int(start) for start in self.whole.starts[word : word + 2])
        bits = np.unpackbits(self.bits[first // 8 : (end + 7) // 8])[first % 8 :][: end - first].view(bool)
        begin, stop = np.searchsorted(self.only, [word << _SHIFT, (word + 1) << _SHIFT])
        return np.concatenate([self.whole[word][bits], self.only[begin:stop] & ((1 << _SHIFT) - 1)])


def _gaps(gaps: NDArray[np.int32], counts: NDArray[np.int32]) -> _Gaps:
    """Rows of words from their gaps, and the number of rows of each word."""
    return _Gaps(np.r_[0, np.cumsum(counts, dtype=np.int64)], gaps)


class _Words(Protocol):
    """The rows that contain a word, by its number."""

    def __getitem__(self, word: int) -> NDArray[np.integer[Any]]: ...


class _CountedWords(_Words, Protocol):
    """The same, with where the rows of each word start."""

    @property
    def starts(self) -> NDArray[np.int64]: ...


def _from_keys(keys: NDArray[np.int64], n_words: int) -> _Postings:
    """Postings from ascending numbers of word and row."""
    starts = np.searchsorted(keys, np.arange(n_words + 1, dtype=np.int64) << _SHIFT)
    return _Postings(starts, (keys & ((1 << _SHIFT) - 1)).astype(np.int32))


def _tokens(texts: pa.Array) -> tuple[pa.Array, NDArray[np.int64]]:
    """Words of all texts in one array, and the row that each came from."""
    lists = pc.split_pattern(texts, " ")
    flat, rows = lists.flatten(), pc.list_parent_indices(lists)
    used = pc.not_equal(flat, "")
    return flat.filter(used), rows.filter(used).to_numpy(zero_copy_only=False).astype(np.int64)


def _postings(codes: NDArray[np.int64], rows: NDArray[np.int64], n_words: int) -> _Postings:
    order = np.sort(codes << _SHIFT | rows)
    return _from_keys(order[np.r_[True, order[1:] != order[:-1]]] if len(order) else order, n_words)


def _letters(tokens: pa.Array) -> NDArray[np.uint64]:
    """Set of bytes of each token as 64 bits: two words k edits apart differ in at most 2 k of them."""
    tokens = tokens.cast(pa.large_string())
    offsets = np.frombuffer(tokens.buffers()[1], dtype=np.int64)[: len(tokens) + 1]
    text = np.frombuffer(tokens.buffers()[2], dtype=np.uint8)[: offsets[-1]]
    bits = np.left_shift(np.uint64(1), (text & 63).astype(np.uint64))
    return np.bitwise_or.reduceat(bits, offsets[:-1])


def _edits(word: str, others: list[str]) -> NDArray[np.int64]:
    """Edits (insert, delete, replace, swap neighbours) from a word to each other, all at once.

    Optimal string alignment (Damerau 1964), one row of the table for all words at a time.
    """
    lengths = np.array([len(other) for other in others])
    letters = np.array(others, dtype=f"U{lengths.max()}").view(np.uint32).reshape(len(others), -1)
    asked = np.array([word]).view(np.uint32)
    before = np.zeros((letters.shape[1] + 1, len(others)), dtype=np.int64)
    last = np.tile(np.arange(letters.shape[1] + 1)[:, None], len(others))
    for i, letter in enumerate(asked):
        now = np.empty_like(last)
        now[0] = i + 1
        for j in range(letters.shape[1]):
            differs = letters[:, j] != letter
            now[j + 1] = np.minimum(np.minimum(now[j], last[j + 1]) + 1, last[j] + differs)
            if i and j:
                swapped = (letters[:, j - 1] == letter) & (letters[:, j] == asked[i - 1])
                now[j + 1] = np.where(swapped, np.minimum(now[j + 1], before[j - 1] + 1), now[j + 1])
        before, last = last, now
    edits: NDArray[np.int64] = last[lengths, np.arange(len(others))]
    return edits


class TextIndex:
    """Words of every track's title, version and artists, ready to be searched.

    Parameters
    ----------
    titles : pa.Array of string, shape (n,)
    artists : pa.Array of string, shape (n,)
        All artists of a track in one text.
    popularity : ndarray, shape (n,)
        Any scale, higher is more popular; decides among equals. NaN is lowest.

    Examples
    --------
    >>> index = TextIndex(pa.array(["Hello", "Hello Goodbye"]), pa.array(["Ana", "Bo"]), np.zeros(2, np.float32))
    >>> [match.row for match in index.search("helo")]
    [0, 1]
    """

    def __init__(self, titles: pa.Array, artists: pa.Array, popularity: NDArray[np.float32]) -> None:
        titles = fold_accents(pc.fill_null(titles, ""))
        core, whole = normalise(without_version(titles)), normalise(titles)
        fields = [core, whole, normalise(fold_accents(pc.fill_null(artists, "")))]
        tokens, rows = zip(*(_tokens(field) for field in fields), strict=True)
        encoded = pc.dictionary_encode(pa.concat_arrays(tokens))
        codes = np.split(encoded.indices.to_numpy().astype(np.int64), np.cumsum([len(t) for t in tokens])[:-1])
        postings = [_postings(c, r, len(encoded.dictionary)) for c, r in zip(codes, rows, strict=True)]
        self._set(encoded.dictionary, (postings[0], postings[1], postings[2]), popularity)
        self._postings = postings
        self._n_core = np.maximum(np.bincount(rows[0], minlength=self._n), 1).astype(np.int32)
        self._other_take = np.zeros(self._n, dtype=bool)
        for take in _OTHER_TAKES:
            for word, _ in self._meanings(take, 0):
                self._other_take[np.setdiff1d(self._whole[word], self._core[word])] = True

    def _set(
        self,
        vocabulary: pa.Array,
        rows: tuple[_Words, _CountedWords, _CountedWords],
        popularity: NDArray[np.float32],
    ) -> None:
        self._vocabulary = vocabulary
        self._core, self._whole, self._artist = rows
        self._letters = _letters(self._vocabulary) if len(self._vocabulary) else np.empty(0, np.uint64)
        self._lengths = pc.utf8_length(self._vocabulary).to_numpy()
        self._n = len(popularity)
        self._popularity = popularity

    def parts(self) -> dict[str, NDArray[Any]]:
        """All but the popularity of an index that was built, as arrays from which `of_parts` makes the same fast.

        A row is stored as its distance from the one before it, of the core of a title only how it differs from the
        whole.
        """
        of_core, of_whole, of_artist = self._postings
        core, whole = of_core.keys(), of_whole.keys()
        words = self._vocabulary.cast(pa.large_string())
        return {
            "letters": np.frombuffer(words.buffers()[2] or b"", dtype=np.uint8),
            "ends": np.frombuffer(words.buffers()[1] or bytes(8), dtype=np.int64)[1 : len(words) + 1],
            "whole_gaps": of_whole.gaps(),
            "whole_counts": np.diff(of_whole.starts).astype(np.int32),
            "artist_gaps": of_artist.gaps(),
            "artist_counts": np.diff(of_artist.starts).astype(np.int32),
            "in_core": np.packbits(among_ascending(whole, core)),
            "only_in_core": core[~among_ascending(core, whole)],
            "n_core": self._n_core,
            "other_take": np.packbits(self._other_take),
        }

    @classmethod
    def of_parts(cls, parts: Mapping[str, NDArray[Any]], popularity: NDArray[np.float32]) -> TextIndex:
        """The index whose `parts` these are; the larger ones are used where they lie."""
        index = cls.__new__(cls)
        ends = np.r_[0, parts["ends"]]
        letters = pa.py_buffer(np.ascontiguousarray(parts["letters"]))
        words = pa.LargeStringArray.from_buffers(len(ends) - 1, pa.py_buffer(ends), letters)
        whole, artist = (_gaps(parts[f"{name}_gaps"], parts[f"{name}_counts"]) for name in ("whole", "artist"))
        core = _Core(whole, parts["in_core"], parts["only_in_core"])
        index._set(words.cast(pa.string()), (core, whole, artist), popularity)
        index._n_core = parts["n_core"]
        index._other_take = np.unpackbits(parts["other_take"], count=index._n).view(bool)
        return index

    def pack(self) -> NDArray[np.uint8]:
        """The parts as compressed bytes, from which `unpack` makes the same index fast.

        They are 9 to 12 bytes a track, where the index itself takes 50.
        """
        return pack(self.parts())

    @classmethod
    def unpack(cls, packed: NDArray[np.uint8], popularity: NDArray[np.float32]) -> TextIndex:
        """The index that `pack` packed.

        Examples
        --------
        >>> index = TextIndex(pa.array(["Hello (Live)"]), pa.array(["Ana"]), np.zeros(1, np.float32))
        >>> [match.row for match in TextIndex.unpack(index.pack(), np.zeros(1, np.float32)).search("helo ana")]
        [0]
        """
        return cls.of_parts(unpack(packed), popularity)

    def search(self, text: str, n: int = 5, typing: bool = False) -> list[Match]:
        """The n tracks that best match a text, best first; among equals the more popular, then the earlier row.

        Matches with scores below `ENOUGH` are only hints. While somebody is `typing`, the last word may be the
        beginning of one.
        """
        folded = fold_accents(pa.array([text]))
        asked = list(dict.fromkeys(normalise(folded)[0].as_py().split()))
        if not asked or not len(self._vocabulary):
            return []
        aside = set(asked) - set(normalise(without_version(folded))[0].as_py().split())
        asked = self._split_compounds(asked)
        meanings = [self._meanings(word) for word in asked]
        if typing and asked and not text.endswith(" "):
            meanings[-1] = self._begun(asked[-1], meanings[-1])
        if not any(meanings):
            meanings = [self._resembling(word) for word in asked]
        weights = [
            self._weight(word, meant) * (_ASIDE_WEIGHT if word in aside else 1)
            for word, meant in zip(asked, meanings, strict=True)
        ]
        answered, exact, in_title = self._answered(asked, meanings, weights)
        near = np.flatnonzero(answered >= answered.max() - (_UNASKED_TITLE + _NO_TITLE))
        n_core = self._n_core[near].astype(np.float32)
        score = (
            answered[near]
            - _UNASKED_TITLE * np.where(in_title[near] > 0, np.maximum(1 - in_title[near] / n_core, 0), 0)
            - _NO_TITLE * (in_title[near] == 0)
            - _UNASKED_TAKE * (self._other_take[near] & (not set(asked) & _OTHER_TAKES))
        )
        popularity = np.nan_to_num(self._popularity[near], nan=-np.inf)
        best = np.lexsort((near, -popularity, -np.round(score, 4)))[:n]
        return [Match(int(near[i]), max(0.0, float(score[i])), bool(exact[near[i]])) for i in best]

    def codes(self, words: Iterable[str]) -> dict[str, int]:
        """Numbers of those of some words, as `normalise` spells them, that any title or artist has.

        Examples
        --------
        >>> TextIndex(pa.array(["Hello"]), pa.array(["Ana"]), np.zeros(1, np.float32)).codes({"ana", "helo"})
        {'ana': 1}
        """
        asked = pa.array(sorted(words), pa.string())
        found = np.flatnonzero(pc.is_in(self._vocabulary, value_set=asked).to_numpy(zero_copy_only=False))
        return dict(zip(self._vocabulary.take(row_array(found)).to_pylist(), found.tolist(), strict=True))

    def rows_with(self, codes: Iterable[int], most: int) -> NDArray[np.int64]:
        """Rows of tracks that have all words of these numbers in title or artists, at most so many, popular first."""
        several = sorted((np.union1d(self._whole[code], self._artist[code]) for code in codes), key=len)
        rows = several[0] if several else np.empty(0, np.int64)
        for more in several[1:]:
            rows = np.intersect1d(rows, more, assume_unique=True)
        popularity = np.nan_to_num(self._popularity[rows], nan=-np.inf)
        return np.asarray(rows[np.argsort(-popularity, kind="stable")[:most]], dtype=np.int64)

    def _answered(
        self, asked: list[str], meanings: list[list[tuple[int, float]]], weights: list[float]
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.float32]]:
        """Of each track: share of the query matched, whether all as spelt, number of its title's words matched."""
        answered, in_title = np.zeros((2, self._n), dtype=np.float32)
        exact = np.ones(self._n, dtype=bool)
        for word, meant, weight in zip(asked, meanings, weights, strict=True):
            best, title = np.zeros(self._n, dtype=np.float32), np.zeros(self._n, dtype=bool)
            for code, quality in meant:
                title[self._core[code]] = True
                for postings in (self._whole, self._artist):
                    rows = postings[code]
                    best[rows] = np.maximum(best[rows], quality)
            answered += np.float32(weight / sum(weights)) * best
            in_title += title
            exact &= (best == 1) | (word in _NOISE)
        return answered, exact, in_title

    def _split_compounds(self, asked: list[str]) -> list[str]:
        """Query words; two written as one (`cocoabutter`) are split where both halves are known words."""
        halves = {w: [(w[:i], w[i:]) for i in range(2, len(w) - 1)] for w in asked if len(w) <= _LONGEST_COMPOUND}
        pieces = pa.array([*asked, *(half for pairs in halves.values() for pair in pairs for half in pair)])
        # This hashes the few and scans the many; `index_in` would hash the many each time.
        known = set(self._vocabulary.filter(pc.is_in(self._vocabulary, value_set=pieces)).to_pylist())
        split: list[str] = []
        for word in asked:
            whole = [] if word in known else [pair for pair in halves.get(word, []) if known.issuperset(pair)]
            if whole and not any(quality >= _ROUGH[1] for _, quality in self._meanings(word)):
                split += max(whole, key=lambda pair: min(map(len, pair)))
            else:
                split.append(word)
        return split

    def _meanings(self, token: str, allowed: int | None = None) -> list[tuple[int, float]]:
        """Words of the vocabulary that a word of the query may mean, each with its weight."""
        if allowed is None:
            allowed = 0 if len(token) < 4 else 1 if len(token) < 8 else 2
        letters = _letters(pa.array([token]))[0]
        # One letter beyond ASCII is two or three bytes: leave room for it.
        near = np.bitwise_count(self._letters ^ letters) <= (2 if token.isascii() else 3) * allowed
        near &= np.abs(self._lengths - len(token)) <= allowed
        codes = np.flatnonzero(near)
        if not len(codes):
            return []
        edits = _edits(token, self._vocabulary.take(row_array(codes)).to_pylist())
        return [(int(c), _ROUGH[int(e)]) for c, e in zip(codes, edits, strict=True) if e <= allowed]

    def _begun(self, token: str, meant: list[tuple[int, float]]) -> list[tuple[int, float]]:
        """The meanings of a word, and the words that begin with it, most frequent first."""
        codes = np.flatnonzero(pc.starts_with(self._vocabulary, token).to_numpy(zero_copy_only=False))
        tracks = np.diff(self._whole.starts)[codes] + np.diff(self._artist.starts)[codes]
        frequent = codes[np.argsort(-tracks, kind="stable")[:_MOST_BEGUN]]
        best = dict.fromkeys(frequent.tolist(), _BEGUN)
        for code, quality in meant:
            best[code] = max(best.get(code, 0.0), quality)
        return list(best.items())

    def _resembling(self, token: str) -> list[tuple[int, float]]:
        """The five words that most resemble a word that is not in the vocabulary, for hints only."""
        differ = np.bitwise_count(self._letters ^ _letters(pa.array([token]))[0]).astype(np.int64)
        codes = np.argsort(differ + np.abs(self._lengths - len(token)), kind="stable")[:500]
        edits = _edits(token, self._vocabulary.take(row_array(codes)).to_pylist())
        return [(int(codes[i]), _RESEMBLING) for i in np.argsort(edits, kind="stable")[:5]]

    def _weight(self, token: str, meant: list[tuple[int, float]]) -> float:
        """Inverse document frequency of the word as spelt, or of its meanings if it is nowhere so spelt."""
        if token in _NOISE:
            return _NOISE_WEIGHT
        right = [word for word, quality in meant if quality == 1] or [word for word, _ in meant]
        tracks = sum(len(self._whole[word]) + len(self._artist[word]) for word in right)
        return float(np.log1p(self._n / max(tracks, 1)))
