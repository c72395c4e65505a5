"""Files of a trained recommender: vocabulary and arrays, verified by the checksums on its card.

`tracks.parquet` has the ids of the tracks that the model knows, in the order of their numbers; arrays are `.npy`,
networks `.onnx`. No pickle is ever read.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from disco.catalogue import Catalogue, Rows
from disco.errors import DataError, validation_message
from disco.models.card import Card
from disco.models.files import file_array, file_content
from disco.models.recommenders.sparse import Sparse

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Parameters = TypeVar("Parameters", bound="DataclassInstance")

VOCABULARY = "tracks.parquet"
# Names that parameters had on cards and in recipes before, and those that they have now.
OLD_PARAMETERS = {"filling": "popularity_prior", "idf": "idf_power", "rarity": "score_idf_power"}


@dataclass(frozen=True)
class Artifacts:
    """Files of a trained recommender, and the catalogue that it is used with.

    Attributes
    ----------
    card : Card
    catalogue : Catalogue
    """

    card: Card
    catalogue: Catalogue

    @cached_property
    def rows(self) -> Rows:
        """Row in the catalogue of each track of the vocabulary, shape (tracks,); -1 if unmatched.

        Raises
        ------
        DataError
            If the catalogue has no track of the vocabulary.
        """
        path = self.card.folder / VOCABULARY
        try:
            ids = pq.read_table(pa.BufferReader(self.content(VOCABULARY)), columns=["track_id"])["track_id"]
        except pa.ArrowException as error:
            raise DataError(path, f"is not a readable vocabulary ({str(error).splitlines()[0][:100]})") from None
        if len(pc.unique(ids)) != len(ids) or ids.null_count:
            raise DataError(path, "has a duplicate or empty id")
        rows = pc.fill_null(pc.index_in(ids, value_set=self.catalogue.column("track_id")), -1)
        found = np.asarray(rows.to_numpy(), dtype=np.intp)
        if not (found >= 0).any():
            raise DataError(
                self.card.folder,
                f"{self.card.name} knows {len(found):,} tracks, none of which is in {self.catalogue.where}: it was "
                "trained on another catalogue; train it on this one",
            )
        return found

    @cached_property
    def numbers(self) -> NDArray[np.int32]:
        """Number in the vocabulary of each track of the catalogue, shape (n,); -1 outside it."""
        numbers = np.full(len(self.catalogue), -1, dtype=np.int32)
        here = np.flatnonzero(self.rows >= 0)
        numbers[self.rows[here]] = here
        return numbers

    def known(self, seeds: Rows) -> NDArray[np.int32]:
        """Vocabulary numbers of those seeds that have one, in their order."""
        numbers = self.numbers[seeds]
        return numbers[numbers >= 0]

    def content(self, file: str) -> bytes:
        """Content of a file, whose checksum must be the one on the card.

        Raises
        ------
        DataError
            If the card does not name the file, or the file is missing or differs.
        """
        return file_content(self.card, file)

    def array(self, name: str, *shape: int | None) -> NDArray[Any]:
        """The array in `name.npy`; None in the shape is any size.

        Raises
        ------
        DataError
            If it is not an array of finite numbers of that shape.
        """
        return file_array(self.card, name, *shape)

    def parameters(self, kind: type[Parameters]) -> Parameters:
        """The numbers that the card gives as `parameters`, as a dataclass of numbers.

        Raises
        ------
        DataError
            If one is missing, too many, or no finite number.
        """
        known = [field.name for field in fields(kind)]
        given = {OLD_PARAMETERS.get(key, key): value for key, value in self.card["parameters"].items()}
        if unknown := [key for key in given if key not in known]:
            raise DataError(self.card.path, f"has the unknown parameter {unknown[0]!r}; known are {', '.join(known)}")
        try:
            return msgspec.convert(given, kind)
        except msgspec.ValidationError as error:
            raise DataError(self.card.path, f"parameters: {validation_message(error)}") from None

    def sparse(self, name: str, rows: int | None, columns: int, weighted: bool = True) -> Sparse:
        """The sparse matrix in `name_starts.npy`, `name_columns.npy` and, if weighted, `name_weights.npy`.

        Raises
        ------
        DataError
            If they do not form a matrix of that shape.
        """
        starts = self.array(f"{name}_starts", None).astype(np.int64)
        positions = self.array(f"{name}_columns", None)
        weights = self.array(f"{name}_weights", len(positions)) if weighted else np.ones(len(positions))
        valid = len(starts) > 0 and starts[0] == 0 and starts[-1] == len(positions) and (np.diff(starts) >= 0).all()
        if not valid or (rows is not None and len(starts) != rows + 1):
            raise DataError(self.card.folder / f"{name}_starts.npy", "is not an increasing list of row starts")
        if len(positions) and not 0 <= positions.min() <= positions.max() < columns:
            raise DataError(self.card.folder / f"{name}_columns.npy", f"has a column outside 0-{columns - 1}")
        return Sparse(starts, positions.astype(np.int32), weights.astype(np.float32), columns)
