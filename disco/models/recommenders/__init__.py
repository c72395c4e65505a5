"""Candidates: of all tracks, the few hundred that the next one is chosen from."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType

from disco.catalogue import Catalogue
from disco.errors import DataError, DiscoError, NotFoundError
from disco.models.card import MODELS, Card, find_model, load_card, model_names, user_models
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
# Methods that ask a service on the network; never used unless they are named.
ONLINE = ("listenbrainz", "reccobeats")
# Methods that are trained, as a card names them.
METHODS: tuple[str, ...] = (
    "popularity",
    "playlist-knn",
    "item-knn",
    "als",
    "collective",
    "set-transformer",
    "title-knn",
    "two-tower",
)
METHODS += ("ranker", "blend", "autoencoder", "content", "embedding-mlp")

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
        loaded: Recommender = _module(str(name)).load(catalogue)
        return loaded
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
    module, artifacts = _module(card["method"]), Artifacts(card, catalogue)
    found: Recommender = (
        module.load(artifacts, load_recommender) if card["method"] == "blend" else module.load(artifacts)
    )
    return found


def data_notice(name: str | None) -> str | None:
    """What a service is sent by the recommender of this name; None where nothing is sent."""
    return str(_module(name).DATA_NOTICE) if name in ONLINE else None


def _module(method: str | None) -> ModuleType:
    """The module of a method, imported when it is used."""
    return import_module(f"disco.models.recommenders.{str(method).replace('-', '_')}")


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
    "DEFAULT",
    "METHODS",
    "ONLINE",
    "RECOMMENDERS",
    "Candidates",
    "Nearest",
    "Query",
    "Recommender",
    "data_notice",
    "default_recommender",
    "load_recommender",
    "trained_recommenders",
]
