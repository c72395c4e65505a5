"""A model folder: `card.json` beside the ONNX files and arrays that it describes.

A card gives the model's inputs and outputs, who measured the features, the training data and its terms. It is
validated here, whole, when it is read. The scaler and the PCA are numbers on a card of kind `features`. No pickle is
ever read.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Required, TypedDict

import msgspec
from msgspec import Meta

from disco.errors import DataError, NotFoundError, validation_message
from disco.sources import storage
from disco.sources.folders import recover
from disco.sources.limits import content_of

MODELS = Path(__file__).parent / "weights"
# Raised when a card can no longer be read by the program that wrote the one before.
FORMAT = 1
# Of a card; the longest shipped has 20 kB.
_MOST_BYTES = 16 << 20

# JSON as Python reads it may hold NaN and Infinity: the bounds exclude both.
Finite = Annotated[float, Meta(ge=-1e300, le=1e300)]
Above0 = Annotated[float, Meta(gt=0, le=1e300)]
# Sizes of inputs, outputs, states and lists of words; the largest shipped is 315.
_Size = Annotated[int, Meta(ge=1, le=1_000_000)]
# The name of a file in the model's own folder, and of what a card names.
_File = Annotated[str, Meta(pattern=r"^\w[\w. -]{0,200}$")]
_Name = Annotated[str, Meta(min_length=1, max_length=200)]
_Eight = Annotated[list[Finite], Meta(min_length=8, max_length=8)]
_Fifteen = Annotated[list[Finite], Meta(min_length=15, max_length=15)]


class _Network(TypedDict, total=False):
    file: Required[_File]
    inputs: Required[dict[str, _Size]]
    outputs: Required[dict[str, _Size]]
    sha256: Required[str]


class _Step(_Network, total=False):
    state: Required[_Size]


class _ScalerReference(TypedDict):
    model: str
    version: str


class _Scaler(TypedDict):
    lambdas: _Eight
    mean: _Eight
    scale: _Eight
    quantiles: Annotated[list[list[Finite]], Meta(min_length=8, max_length=8)]


class _Pca(TypedDict):
    mean: _Eight
    components: list[_Eight]


class _Standard(TypedDict):
    mean: _Fifteen
    scale: _Fifteen


class _Part(TypedDict):
    name: _Name
    files: dict[_File, str]


class _FeaturesCard(TypedDict):
    name: _Name
    version: str
    feature_set: str
    inputs: list[_Name]
    scaler: _Scaler
    pca: _Pca


class _PredictorCard(TypedDict, total=False):
    name: Required[_Name]
    inputs: Required[list[str]]
    output: Required[str | list[str]]
    scaler: Required[_ScalerReference]
    network: Required[_Step]
    tower: _Network
    genre_words: Annotated[int, Meta(ge=0, le=1_000_000)]
    mode_when_unknown: Finite
    space_scale: Above0
    space_range: Above0
    prior_scale: Finite
    unfamiliar_prior: Finite
    artist_bonus: Finite
    files: dict[_File, str]


class _RecommenderCard(TypedDict, total=False):
    name: Required[_Name]
    method: Required[str]
    feature_set: str
    inputs: list[_Name]
    files: dict[_File, str]
    parameters: dict[str, Finite]
    parts: dict[str, Above0 | _Part]
    settings: dict[str, Any]
    features: list[str]
    scaler: _ScalerReference
    standard: _Standard
    network: _Network
    tower: _Network
    encoder: _Network


_KINDS: dict[str, Any] = {
    "features": _FeaturesCard,
    "predictor": _PredictorCard,
    "recommender": _RecommenderCard,
}


@dataclass(frozen=True)
class Card:
    """The fields of a model's card, and the folder of the model.

    Attributes
    ----------
    folder : Path
    fields : dict
        What `card.json` holds, validated.

    Examples
    --------
    >>> card = read_card("rank", "predictor")
    >>> card.name, card["feature_set"]
    ('rank', 'spotify')
    """

    folder: Path
    fields: dict[str, Any]

    @property
    def name(self) -> str:
        """The model's name."""
        return str(self.fields["name"])

    @property
    def path(self) -> Path:
        """The card's file, for messages."""
        return self.folder / "card.json"

    def __getitem__(self, key: str) -> Any:
        if key not in self.fields:
            raise DataError(self.path, f"has no {key!r}")
        return self.fields[key]


