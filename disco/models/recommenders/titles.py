"""Titles of playlists as vectors: words and character n-grams, weighted by inverse document frequency.

The vocabulary of terms is learned from the titles of the training playlists and stored in the model's folder.
Character n-grams make "xmas2016" similar to "Xmas 2016!", and cover misspelled words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from disco.catalogue import Floats
from disco.errors import DataError
from disco.models.recommenders.artifacts import Artifacts
from disco.models.recommenders.sparse import Sparse
from disco.models.title_words import tokens

TITLES = "titles.parquet"
# Lengths of character n-grams; a word's beginning and end count as characters.
_NGRAMS = (3, 4, 5)


def terms(title: str) -> Iterator[str]:
    """Unique terms of a title: `=word`, `=two words` and n-grams such as `<wor`, `ord` and `rd>`.

    Examples
    --------
    >>> list(terms("the end"))[:4]
    ['=the', '=end', '=the end', '<th']
    """
    words, seen = tokens(title), set()
    for term in _all_terms(words):
        if term not in seen:
            seen.add(term)
            yield term


def _all_terms(words: list[str]) -> Iterator[str]:
    for word in words:
        yield f"={word}"
    for one, next_ in pairwise(words):
        yield f"={one} {next_}"
    for word in words:
        marked = f"<{word}>"
        for n in _NGRAMS:
            # An n-gram as long as the word is the word itself.
            if n < len(marked):
                yield from (marked[i : i + n] for i in range(len(marked) - n + 1))


@dataclass(frozen=True)
class Titles:
    """A vocabulary of title terms.

    Attributes
    ----------
    terms : tuple of str
        In the order of their numbers.
    weights : ndarray, shape (terms,)
        Inverse document frequency, log(titles / those with the term), above 0.
    """

    terms: tuple[str, ...]
    weights: Floats

    def __len__(self) -> int:
        """Number of terms."""
        return len(self.terms)

    def bags(self, titles: Sequence[str]) -> Sparse:
        """Weighted terms of each title, shape (titles, terms), rows of norm 1; empty without a known term.

        Words and n-grams have the same total weight, a norm of sqrt(1/2) each, so that the n-grams of one long word
        do not outweigh short words.
        """
        rows = [self._bag(title) for title in titles]
        starts = np.cumsum([0, *(len(columns) for columns, _ in rows)])
        columns = np.concatenate([np.zeros(0, dtype=np.int32), *(columns for columns, _ in rows)])
        weights = np.concatenate([np.zeros(0, dtype=np.float32), *(weights for _, weights in rows)])
        return Sparse(starts, columns, weights, len(self))

    def vectors(self, titles: Sequence[str]) -> Floats:
        """Weighted terms as a dense array, shape (titles, terms); zeros without a known term."""
        bags, dense = self.bags(titles), np.zeros((len(titles), len(self)), dtype=np.float32)
        dense[np.repeat(np.arange(len(titles)), bags.lengths), bags.columns] = bags.weights
        return dense

    def write(self, path: Path) -> None:
        """Write a Parquet file that `read` reads."""
        table = {"term": pa.array(self.terms, pa.string()), "weight": pa.array(self.weights, pa.float32())}
        pq.write_table(pa.table(table), path)

    @classmethod
    def read(cls, folder: Artifacts) -> Titles:
        """Read the terms in a model's folder.

        Raises
        ------
        DataError
            If the file is invalid or differs from the card.
        """
        path = folder.card.folder / TITLES
        try:
            table = pq.read_table(pa.BufferReader(folder.content(TITLES)), columns=["term", "weight"])
            found = tuple(table["term"].cast(pa.string()).to_pylist())
            weights = np.asarray(table["weight"].cast(pa.float32()).to_numpy(), dtype=np.float32)
        except (pa.ArrowException, KeyError) as error:
            raise DataError(path, f"is not a readable table of terms ({str(error).splitlines()[0][:100]})") from None
        if None in found or len(set(found)) != len(found):
            raise DataError(path, "has a duplicate or empty term")
        if not (np.isfinite(weights) & (weights > 0)).all():
            raise DataError(path, "has a weight that is not a number above 0")
        return cls(found, weights)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {term: number for number, term in enumerate(self.terms)}

    @cached_property
    def _bag(self) -> Callable[[str], tuple[NDArray[np.int32], Floats]]:
        """Terms and weights of a title, cached: training reads the same titles many times."""
        return lru_cache(maxsize=1 << 15)(self._read_title)

    def _read_title(self, title: str) -> tuple[NDArray[np.int32], Floats]:
        known = {self._numbers[term]: term.startswith("=") for term in terms(title) if term in self._numbers}
        columns = np.array(sorted(known), dtype=np.int32)
        weights, words = self.weights[columns], np.array([known[c] for c in columns.tolist()], dtype=bool)
        kinds = [kind for kind in (words, ~words) if kind.any()]
        for kind in kinds:
            weights[kind] /= np.linalg.norm(weights[kind]) * len(kinds) ** 0.5
        return columns, weights


def learn_terms(titles: Sequence[str], least: int, most: int) -> Titles:
    """Learn the vocabulary of terms from the titles of training playlists.

    An n-gram that occurs in exactly the titles of a longer one that contains it is redundant and left out. Of the
    other terms those with the highest entropy are kept. Terms in every title are left out. The result is
    deterministic.

    Parameters
    ----------
    titles : sequence of str
    least : int
        Minimum number of titles with a term.
    most : int
        Maximum number of terms.

    Examples
    --------
    >>> learned = learn_terms(["90s rock", "rock", "90s pop", "jazz"], least=2, most=100)
    >>> sorted(term for term in learned.terms if term.startswith("="))
    ['=90s', '=rock']
    """
    having: dict[str, list[int]] = {}
    for number, title in enumerate(titles):
        for term in terms(title):
            having.setdefault(term, []).append(number)
    frequent = {term: tuple(where) for term, where in having.items() if least <= len(where) < len(titles)}
    # The longest first, so that each is compared with those that contain it.
    kept: list[str] = []
    by_titles: dict[tuple[int, ...], list[str]] = {}
    for term in sorted(frequent, key=lambda term: (not term.startswith("="), -len(term), term)):
        same = by_titles.setdefault(frequent[term], [])
        if term.startswith("=") or not any(term in other for other in same if not other.startswith("=")):
            same.append(term)
            kept.append(term)
    # Entropy is highest for a term in half of the titles.
    kept.sort(key=lambda term: (abs(len(frequent[term]) / len(titles) - 0.5), term))
    kept = kept[:most]
    counts = np.array([len(frequent[term]) for term in kept], dtype=np.float64)
    return Titles(tuple(kept), np.log(len(titles) / counts).astype(np.float32))
