"""What a title says, in numbers: its words and pieces of words, weighed by how rarely playlists are called so.

Which pieces count is learned from the titles of the training playlists, and kept in the model's folder: nothing is
looked up elsewhere. Pieces make "xmas2016" and "Xmas 2016!" alike, and titles that nobody spelled so before readable.
"""

from __future__ import annotations

import unicodedata
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

TITLES = "titles.parquet"
# A title is cut after so many characters, before anything else: the Million Playlist Dataset's have 100 at most, and
# what follows would only cost time.
MAX_LENGTH = 200
# Lengths of the pieces of a word; a word's beginning and end are characters too.
_PIECES = (3, 4, 5)
# First and last code of writing without spaces between words: Thai to Burmese, Khmer, kana, Bopomofo, the ideographs.
_UNSPACED = (
    *((0x0E00, 0x109F), (0x1780, 0x17FF), (0x3040, 0x312F), (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF)),
    *((0xF900, 0xFAFF), (0xFF66, 0xFF9F), (0x20000, 0x3FFFF)),
)
# Accents, not the vowel signs of Indian scripts, which are letters to those who read them.
_ACCENTS = range(0x0300, 0x0370)
# How an emoji is to look (text or picture, skin colour, joined with others, in a key), not what it shows.
_LOOKS = {0x200D, 0x20E3, *range(0xFE00, 0xFE10), *range(0x1F3FB, 0x1F400), *range(0xE0000, 0xE01F0)}
_JOINED = "'’‘ʼ`´."


def tokens(title: str) -> list[str]:
    """Words of a title in one spelling, each emoji and each sign of unspaced writing by itself, in their order.

    NFKC and case folding, so that fancy and wide letters are plain ones; accents and the looks of emoji are dropped,
    digits kept; apostrophes and full stops join, other punctuation parts. `Beyoncé’s 90s 🏖️☀️` is beyonces, 90s, 🏖, ☀.
    """
    folded = unicodedata.normalize("NFKD", title[:MAX_LENGTH]).casefold()
    folded = "".join(c for c in folded if ord(c) not in _ACCENTS)
    folded = unicodedata.normalize("NFKC", folded)[:MAX_LENGTH]
    found, word = [], ""
    for c in folded:
        if ord(c) in _LOOKS or c in _JOINED:
            continue
        kind = unicodedata.category(c)
        alone = kind in ("So", "Sk", "Sm", "Sc") or _unspaced(c)
        if kind[0] in "LNM" and not alone:
            word += c
            continue
        if word:
            found.append(word)
            word = ""
        if alone:
            found.append(c)
        elif c == "&":
            found.append("and")
    return [*found, word] if word else found


def _unspaced(c: str) -> bool:
    return any(first <= ord(c) <= last for first, last in _UNSPACED)


def terms(title: str) -> Iterator[str]:
    """All that a title may be known by, each once: `=word`, `=two words` and pieces such as `<wor`, `ord`, `rd>`."""
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
        whole = f"<{word}>"
        for n in _PIECES:
            # A piece as long as the word is the word again.
            if n < len(whole):
                yield from (whole[i : i + n] for i in range(len(whole) - n + 1))