def user_models() -> Path:
    """Folder of the models that the user trained: `models` in the user's data folder."""
    return storage.user_data_dir() / "models"


def read_card(name: str | Path, kind: str) -> Card:
    """Read the card of a model.

    Parameters
    ----------
    name : str or Path
        Name of a shipped model, name of a model that the user trained, or a model's folder; looked up in this order.
    kind : str
        `"features"`, `"predictor"` or `"recommender"`.

    Raises
    ------
    NotFoundError
        If there is no such model.
    DataError
        If its card is invalid, of a newer format or of another kind.

    Examples
    --------
    >>> read_card("classic", "predictor")["network"]["file"]
    'step.onnx'
    """
    return load_card(find_model(name), kind)


def find_model(name: str | Path) -> Path:
    """Folder of a model.

    Parameters
    ----------
    name : str or Path
        As in `read_card`.

    Raises
    ------
    NotFoundError
        If there is no such model; the message lists the names that exist.

    Examples
    --------
    >>> find_model("rank") == MODELS / "rank"
    True
    """
    try:
        folders = (MODELS / str(name), user_models() / str(name), Path(name))
        recover(folders[1])
        found = next((folder for folder in folders if (folder / "card.json").is_file()), None)
    except (OSError, ValueError):  # a name that no file can have
        found = None
    if found is None or not str(name).strip():
        shipped, own = (", ".join(model_names(folder)) for folder in (MODELS, user_models()))
        known = f"shipped are {shipped}" + (f", trained by you {own}" if own else "")
        raise NotFoundError(f"{name}: no model of this name or folder; {known}")
    return found


def model_names(folder: Path) -> list[str]:
    """Names of the models in a folder, sorted.

    Examples
    --------
    >>> model_names(MODELS)
    ['autoencoder', 'classic', 'content', 'features', 'gru', 'music', 'rank']
    """
    return sorted(path.parent.name for path in folder.glob("*/card.json"))


def load_card(folder: Path, kind: str | None = None) -> Card:
    """Read and validate the card in a model's folder; of that kind if one is given.

    Raises
    ------
    DataError
        As `read_card`.
    """
    path = folder / "card.json"
    try:
        fields = json.loads(content_of(path, _MOST_BYTES).decode("utf-8"))
    except (ValueError, OSError, RecursionError) as error:
        raise DataError(path, f"is not a readable card ({error})") from None
    if not isinstance(fields, dict) or not isinstance(fields.get("format"), int):
        raise DataError(path, "is not a model's card: it has no format number")
    if fields["format"] > FORMAT:
        raise DataError(path, f"has format {fields['format']}, newer than this program's {FORMAT}; update disco")
    found = fields.get("kind")
    if kind is not None and found != kind:
        raise DataError(path, f"is a model of kind {found!r} where {kind!r} is needed")
    if not isinstance(found, str) or found not in _KINDS:
        raise DataError(path, f"is a model of kind {found!r}; known are {', '.join(_KINDS)}")
    try:
        msgspec.convert(fields, _KINDS[found])
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        raise DataError(path, f"is not a {found}'s card: {validation_message(error)}") from None
    return Card(folder, fields)


@contextlib.contextmanager
def as_described(folder: Path) -> Iterator[None]:
    """Report whatever goes wrong while a model is made of its files, which its card may not describe.

    Raises
    ------
    DataError
        In the place of what cannot be done with the files as they are.

    Examples
    --------
    >>> with as_described(MODELS / "rank"):
    ...     {}["step"]
    Traceback (most recent call last):
        ...
    disco.errors.DataError: ...rank...card.json: does not describe the model's files (KeyError: 'step')
    """
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, MemoryError) as error:
        what = f"does not describe the model's files ({type(error).__name__}: {str(error)[:100]})"
        raise DataError(folder / "card.json", what) from None
