"""The values of tracks that the cost reads, in columns."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Floats, Rows
from disco.playlist.key_rules import KeyIndex


class Columns(NamedTuple):
    """Values of a set of tracks that the cost reads, contiguous in memory."""

    embeddings: Floats  # shape (d, n), missing components imputed with the mean
    missing_variance: Floats | None  # expected squared error of the imputed components; None without any
    key: KeyIndex
    cosine: Floats
    sine: Floats
    octave: Floats | None  # log2 of the tempo, where half and double time differ from the same tempo
    steps: NDArray[np.intp] | None  # the tempo in steps, where a style has values for its changes

    def take(self, rows: Rows) -> Columns:
        """These tracks alone; a slice without gaps is not copied."""
        if len(rows) and rows[-1] - rows[0] == len(rows) - 1 and (np.diff(rows) == 1).all():
            part: slice | Rows = slice(int(rows[0]), int(rows[-1]) + 1)
            embeddings = self.embeddings[:, part]
        else:
            part, embeddings = rows, np.take(self.embeddings, rows, axis=1)
        octave = None if self.octave is None else self.octave[part]
        steps = None if self.steps is None else self.steps[part]
        missing_variance = None if self.missing_variance is None else self.missing_variance[part]
        missing_variance = missing_variance if missing_variance is not None and missing_variance.any() else None
        cosine, sine = self.cosine[part], self.sine[part]
        return Columns(embeddings, missing_variance, self.key[part], cosine, sine, octave, steps)
