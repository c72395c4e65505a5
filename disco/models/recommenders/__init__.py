"""Recommenders: from seeds or a title to the few hundred candidate tracks of a playlist."""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType

from disco.catalogue import Catalogue
from disco.errors import DataError, DiscoError, NotFoundError
from disco.models.card import MODELS, Card, as_described, find_model, load_card, model_names, user_models
from disco.models.recommenders.artifacts import Artifacts
from disco.models.recommenders.nearest import Nearest
from disco.models.recommenders.query import Candidates, Query, Recommender
from disco.models.scaler import scaled_features, scaler

log = logging.getLogger(__name__)


def nearest(catalogue: Catalogue) -> Recommender:
    """The recommender of the nearest tracks by the eight scaled features."""
    return Nearest(scaled_features(catalogue, scaler()))


def _music(catalogue: Catalogue) -> Recommender:
    """The recommender of the shipped model `music`, which is also a predictor."""
    found: Recommender = _module("music").load(catalogue, find_model("music"))
    return found


# The default for users who trained nothing: of the untrained and shipped ones it continues held-out playlists best.
DEFAULT = "music"
# Recommenders that need no training: name to constructor.
RECOMMENDERS: dict[str, Callable[[Catalogue], Recommender]] = {"music": _music, "nearest": nearest}
# Recommenders that ask an online service; used only where the user names them.
ONLINE = ("listenbrainz", "reccobeats")
# Recommenders that are trained, by the `method` on their card.
METHODS: tuple[str, ...] = ("popularity", "playlist-knn", "item-knn", "als", "collective", "set-transformer")
METHODS += ("title-knn", "two-tower", "ranker", "blend", "autoencoder", "content", "embedding-mlp")

# Methods that combine other recommenders. Only these become the default once the user trained them.
SECOND_STAGE = ("ranker", "blend")


def load_recommender(name: str | Path, catalogue: Catalogue) -> Recommender:
    """Load a recommender for a catalogue.

    Parameters
    ----------
    name : str or Path
        A name in `RECOMMENDERS` or `ONLINE`, the name of a shipped or trained recommender, or the folder of one.
    catalogue : Catalogue

    Returns
    -------
    Recommender

    Raises
    ------
    NotFoundError
        If there is no such recommender; the message lists the names that exist.
    DataError
        If its files are invalid, or it knows no track of the catalogue.

    Examples
    --------
    >>> import disco
    >>> catalogue = disco.open()  # the demo
    >>> recommender = load_recommender("nearest", catalogue)
    >>> len(recommender.recommend(Query(catalogue.rows(["demo-01197"])), 10).rows)
    10
    """
    if str(name) in RECOMMENDERS:
        return RECOMMENDERS[str(name)](catalogue)
    if str(name) in ONLINE:
        online: Recommender = _module(str(name)).load(catalogue)
        return online
    try:
        folder = find_model(name)
    except NotFoundError:
        known = ", ".join([*RECOMMENDERS, *trained_recommenders(), *ONLINE])
        raise NotFoundError(
            f"there is no recommender {str(name)!r}; there are: {known}, or a model's folder"
        ) from None
    if "space_scale" in load_card(folder).fields:  # a predictor whose space finds candidates too
        with as_described(folder):
            shared: Recommender = _module("music").load(catalogue, folder)
        return shared
    card = load_card(folder, "recommender")
    if card["method"] not in METHODS:
        raise DataError(card.path, f"is by the method {card['method']!r}; known are {', '.join(METHODS)}")
    parts = (load_recommender,) if card["method"] == "blend" else ()
    with as_described(folder):
        trained: Recommender = _module(card["method"]).load(Artifacts(card, catalogue), *parts)
    return trained


def data_notice(name: str | None) -> str | None:
    """What the recommender of this name sends to a service; None if nothing.

    Examples
    --------
    >>> data_notice("nearest") is None
    True
    """
    return str(_module(name).DATA_NOTICE) if name in ONLINE else None


def _module(method: str | None) -> ModuleType:
    """The module of a method, imported when it is used."""
    return import_module(f"disco.models.recommenders.{str(method).replace('-', '_')}")


def default_recommender(catalogue: Catalogue) -> Recommender:
    """The recommender that is used where the user names none.

    If the user trained rankers or blends that know tracks of this catalogue, the one with the best validation score;
    otherwise `music`; `nearest` where its files are damaged, with a warning.

    Examples
    --------
    >>> import disco
    >>> default_recommender(disco.open()).name
    'music'
    """
    found = []
    for name in model_names(user_models()):
        try:
            load_card(user_models() / name)
        except DataError as error:
            log.warning("%s; the model is passed over", error)
    for name in trained_recommenders():
        card = load_card(find_model(name), "recommender")
        if card["method"] in SECOND_STAGE:
            found.append((validation_score(card), name))
    for _, name in sorted(found, reverse=True):
        try:
            return load_recommender(name, catalogue)
        except DataError:  # trained on another catalogue, or a part is missing: the user did not ask for this one
            continue
    try:
        return load_recommender(DEFAULT, catalogue)
    except (DataError, NotFoundError) as error:
        log.warning("the model %s is not used: %s; candidates are the nearest tracks", DEFAULT, error)
        return nearest(catalogue)


def validation_score(card: Card) -> float:
    """Mean of R-precision and NDCG over the validation protocols on a card; 0 if there are none."""
    try:
        protocols = card["metrics"]["continuation"]["validation"].values()
        values = [float(protocol[name]) for protocol in protocols for name in ("r_precision", "ndcg")]
    except (DiscoError, KeyError, TypeError, ValueError, AttributeError):
        return 0.0
    return sum(values) / len(values) if values else 0.0


def trained_recommenders() -> list[str]:
    """Names of the shipped and trained recommenders with a valid card.

    Examples
    --------
    >>> trained_recommenders()[:2]
    ['autoencoder', 'content']
    """
    names = []
    for folder in (MODELS, user_models()):
        for name in model_names(folder):
            try:
                load_card(folder / name, "recommender")
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
