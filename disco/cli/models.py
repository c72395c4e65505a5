"""Door: the models that are here, shipped or trained by the user. `disco models list|show|remove`."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from disco.catalogue.text import printable
from disco.cli import console
from disco.errors import DataError, DiscoError, NotFoundError
from disco.models.card import MODELS, find_model, load_card, model_names, user_models


def facts(folder: Path) -> dict[str, Any]:
    """What there is to know of a model at a glance; of a broken one, why it is."""
    known: dict[str, Any] = {
        "name": folder.name,
        "folder": str(folder),
        "shipped": folder.parent == MODELS,
        "bytes": sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
    }
    try:
        says = load_card(folder).fields
    except DataError as error:
        return {**known, "broken": str(error)}
    data, catalogue = (says[key] if isinstance(says.get(key), dict) else {} for key in ("data", "catalogue"))
    return {
        **known,
        "kind": says.get("kind"),
        "method": says.get("method"),
        "date": says.get("date"),
        "days": _days(says.get("date")),
        "tracks": data.get("tracks"),
        "catalogue": catalogue.get("where"),
    }


def _days(day: Any) -> int | None:
    try:
        return (date.today() - date.fromisoformat(str(day))).days
    except ValueError:
        return None


def remove(name: str) -> None:
    """Remove a model that the user trained; it is moved aside first, so that no half of it stays.

    Raises
    ------
    NotFoundError, DiscoError
        If there is none of this name in the user's data folder, or something else lies in it.
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


def parser() -> argparse.ArgumentParser:
    """The options of this command."""
    p = argparse.ArgumentParser(
        prog="disco models", description="The models that are here: shipped, or trained by you."
    )
    verbs = p.add_subparsers(dest="verb", required=True, metavar="VERB")
    v = verbs.add_parser("list", help="every model: its kind, for which catalogue, how old, how large")
    v.add_argument("--json", action="store_true", help="print one JSON object")
    v = verbs.add_parser("show", help="what a model says of itself")
    v.add_argument("name", metavar="NAME", help="its name, or its folder")
    v = verbs.add_parser("remove", help="remove a model that you trained")
    v.add_argument("name", metavar="NAME")
    v.add_argument("--force", action="store_true", help="do not ask")
    return p


@console.command
def main(argv: Sequence[str] | None = None) -> int:
    """List models, show one, or remove one."""
    arguments = parser().parse_args(argv)
    if arguments.verb == "list":
        models = [facts(place / name) for place in (MODELS, user_models()) for name in model_names(place)]
        if arguments.json:
            print(json.dumps({"models": models, "folder": str(user_models())}, ensure_ascii=False, indent=2))
        else:
            _show(models)
    elif arguments.verb == "show":
        card = load_card(find_model(arguments.name))
        print(json.dumps({"folder": str(card.folder), **card.fields}, ensure_ascii=True, indent=2))
    else:
        if not arguments.force and not _sure(arguments.name):
            raise DiscoError(f"{arguments.name} stays; --force removes it without asking")
        remove(arguments.name)
        console.say(f"{arguments.name} is removed")
    return 0


def _sure(name: str) -> bool:
    print(f"Remove {printable(name)} from {user_models()}? y/n [n]: ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _show(models: Sequence[dict[str, Any]]) -> None:
    print(f"{'name':<18}{'kind':<14}{'tracks':>10}{'age':>10}{'size':>10}  catalogue")
    for model in models:
        if "broken" in model:
            print(f"{printable(model['name']):<18}broken: {printable(model['broken'])}")
            continue
        tracks = f"{model['tracks']:,}" if isinstance(model["tracks"], int) else ""
        age = "" if model["days"] is None else "today" if model["days"] < 1 else f"{model['days']} d"
        where = "shipped" if model["shipped"] else printable(str(model["catalogue"] or ""))
        size = f"{model['bytes'] / 1e6:.1f} MB"
        kind = printable(str(model["kind"]))
        print(f"{printable(model['name']):<18}{kind:<14}{tracks:>10}{age:>10}{size:>10}  {where}")
    print(f"\nyours are in {user_models()}")
