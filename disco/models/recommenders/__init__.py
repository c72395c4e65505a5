"""Recommenders: from seeds or a title to the few hundred candidate tracks of a playlist."""

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
    """The recommender of the nearest tracks by the eight scaled features."""
    return Nearest(scaled_features(catalogue, scaler()))


# The default for users who trained nothing: of the untrained and shipped ones it continues held-out playlists best.
DEFAULT = "content"
# `content` embeds the whole catalogue, about 45 tracks a millisecond; larger catalogues get `nearest` by default.
_MAX_TRACKS_FOR_CONTENT = 100_000
# Recommenders that need no training: name to constructor.
RECOMMENDERS: dict[str, Callable[[Catalogue], Recommender]] = {"nearest": nearest}
# Recommenders that ask an online service; used only where the user names them.
ONLINE: dict[str, Callable[[Catalogue], Recommender]] = {
    "listenbrainz": listenbrainz.ListenBrainz,
    "reccobeats": reccobeats.ReccoBeats,
}
# What these send, for the user to read.
DATA_NOTICES = {"listenbrainz": listenbrainz.DATA_NOTICE, "reccobeats": reccobeats.DATA_NOTICE}
# Loaders of trained recommenders, by the `method` on their card.
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
        return ONLINE[str(name)](catalogue)
    try:
        folder = find_model(name)
    except NotFoundError:
        known = ", ".join([*RECOMMENDERS, *trained_recommenders(), *ONLINE])
        raise NotFoundError(
            f"there is no recommender {str(name)!r}; there are: {known}, or a model's folder"
        ) from None
    card = load_card(folder, "recommender")
    if card["method"] not in METHODS:
        raise DataError(card.path, f"is by the method {card['method']!r}; known are {', '.join(METHODS)}")
    return METHODS[card["method"]](Artifacts(card, catalogue))


def default_recommender(catalogue: Catalogue) -> Recommender:
    """The recommender that is used where the user names none.

    If the user trained rankers or blends that know tracks of this catalogue, the one with the best validation score;
    otherwise `content`, or `nearest` for catalogues of more than 100,000 tracks.

    Examples
    --------
    >>> import disco
    >>> default_recommender(disco.open()).name
    'content'
    """
    found = []
    for name in trained_recommenders():
        card = load_card(find_model(name), "recommender")
        if card["method"] in SECOND_STAGE:
            found.append((validation_score(card), name))
    for _, name in sorted(found, reverse=True):
        try:
            return load_recommender(name, catalogue)
        except DataError:  # trained on another catalogue, or a part is missing: the user did not ask for this one
            continue
    return load_recommender(DEFAULT if len(catalogue) <= _MAX_TRACKS_FOR_CONTENT else "nearest", catalogue)


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
