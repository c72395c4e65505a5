"""Second stage: gradient-boosted trees rank the candidates of several recommenders by their cross features.

Tracks outside the candidates follow, by their number of playlists and then by features, so that a query with unknown
seeds still gets candidates. `ranker_features` names the sources of the method.
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

# Queries at a time: each has scores of every track from about ten recommenders, 3 MB for 70,000 tracks.
AT_A_TIME = 32


@dataclass(frozen=True)
class Ranker:
    """Ranks the pool of candidates of a query; other tracks follow as a fallback.

    Attributes
    ----------
    name : str
    library : Library
    score : callable
        From cross features, shape (n, features), to scores, shape (n,).
    """

    name: str
    data: RankerData
    score: Callable[[Floats], Floats]
    reads_titles: bool = True
    gives_probabilities: bool = False

    def recommend(self, query: Query, n: int) -> Candidates:
        """At most n candidates; none without seeds and without a title that a recommender knows."""
        return self.recommend_many([query], n)[0]

    def recommend_many(self, queries: Sequence[Query], n: int) -> list[Candidates]:
        """Candidates of each query, in batches of bounded memory."""
        answers: list[Candidates] = []
        for start in range(0, len(queries), AT_A_TIME):
            some = queries[start : start + AT_A_TIME]
            found = candidate_pools(some, self.data)
            scores = self.score(np.concatenate([each.values for each in found]))
            ends = np.cumsum([len(each.rows) for each in found])
            for query, each, of_each in zip(some, found, np.split(scores, ends[:-1]), strict=True):
                answers.append(self._answer(query, each, of_each, n))
        return answers

    def _answer(self, query: Query, found: Pool, scores: Floats, n: int) -> Candidates:
        """The pool in the order of its scores, and the fallback."""
        answered = len(query.seeds) > 0 or any(np.isfinite(values).any() for values in found.columns.values())
        if not answered:
            return Candidates(np.empty(0, dtype=np.intp), np.empty(0, dtype=np.float32))
        order = np.lexsort((found.rows, -scores))
        ranked = Candidates(found.rows[order][:n], scores[order][:n])
        if len(ranked.rows) == n:
            return ranked
        others = self._fallback(query, ranked.rows, float(scores.min(initial=0)), n - len(ranked.rows))
        return Candidates(np.concatenate([ranked.rows, others.rows]), np.concatenate([ranked.scores, others.scores]))

    def _fallback(self, query: Query, taken: Rows, below: float, n: int) -> Candidates:
        """Tracks outside the pool, with lower scores: by number of playlists, then by distance in features."""
        data = self.data
        open_to = np.ones(len(data.catalogue), dtype=bool) if query.allowed is None else query.allowed.copy()
        open_to[query.seeds] = False
        open_to[taken] = False
        features = data.features
        seeds = features[query.seeds]
        seeds = seeds[~np.isnan(seeds).any(axis=1)]
        far = np.full(len(features), np.inf, dtype=np.float32)
        if len(seeds):
            far = np.nan_to_num(distances(features.T, seeds.mean(axis=0)), nan=np.inf)
        # Below 1, so that one playlist more always counts more.
        near = 1 / (1 + far)
        values = np.where(open_to & ((data.counts > 0) | (near > 0)), data.counts + near, -np.inf)
        rows = top_n_indices(values.astype(np.float32), n)
        scores = below - 1 - np.arange(len(rows)) / max(len(rows), 1)
        return Candidates(rows, scores.astype(np.float32))


def load(folder: Artifacts) -> Ranker:
    """Load a ranker with the recommenders that its card names.

    Raises
    ------
    DataError
        If one of them is missing or was retrained since, or the cross features are not those of this program.
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
        raise DataError(card.path, f"names no {missing[0]}, which a ranker requires")
    data = RankerData(folder.catalogue, load_parts(folders))
    features = feature_names(data)
    if card["features"] != features:
        raise DataError(card.path, "was trained on other cross features than this program's; train it again")
    network = load_network(card)

    def score(values: Floats) -> Floats:
        if not len(values):
            return np.empty(0, dtype=np.float32)
        return np.asarray(network(features=values)["score"][:, 0], dtype=np.float32)

    return Ranker(card.name, data, score)


def find_part(name: str, card: Card) -> Card:
    """The card of a part by its name or folder; a DataError if it is missing."""
    try:
        return load_card(find_model(name), "recommender")
    except DiscoError:
        raise DataError(
            card.folder, f"ranks candidates of {name}, which no longer exists; train it, and {card.name} again"
        ) from None


def feature_names(data: RankerData) -> list[str]:
    """Names of the cross features, in their order."""
    return list(candidate_pools([Query(np.empty(0, dtype=np.intp))], data)[0].columns)


def ranker_data(catalogue: Catalogue, cards: dict[str, Card]) -> RankerData:
    """Inputs of the cross features, from the cards of the parts by method."""
    parts: Parts = load_parts({method: Artifacts(card, catalogue) for method, card in cards.items()})
    return RankerData(catalogue, parts)


def trained_parts(names: Sequence[str | Path]) -> dict[str, Card]:
    """Cards of the recommenders whose candidates are ranked, by method.

    Raises
    ------
    DataError
        If one is missing (the message has the commands that train them), or its method is not supported.
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
