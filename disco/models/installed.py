"""The models that are installed: shipped with DISCO, or trained by the user."""

from __future__ import annotations

import os
import shutil
from datetime import date
from pathlib import Path
from typing import Any

from disco.errors import DataError, DiscoError, NotFoundError
from disco.models.card import MODELS, load_card, model_names, user_models


def list_models() -> list[dict[str, Any]]:
    """Facts on every shipped and trained model, as `describe_model` gives them, the shipped ones first.

    Examples
    --------
    >>> [model["name"] for model in list_models() if model["shipped"]]
    ['autoencoder', 'classic', 'content', 'features', 'gru', 'music', 'rank']
    """
    return [describe_model(folder / name) for folder in (MODELS, user_models()) for name in model_names(folder)]


def describe_model(folder: Path) -> dict[str, Any]:
    """Facts on the model in a folder.

    Returns
    -------
    dict
        `name`, `folder`, `shipped`, `bytes`; and `kind`, `method`, `date`, `days` (its age), `tracks` (of its
        training data) and `catalogue` (which it was trained on), or `broken`, the reason why it cannot be read.

    Examples
    --------
    >>> describe_model(MODELS / "rank")["kind"]
    'predictor'
    """
    facts: dict[str, Any] = {
        "name": folder.name,
        "folder": str(folder),
        "shipped": folder.parent == MODELS,
        "bytes": sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
    }
    try:
        fields = load_card(folder).fields
    except DataError as error:
        return {**facts, "broken": str(error)}
    data, catalogue = (fields[key] if isinstance(fields.get(key), dict) else {} for key in ("data", "catalogue"))
    return {
        **facts,
        "kind": fields.get("kind"),
        "method": fields.get("method"),
        "date": fields.get("date"),
        "days": _days_since(fields.get("date")),
        "tracks": data.get("tracks"),
        "catalogue": catalogue.get("where"),
    }


def _days_since(day: Any) -> int | None:
    try:
        return (date.today() - date.fromisoformat(str(day))).days
    except ValueError:
        return None


def remove_model(name: str) -> None:
    """Delete a model that the user trained.

    It is renamed first, so that an interruption leaves no half of it under its name. Of a symbolic link only the link
    is removed.

    Raises
    ------
    NotFoundError
        If the user trained no model of this name.
    DiscoError
        If the model is shipped with DISCO.
    """
    folder = user_models() / name
    if name not in model_names(user_models()):
        if name in model_names(MODELS):
            raise DiscoError(f"{name} is shipped with DISCO and is not removed")
        own = ", ".join(model_names(user_models())) or "none"
        raise NotFoundError(f"{name}: you trained no model of this name; there are {own}")
    if folder.is_symlink():
        folder.unlink()
        return
    aside = folder.with_name(f".{name}.removed-{os.getpid()}")
    folder.rename(aside)
    shutil.rmtree(aside)
