"""A model folder is `card.json` beside its ONNX file: read, checked and run, without the packages that made it.

A card says what goes in, what comes out, who measured the features, what it was trained on and under
which terms. The scaler and the PCA are numbers on a card of kind `features`. No pickle is ever read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from disco import folders
from disco.catalogue import FEATURES, Catalogue, Floats
from disco.errors import DataError, NotFoundError

MODELS = Path(__file__).parent / "models"
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


def user_models() -> Path:
    """Folder of the models that the user trained: `$DISCO_DATA/models`, or else in the user's data folder."""
    return folders.data() / "models"


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


@dataclass(frozen=True)
class Scaler:
    """Yeo-Johnson transform and standardisation of the eight features, with the PCA that draws them.

    Source: Yeo & Johnson (2000), "A new family of power transformations to improve normality or
    symmetry", Biometrika 87(4); fitted with scikit-learn, with which it agrees to 1e-5.
    """

    feature_set: str
    lambdas: Floats
    mean: Floats
    scale: Floats
    centre: Floats
    components: Floats

    def transform(self, features: Floats) -> Floats:
        """Scaled features, mean 0 and sd 1 over the tracks it was fitted on; shape kept, NaN stays NaN.

        Parameters
        ----------
        features : ndarray, shape (n, 8)
            Raw units, in the order of `FEATURES`.
        """
        scaled = np.empty((len(self.lambdas), len(features)), dtype=np.float32)

        def column(i: int) -> None:
            np.subtract(_yeo_johnson(features[:, i], self.lambdas[i]), self.mean[i], out=scaled[i])
            scaled[i] /= self.scale[i]

        # NumPy lets other threads work meanwhile, and a million tracks are worth theirs.
        with ThreadPoolExecutor() as threads:
            list(threads.map(column, range(len(scaled))))
        return scaled.T

    def project(self, scaled: Floats) -> Floats:
        """The first three principal components of scaled features, shape (n, 3)."""
        return np.asarray((scaled - self.centre) @ self.components.T, dtype=np.float32)


def _yeo_johnson(x: Floats, power: np.float32) -> Floats:
    """The transform through expm1 and log1p: (1 + x)^p - 1 itself would lose digits where x is small."""

    def grow(x: Floats, power: np.float32) -> Floats:
        logarithm: Floats = np.log1p(x)
        return logarithm if abs(power) < 1e-6 else np.asarray(np.expm1(power * logarithm) / power, x.dtype)

    negative = x < 0
    if not negative.any():
        return grow(x, power)
    positive_part = grow(np.where(negative, 0, x), power)
    negative_part = grow(np.where(negative, -x, 0), 2 - power)
    return np.asarray(np.where(negative, -negative_part, positive_part), dtype=x.dtype)


@cache
def scaler(name: str = "features", version: str = "1") -> Scaler:
    """The shipped scaler and PCA; `version` is the one that a model was trained with."""
    card = read_card(name, "features")
    if card["version"] != version:
        raise DataError(card.folder, f"is version {card['version']} where a model needs version {version}")
    if tuple(card["inputs"]) != FEATURES:
        raise DataError(card.folder / "card.json", f"scales {card['inputs']}, not {list(FEATURES)}")
    said = card["scaler"]
    numbers = [said["lambdas"], said["mean"], said["scale"], card["pca"]["mean"], card["pca"]["components"]]
    arrays = [np.asarray(values, dtype=np.float32) for values in numbers]
    if any(a.shape[-1] != len(FEATURES) or not np.isfinite(a).all() for a in arrays):
        raise DataError(card.folder / "card.json", "does not hold eight finite numbers for each of scaler and PCA")
    return Scaler(str(card["feature_set"]), *arrays)


def scaled_features(catalogue: Catalogue, by: Scaler) -> Floats:
    """Scaled features of a catalogue, shape (n, 8), NaN for tracks without them.

    Raises
    ------
    DataError
        If the catalogue's features are of another set than the scaler's: they would mean other things.
    """
    if catalogue.measured.any() and catalogue.feature_set != by.feature_set:
        raise DataError(
            catalogue.where, f"has features of the set {catalogue.feature_set!r}; the model knows {by.feature_set!r}"
        )
    features = catalogue.features()
    if not catalogue.measured.all():
        features[~catalogue.measured] = np.nan
    return by.transform(features)


@dataclass(frozen=True)
class Network:
    """An ONNX network that was checked against its card."""

    card: Card
    session: onnxruntime.InferenceSession
    outputs: tuple[str, ...]

    def __call__(self, **inputs: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Outputs by name for inputs by name, as the card has them; the first axis is the batch."""
        return dict(zip(self.outputs, self.session.run(list(self.outputs), inputs), strict=True))


def load_network(card: Card, part: str = "network") -> Network:
    """Load a network that a card names, and check that the two belong together."""
    says = card[part]
    path = card.folder / says["file"]
    if not path.is_file():
        raise DataError(card.folder / "card.json", f"names {says['file']}, which is not there")
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != says["sha256"]:
        raise DataError(path, "is not the file that its card describes (the checksums differ)")
    options = onnxruntime.SessionOptions()
    # A step costs microseconds: waking other threads would cost more than the work.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime has no one class for a file it cannot read
        raise DataError(path, f"is not a readable ONNX network ({str(error)[:100]})") from None
    _check("input", session.get_inputs(), says["inputs"], path)
    _check("output", session.get_outputs(), says["outputs"], path)
    return Network(card, session, tuple(says["outputs"]))


def _check(what: str, found: Sequence[Any], said: dict[str, int], path: Path) -> None:
    has = {node.name: node.shape[-1] for node in found}
    if has != said:
        raise DataError(path, f"has the {what}s {has} where its card says {said}")
