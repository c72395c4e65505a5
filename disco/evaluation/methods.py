"""Predictors and recommenders by name, for every protocol; `default` names what is used where nothing is named."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from disco.catalogue import Catalogue
from disco.errors import DataError
from disco.models.predictors import PREDICTORS, Predictor, load_predictor
from disco.models.recommenders import (
    RECOMMENDERS,
    Recommender,
    default_recommender,
    load_recommender,
    trained_recommenders,
)

log = logging.getLogger(__name__)
DEFAULT = "default"


def predictor_by_name(name: str | Path) -> Predictor:
    """The predictor of a name or folder; of `default` the one that `disco.make` uses where none is named.

    Examples
    --------
    >>> predictor_by_name("default").name == load_predictor().name
    True
    """
    return load_predictor(PREDICTORS[0] if name == DEFAULT else name)


def recommender_by_name(name: str | Path, catalogue: Catalogue) -> Recommender:
    """The recommender of a name or folder; of `default` the one that `disco.make` uses where none is named.

    Examples
    --------
    >>> import disco
    >>> recommender_by_name("default", disco.open()).name == default_recommender(disco.open()).name
    True
    """
    return default_recommender(catalogue) if name == DEFAULT else load_recommender(name, catalogue)


def recommenders_by_name(names: Sequence[str] | None, catalogue: Catalogue) -> list[Recommender]:
    """The recommenders of these names, or else all that fit the catalogue; the log says why others do not."""
    if names:
        return [recommender_by_name(name, catalogue) for name in names]
    found: list[Recommender] = []
    for name in [*RECOMMENDERS, *trained_recommenders()]:
        try:
            found.append(load_recommender(name, catalogue))
        except DataError as error:
            log.info("skipped: %s", error)
    return found
