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
from disco.catalogue.table import PERSON
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


def user_data() -> Path:
    """The user's data folder: `$DISCO_DATA`, or else the system's own place for it."""
    return folders.data()


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


@dataclass(frozen=True)
class Scaler:
    """Yeo-Johnson transform and standardisation of the eight features, with the PCA that draws them.

    Source: Yeo & Johnson (2000), "A new family of power transformations to improve normality or
    symmetry", Biometrika 87(4); fitted with scikit-learn, with which it agrees to 1e-5. `quantiles`, shape (8, q),
    are those of the raw features at the middles of q equal shares of the tracks it was fitted on.
    """

    feature_set: str
    lambdas: Floats
    mean: Floats
    scale: Floats
    centre: Floats
    components: Floats
    quantiles: Floats

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
    arrays = [np.asarray(values, dtype=np.float32) for values in (*numbers, np.transpose(said["quantiles"]))]
    if any(a.shape[-1] != len(FEATURES) or not np.isfinite(a).all() for a in arrays):
        raise DataError(card.folder / "card.json", "does not hold eight finite numbers for each of scaler and PCA")
    arrays[-1] = arrays[-1].T
    return Scaler(str(card["feature_set"]), *arrays)


def scaled_features(catalogue: Catalogue, by: Scaler) -> Floats:
    """Scaled features of a catalogue, shape (n, 8), NaN where a feature is unknown.

    Features of another set than the scaler's mean other things. Each then counts by its rank: a track louder than
    nine in ten that the set measured is taken to be as loud as the track of that rank among those the scaler was
    fitted on (quantile matching). What a person said is on the scaler's own scales.
    """
    scaled = by.transform(catalogue.features(by.feature_set))
    for name in catalogue.feature_sets:
        if name == by.feature_set:
            continue
        raw = catalogue.features(name)
        rows = np.flatnonzero(~np.isnan(raw).all(axis=1))
        if len(rows):
            scaled[rows] = by.transform(raw[rows] if name == PERSON else matched(raw[rows], name, catalogue, by))
    return scaled


def sound(catalogue: Catalogue, by: Scaler) -> Floats:
    """Scaled features, shape (n, 8), with 0, the mean, for unknown ones; NaN for tracks without any."""
    scaled = scaled_features(catalogue, by)
    unknown = np.isnan(scaled)
    return np.where(unknown & ~unknown.all(axis=1, keepdims=True), np.float32(0), scaled) if unknown.any() else scaled


def matched(raw: Floats, feature_set: str, catalogue: Catalogue, by: Scaler) -> Floats:
    """Features (n, 8) that a set measured, as the scaler's set has the same ranks; NaN stays NaN.

    Ranks are those among all of the catalogue that the tracks were taken from, equal values sharing the middle of
    theirs.
    """
    among = catalogue.origin or catalogue
    if feature_set not in among.feature_sets:
        among = catalogue
    shares = (np.arange(by.quantiles.shape[1]) + 0.5) / by.quantiles.shape[1]
    likely = np.full_like(raw, np.nan)
    for i, known in enumerate(among.spread(feature_set)):
        here = ~np.isnan(raw[:, i])
        value = raw[here, i]
        if len(value):
            rank = (np.searchsorted(known, value, "left") + np.searchsorted(known, value, "right")) / 2
            likely[here, i] = np.interp(rank / len(known), shares, by.quantiles[i])
    return likely


def matched_notes(catalogue: Catalogue, feature_set: str) -> list[str]:
    """A sentence on whose features count by their ranks, for a model that learned from `feature_set`."""
    notes = []
    for name in catalogue.feature_sets:
        if name not in (feature_set, PERSON):
            n = int((~np.isnan(catalogue.features(name)).all(axis=1)).sum())
            notes.append(
                f"{n:,} tracks have features by {name!r}, which the models did not learn from: "
                "each feature counts by its rank among these tracks"
            )
    return notes


def check_feature_set(catalogue: Catalogue, by: Scaler) -> None:
    """Refuse to learn from features that another set measured than the scaler's, matched or not.

    Raises
    ------
    DataError
        If most of the catalogue's features are such.
    """
    if catalogue.measured.any() and catalogue.feature_set != by.feature_set:
        raise DataError(
            catalogue.where, f"has features of the set {catalogue.feature_set!r}; the model knows {by.feature_set!r}"
        )


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
