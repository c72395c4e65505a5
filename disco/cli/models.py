"""The command `disco models list|show|remove`: models that are shipped or that the user trained."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from disco.catalogue.text import printable
from disco.cli import console
from disco.errors import DiscoError
from disco.models.card import find_model, load_card, user_models
from disco.models.installed import list_models, remove_model


def parser() -> argparse.ArgumentParser:
    """The options of this command."""
    p = argparse.ArgumentParser(
        prog="disco models", description="List, show or remove models: shipped, or trained by you."
    )
    commands = p.add_subparsers(dest="command", required=True, metavar="COMMAND")
    command = commands.add_parser("list", help="every model: its kind, catalogue, age and size")
    command.add_argument("--json", action="store_true", help="print one JSON object")
    command = commands.add_parser("show", help="print a model's card")
    command.add_argument("name", metavar="NAME", help="its name, or its folder")
    command = commands.add_parser("remove", help="remove a model that you trained")
    command.add_argument("name", metavar="NAME", help="its name")
    command.add_argument("--force", action="store_true", help="do not ask")
    return p


@console.command
def main(argv: Sequence[str] | None = None) -> int:
    """List models, show one, or remove one."""
    arguments = parser().parse_args(argv)
    if arguments.command == "list":
        models = list_models()
        if arguments.json:
            print(json.dumps({"models": models, "folder": str(user_models())}, ensure_ascii=False, indent=2))
        else:
            _print_table(models)
    elif arguments.command == "show":
        card = load_card(find_model(arguments.name))
        print(json.dumps({"folder": str(card.folder), **card.fields}, ensure_ascii=True, indent=2))
    else:
        if not arguments.force and not _confirmed(arguments.name):
            raise DiscoError(f"{arguments.name} is kept; --force removes it without asking")
        remove_model(arguments.name)
        console.say(f"{arguments.name} is removed")
    return 0


def _confirmed(name: str) -> bool:
    print(f"Remove {printable(name)} from {user_models()}? y/n [n]: ", end="", file=sys.stderr, flush=True)
    return console.read_line().strip().lower() in ("y", "yes")


def _print_table(models: Sequence[dict[str, Any]]) -> None:
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
    print(f"\nmodels that you trained are in {user_models()}")