@dataclass(frozen=True)
class Titles:
    """The terms that titles are read by.

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
        """How many terms there are."""
        return len(self.terms)

    def bags(self, titles: Sequence[str]) -> Sparse:
        """Known terms of each title with their weights, shape (titles, terms), of length 1; empty if none is known.

        Words and pieces weigh the same in all: of a title with both, each half has the length sqrt(1/2), so that one
        long word does not drown the short ones that say more.
        """
        rows = [self._bag(title) for title in titles]
        starts = np.cumsum([0, *(len(columns) for columns, _ in rows)])
        columns = np.concatenate([np.zeros(0, dtype=np.int32), *(columns for columns, _ in rows)])
        weights = np.concatenate([np.zeros(0, dtype=np.float32), *(weights for _, weights in rows)])
        return Sparse(starts, columns, weights, len(self))

    def vectors(self, titles: Sequence[str]) -> Floats:
        """The same as a dense array, shape (titles, terms); zeros for a title of which no term is known."""
        bags, dense = self.bags(titles), np.zeros((len(titles), len(self)), dtype=np.float32)
        dense[np.repeat(np.arange(len(titles)), bags.lengths), bags.columns] = bags.weights
        return dense

    def write(self, path: Path) -> None:
        """Write a Parquet file that `read` reads."""
        table = {"term": pa.array(self.terms, pa.string()), "weight": pa.array(self.weights, pa.float32())}
        pq.write_table(pa.table(table), path)

    @classmethod
    def read(cls, folder: Artifacts) -> Titles:
        """The terms in a model's folder.

        Raises
        ------
        DataError
            If they are not what the card describes, or no terms with finite weights.
        """
        path = folder.card.folder / TITLES
        try:
            table = pq.read_table(pa.BufferReader(folder.content(TITLES)), columns=["term", "weight"])
            found = tuple(table["term"].cast(pa.string()).to_pylist())
            weights = np.asarray(table["weight"].cast(pa.float32()).to_numpy(), dtype=np.float32)
        except (pa.ArrowException, KeyError) as error:
            raise DataError(path, f"is not a readable table of terms ({str(error).splitlines()[0][:100]})") from None
        if None in found or len(set(found)) != len(found):
            raise DataError(path, "has a term twice, or none")
        if not (np.isfinite(weights) & (weights > 0)).all():
            raise DataError(path, "has a weight that is no number above 0")
        return cls(found, weights)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {term: number for number, term in enumerate(self.terms)}

    @cached_property
    def _bag(self) -> Callable[[str], tuple[NDArray[np.int32], Floats]]:
        """A title's terms and weights; titles are asked again and again, in training above all."""
        return lru_cache(maxsize=1 << 15)(self._read_title)

    def _read_title(self, title: str) -> tuple[NDArray[np.int32], Floats]:
        known = {self._numbers[term]: term.startswith("=") for term in terms(title) if term in self._numbers}
        columns = np.array(sorted(known), dtype=np.int32)
        weights, words = self.weights[columns], np.array([known[c] for c in columns.tolist()], dtype=bool)
        halves = [part for part in (words, ~words) if part.any()]
        for part in halves:
            weights[part] /= np.linalg.norm(weights[part]) * len(halves) ** 0.5
        return columns, weights


def learn_terms(titles: Sequence[str], least: int, most: int) -> Titles:
    """The terms of training titles: those of at least so many playlists, at most so many, the most informative.

    A term that is in just the playlists of a longer one that holds it adds nothing, and is left out unless it is a
    word. Of the others the most informative are those whose presence is the hardest to foretell: their entropy is the
    highest. Terms in every title are left out. The same titles give the same terms, in the same order.
    """
    having: dict[str, list[int]] = {}
    for number, title in enumerate(titles):
        for term in terms(title):
            having.setdefault(term, []).append(number)
    often = {term: tuple(where) for term, where in having.items() if least <= len(where) < len(titles)}
    # The longest first, so that each finds those that hold it.
    kept: list[str] = []
    told: dict[tuple[int, ...], list[str]] = {}
    for term in sorted(often, key=lambda term: (not term.startswith("="), -len(term), term)):
        same = told.setdefault(often[term], [])
        if term.startswith("=") or not any(term in other for other in same if not other.startswith("=")):
            same.append(term)
            kept.append(term)
    # Entropy rises with the frequency up to half of the titles, and falls from there.
    kept.sort(key=lambda term: (abs(len(often[term]) / len(titles) - 0.5), term))
    kept = kept[:most]
    counts = np.array([len(often[term]) for term in kept], dtype=np.float64)
    return Titles(tuple(kept), np.log(len(titles) / counts).astype(np.float32))
