"""Candidates: of all tracks, the few hundred that the next one is chosen from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from disco.catalogue import Catalogue
from disco.errors import DataError, DiscoError, NotFoundError
from disco.models.card import MODELS, Card, find_model, load_card, model_names, user_models
from disco.models.recommenders import (
    als,
    autoencoder,
    blend,
    collective,
    content,
    embedding_mlp,
    item_knn,
    listenbrainz,
    playlist_knn,
    popularity,
    ranker,
    reccobeats,
    set_transformer,
    title_knn,
    two_tower,
)
from disco.models.recommenders.artifacts import Artifacts
from disco.models.recommenders.nearest import Nearest
from disco.models.recommenders.query import Candidates, Query, Recommender
from disco.models.scaler import scaled_features, scaler


def nearest(catalogue: Catalogue) -> Recommender:
    """The nearest by the eight scaled features."""
    return Nearest(scaled_features(catalogue, scaler()))


# The default of who trained nothing: of those, it continues held-out playlists best (docs/research/results.md).
DEFAULT = "content"
# It places about 45 tracks in a millisecond, all of a catalogue at once: of more than so many one would wait for
# seconds, and the plain `nearest` is asked instead.
_MAX_TRACKS_FOR_CONTENT = 100_000
# What is not trained at all, from a catalogue.
RECOMMENDERS: dict[str, Callable[[Catalogue], Recommender]] = {"nearest": nearest}
# What asks a service on the network, never but by name, and what the service is told.
ONLINE: dict[str, Callable[[Catalogue], Recommender]] = {
    "listenbrainz": listenbrainz.ListenBrainz,
    "reccobeats": reccobeats.ReccoBeats,
}
DATA_NOTICES = {"listenbrainz": listenbrainz.DATA_NOTICE, "reccobeats": reccobeats.DATA_NOTICE}
# What is trained: from the `method` on a card to what loads its folder.
METHODS: dict[str, Callable[[Artifacts], Recommender]] = {
    "popularity": popularity.load,
    "playlist-knn": playlist_knn.load,
    "item-knn": item_knn.load,
    "als": als.load,
    "collective": collective.load,
    "set-transformer": set_transformer.load,
    "title-knn": title_knn.load,
    "two-tower": two_tower.load,
    "ranker": ranker.load,
    "blend": lambda folder: blend.load(folder, load_recommender),
    "autoencoder": autoencoder.load,
    "content": content.load,
    "embedding-mlp": embedding_mlp.load,
}

# Methods that build on others: of these one may be the default.
SECOND_STAGE = ("ranker", "blend")


def load_recommender(name: str | Path, catalogue: Catalogue) -> Recommender:
    """A recommender by its name, or by the folder of one that the user trained, for a catalogue.

    Raises
    ------
    NotFoundError, DataError
        If there is none of this name or folder; if it is broken, or knows no track of this catalogue.
    """
    if str(name) in RECOMMENDERS:
        return RECOMMENDERS[str(name)](catalogue)
    if str(name) in ONLINE:
        return ONLINE[str(name)](catalogue)
    try:
        folder = find_model(name)
    except NotFoundError:
        there = ", ".join([*RECOMMENDERS, *trained_recommenders(), *ONLINE])
        raise NotFoundError(
            f"there is no recommender {str(name)!r}; there are: {there}, or a model's folder"
        ) from None
    card = load_card(folder, "recommender")
    if card["method"] not in METHODS:
        raise DataError(card.path, f"is by the method {card['method']!r}; known are {', '.join(METHODS)}")
    return METHODS[card["method"]](Artifacts(card, catalogue))


def default_recommender(catalogue: Catalogue) -> Recommender:
    """What is asked where the user names no recommender.

    Of the rankers and blends that the user trained, the one that found most of the validation playlists, if it knows
    any track of the catalogue; or else `content`, which is shipped, and `nearest` for catalogues so large that
    `content` would take seconds to place their tracks.
    """
    found = []
    for name in trained_recommenders():
        card = load_card(find_model(name), "recommender")
        if card["method"] in SECOND_STAGE:
            found.append((validation_score(card), name))
    for _, name in sorted(found, reverse=True):
        try:
            return load_recommender(name, catalogue)
        except DataError:  # of another catalogue, or without its parts: not what was asked for by name
            continue
    return load_recommender(DEFAULT if len(catalogue) <= _MAX_TRACKS_FOR_CONTENT else "nearest", catalogue)


def validation_score(card: Card) -> float:
    """R-precision and NDCG on the validation playlists, the mean of all that the card has measured; 0 if none."""
    try:
        protocols = card["metrics"]["continuation"]["validation"].values()
        values = [float(each[name]) for each in protocols for name in ("r_precision", "ndcg")]
    except (DiscoError, KeyError, TypeError, ValueError, AttributeError):
        return 0.0
    return sum(values) / len(values) if values else 0.0


def trained_recommenders() -> list[str]:
    """Names of the recommenders that are shipped, or that the user trained; broken ones are left out."""
    names = []
    for place in (MODELS, user_models()):
        for name in model_names(place):
            try:
                load_card(place / name, "recommender")
            except DiscoError:
                continue
            names.append(name)
    return list(dict.fromkeys(names))


__all__ = [
    "DATA_NOTICES",
    "DEFAULT",
    "METHODS",
    "ONLINE",
    "RECOMMENDERS",
    "Candidates",
    "Nearest",
    "Query",
    "Recommender",
    "default_recommender",
    "load_recommender",
    "trained_recommenders",
]
