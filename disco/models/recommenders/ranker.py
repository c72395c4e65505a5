"""The second stage: candidates of several recommenders, ranked again by trees that read the cross features.

What no playlist knows comes last, by its sound: so every track with features that may be played is an answer, and a
query whose seeds nobody knows still gets one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from disco.catalogue import Catalogue, Floats, Rows
from disco.errors import DataError, DiscoError
from disco.models.card import Card, find_model, load_card
from disco.models.distance import distances
from disco.models.network import load_network
from disco.models.recommenders.artifacts import Artifacts
from disco.models.recommenders.query import Candidates, Query
from disco.models.recommenders.ranker_features import Pool, candidate_pools
from disco.models.recommenders.ranker_inputs import OPTIONAL, REQUIRED, Parts, RankerData, load_parts
from disco.models.recommenders.scoring import top_n_indices

# Queries answered at a time: each has a score of every track from some ten recommenders, of 70,000 tracks 3 MB.
AT_A_TIME = 32


@dataclass(frozen=True)
class Ranker:
    """Ranks the pool of a query; behind it comes what else playlists know, and then what sounds like the seeds.

    Attributes
    ----------
    name : str
    library : Library
    score : callable
        From cross features, shape (n, features), to scores, shape (n,).
    """

    name: str
    library: RankerData
    score: Callable[[Floats], Floats]
    reads_titles: bool = True
    gives_probabilities: bool = False

    def recommend(self, query: Query, n: int) -> Candidates:
        """At most n candidates; none if neither a seed nor the title says anything."""
        return self.recommend_many([query], n)[0]

    def recommend_many(self, queries: Sequence[Query], n: int) -> list[Candidates]:
        """The same for each query, some at a time, so that memory stays bounded."""
        answers: list[Candidates] = []
        for start in range(0, len(queries), AT_A_TIME):
            some = queries[start : start + AT_A_TIME]
            found = candidate_pools(some, self.library)
            scores = self.score(np.concatenate([each.values for each in found]))
            ends = np.cumsum([len(each.rows) for each in found])
            for query, each, of_each in zip(some, found, np.split(scores, ends[:-1]), strict=True):
                answers.append(self._answer(query, each, of_each, n))
        return answers

    def _answer(self, query: Query, found: Pool, scores: Floats, n: int) -> Candidates:
        """A pool in the order of its scores, and what comes behind it."""
        says = len(query.seeds) > 0 or any(np.isfinite(values).any() for values in found.columns.values())
        if not says:
            return Candidates(np.empty(0, dtype=np.intp), np.empty(0, dtype=np.float32))
        order = np.lexsort((found.rows, -scores))
        best = Candidates(found.rows[order][:n], scores[order][:n])
        if len(best.rows) == n:
            return best
        more = self._fallback(query, best.rows, float(scores.min(initial=0)), n - len(best.rows))
        return Candidates(np.concatenate([best.rows, more.rows]), np.concatenate([best.scores, more.scores]))

    def _fallback(self, query: Query, taken: Rows, below: float, n: int) -> Candidates:
        """Tracks outside the pool, under it: the more playlists have one the better, and then the nearer in sound."""
        library = self.library
        open_to = np.ones(len(library.catalogue), dtype=bool) if query.allowed is None else query.allowed.copy()
        open_to[query.seeds] = False
        open_to[taken] = False
        sound = library.sound
        seeds = sound[query.seeds]
        seeds = seeds[~np.isnan(seeds).any(axis=1)]
        far = np.full(len(sound), np.inf, dtype=np.float32)
        if len(seeds):
            far = np.nan_to_num(distances(sound.T, seeds.mean(axis=0)), nan=np.inf)
        # Between 0 and 1, so that a playlist more always counts more.
        near = 1 / (1 + far)
        values = np.where(open_to & ((library.counts > 0) | (near > 0)), library.counts + near, -np.inf)
        rows = top_n_indices(values.astype(np.float32), n)
        scores = below - 1 - np.arange(len(rows)) / max(len(rows), 1)
        return Candidates(rows, scores.astype(np.float32))


def load(folder: Artifacts) -> Ranker:
    """A ranker with the recommenders that it was trained on, found by the names on its card.

    Raises
    ------
    DataError
        If one of them is missing or was trained again since, or reads other features than the ranker.
    """
    card = folder.card
    named = card["parts"]
    if not all(isinstance(each, dict) for each in named.values()):
        raise DataError(card.path, "does not name the recommenders that it ranks")
    folders = {}
    for method, each in named.items():
        part = find_part(each["name"], card)
        if part.fields.get("files") != each["files"]:
            raise DataError(
                card.folder, f"was trained on another {each['name']} than {part.folder}; train {card.name} again"
            )
        folders[method] = Artifacts(part, folder.catalogue)
    if missing := [method for method in REQUIRED if method not in folders]:
        raise DataError(card.path, f"names no {missing[0]}, which a ranker cannot do without")
    library = RankerData(folder.catalogue, load_parts(folders))
    features = feature_names(library)
    if card["features"] != features:
        raise DataError(card.path, "was trained on other cross features than this program's; train it again")
    network = load_network(card)

    def score(values: Floats) -> Floats:
        if not len(values):
            return np.empty(0, dtype=np.float32)
        return np.asarray(network(features=values)["score"][:, 0], dtype=np.float32)

    return Ranker(card.name, library, score)


def find_part(name: str, card: Card) -> Card:
    """The card of a part by its name or folder; a DataError if it is gone."""
    try:
        return load_card(find_model(name), "recommender")
    except DiscoError:
        raise DataError(
            card.folder, f"ranks what {name} finds, which is not there any more; train it, and {card.name} again"
        ) from None


def feature_names(library: RankerData) -> list[str]:
    """Names of the cross features, in their order."""
    return list(candidate_pools([Query(np.empty(0, dtype=np.intp))], library)[0].columns)


def ranker_data(catalogue: Catalogue, cards: dict[str, Card]) -> RankerData:
    """A catalogue with the parts of some cards, by their methods."""
    parts: Parts = load_parts({method: Artifacts(card, catalogue) for method, card in cards.items()})
    return RankerData(catalogue, parts)


def trained_parts(names: Sequence[str | Path]) -> dict[str, Card]:
    """Cards of the recommenders that a ranker is to rank, by their methods.

    Raises
    ------
    DataError
        If one is missing, with the commands that train them, or of a method that a ranker does not know.
    """
    cards: dict[str, Card] = {}
    missing = []
    for name in names:
        try:
            card = load_card(find_model(name), "recommender")
        except DiscoError:
            missing.append(str(name))
            continue
        if card["method"] not in (*REQUIRED, *OPTIONAL):
            known = ", ".join((*REQUIRED, *OPTIONAL))
            raise DataError(card.folder, f"is by the method {card['method']!r}; a ranker ranks {known}")
        cards[str(card["method"])] = card
    missing += [method for method in REQUIRED if method not in cards and method not in missing]
    if missing:
        commands = "; ".join(
            f"disco train cloud/{Path(name).name}.toml --tracks FILE --playlists FILE" for name in missing
        )
        raise DiscoError(
            f"a ranker is trained on other recommenders, and {', '.join(missing)} is missing: {commands}"
        )
    return cards
