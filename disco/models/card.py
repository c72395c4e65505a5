"""A model folder is `card.json` beside its ONNX file: read, checked and run, without the packages that made it.

A card says what goes in, what comes out, who measured the features, what it was trained on and under
which terms. The scaler and the PCA are numbers on a card of kind `features`. No pickle is ever read.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from disco.errors import DataError, NotFoundError
from disco.sources import storage

MODELS = Path(__file__).parent / "weights"
# Raised when a card can no longer be read by the program that wrote the one before.
FORMAT = 1


@dataclass(frozen=True)
class Card:
    """What a model says of itself, and the folder it lies in."""

    folder: Path
    says: dict[str, Any]

    @property
    def name(self) -> str:
        """The model's name."""
        return str(self.says["name"])

    def __getitem__(self, key: str) -> Any:
        if key not in self.says:
            raise DataError(self.folder / "card.json", f"says nothing of {key!r}")
        return self.says[key]


def user_data() -> Path:
    """The user's data folder: `$DISCO_DATA`, or else the system's own place for it."""
    return storage.user_data_dir()


def user_models() -> Path:
    """Folder of the models that the user trained."""
    return user_data() / "models"


def read_card(name: str | Path, kind: str) -> Card:
    """Read the card of a shipped model by name, of a model that the user trained by name, or of any by its folder.

    Raises
    ------
    NotFoundError, DataError
        If there is no such model, or it is broken, newer than this program or of another kind.
    """
    folder = find_model(name)
    return checked_card(folder, kind)


def find_model(name: str | Path) -> Path:
    """Folder of a model by its name or path; a NotFoundError says which models there are."""
    try:
        places = (MODELS / str(name), user_models() / str(name), Path(name))
        found = next((place for place in places if (place / "card.json").is_file()), None)
    except (OSError, ValueError):  # a name that no file can have
        found = None
    if found is None or not str(name).strip():
        shipped, own = (", ".join(names_in(folder)) for folder in (MODELS, user_models()))
        there = f"shipped are {shipped}" + (f", trained by you {own}" if own else "")
        raise NotFoundError(f"{name}: no model of this name or folder; {there}")
    return found


def names_in(folder: Path) -> list[str]:
    """Names of the models in a folder, sorted."""
    return sorted(path.parent.name for path in folder.glob("*/card.json"))


def checked_card(folder: Path, kind: str | None = None) -> Card:
    """The card of a model folder, of that kind if one is named; raises as `read_card`."""
    path = folder / "card.json"
    try:
        says = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise DataError(path, f"is not a readable card ({error})") from None
    if not isinstance(says, dict) or not isinstance(says.get("format"), int):
        raise DataError(path, "is not a model's card: it has no format number")
    if says["format"] > FORMAT:
        raise DataError(path, f"has format {says['format']}, newer than this program's {FORMAT}; update disco")
    if kind is not None and says.get("kind") != kind:
        raise DataError(path, f"is a model of kind {says.get('kind')!r} where {kind!r} is needed")
    return Card(folder, says)
