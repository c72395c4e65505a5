"""Recall and time of retrieval: all scores, DISCO's cells, FAISS and usearch, on vectors of the shipped model.

One query is what `disco generate` asks for three seeds: three tracks of a real playlist, and the point where the
model expects the next. Recall is that of the 400 tracks with the highest scores, and of the 810 that the recommender
looks at for 400 candidates.

More tracks than the catalogue has are its own, moved: to the point of a track is added the difference between two
tracks near it, so that the new one lies where music lies, and as far from others as the dense parts are from each
other. The first of the two is one of the ten nearest, the second one of the ten nearest to that, and has the prior.

Needs `pip install faiss-cpu usearch`, and the tables of real tracks and playlists.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import faiss
import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from table import head, row

import disco
from disco.models.recommenders import Query, load_recommender
from disco.models.recommenders.cells import Cells, divide
from disco.models.recommenders.music import MusicRecommender
from disco.models.recommenders.scoring import TopOfParts

# What is found for a query of 400 candidates, and of three seeds as many more.
ASKED, COUNTED = 813, 400
NEIGHBOURS = 10
_PART = 250_000
COLUMNS = ("index", "recall of 400", "least", "of 810", "ms a query (95th percentile)", "ms of processor")
COLUMNS += ("built in s (processor)", "MB beside the vectors")
Found = NDArray[np.intp]
Search = Callable[[np.ndarray, np.float32], Found]


def three_seeds(catalogue: disco.Catalogue, playlists: Path, n: int) -> list[Query]:
    """Three tracks of each of n playlists with at least ten tracks of the catalogue."""
    table = pq.read_table(playlists, columns=["playlist_id", "track_id"])
    rows = {track: i for i, track in enumerate(catalogue.column("track_id").to_pylist())}
    tracks: dict[object, dict[int, None]] = {}
    for playlist, track in zip(table["playlist_id"].to_pylist(), table["track_id"].to_pylist(), strict=True):
        if track in rows:
            tracks.setdefault(playlist, {})[rows[track]] = None
    rng = np.random.default_rng(0)
    long = [list(each) for each in tracks.values() if len(each) >= NEIGHBOURS]
    return [Query(rng.choice(long[i], 3, replace=False)) for i in rng.permutation(len(long))[:n]]


def neighbours(points: np.ndarray) -> NDArray[np.int64]:
    """Nearest others of each point, found with an index of FAISS, shape (n, 10)."""
    values = points.astype(np.float32)
    index = faiss.IndexIVFFlat(faiss.IndexFlatL2(points.shape[1]), points.shape[1], 1024)
    index.train(values[np.random.default_rng(0).choice(len(values), 50_000, replace=False)])
    index.add(values)
    index.nprobe = 4
    return np.asarray(index.search(values, NEIGHBOURS + 1)[1][:, 1:])


def enlarged(
    points: np.ndarray, offsets: np.ndarray, step: np.float32, n: int, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """The points and offsets, and so many moved ones that there are n."""
    near, rng = neighbours(points), np.random.default_rng(seed)
    every, all_offsets = np.empty((n, points.shape[1]), np.int8), np.empty(n, np.float16)
    every[: len(points)], all_offsets[: len(points)] = points, offsets
    for start in range(len(points), n, _PART):
        size = min(_PART, n - start)
        begin = rng.integers(len(points), size=size)
        first = near[begin, rng.integers(NEIGHBOURS, size=size)]
        second = near[first, rng.integers(NEIGHBOURS, size=size)]
        moved = points[begin].astype(np.int16) + points[second] - points[first]
        every[start : start + size] = np.clip(moved, -127, 127)
        norms = ((points[second].astype(np.float32) * step) ** 2).sum(axis=1) / 2
        priors = offsets[second].astype(np.float32) + norms
        norms = ((every[start : start + size].astype(np.float32) * step) ** 2).sum(axis=1) / 2
        all_offsets[start : start + size] = priors - norms
    return every, all_offsets


def of_vectors(recommender: MusicRecommender, points: np.ndarray, offsets: np.ndarray) -> MusicRecommender:
    """The recommender with other points, without cells."""
    made = MusicRecommender(recommender.space, recommender.catalogue)
    made.__dict__["_placed"] = points, offsets, np.empty(0, np.int32)
    made.__dict__["_cells"] = None
    return made


def exact(recommender: MusicRecommender) -> Search:
    """All scores, as for catalogues that have no cells."""

    def search(vector: np.ndarray, less: np.float32) -> Found:
        top = TopOfParts(ASKED)
        for rows, scores in recommender._scores(vector[None], np.array([less])):
            top.add(rows.start, scores[0])
        return top.best[0]

    return search


def in_cells(recommender: MusicRecommender, packed: np.ndarray) -> Search:
    """DISCO's own."""
    cells = Cells.unpack(packed)

    def search(vector: np.ndarray, less: np.float32) -> Found:
        top = TopOfParts(ASKED)
        recommender._search(cells, top, None, vector, less)
        return top.best[0]

    return search


def with_biases(recommender: MusicRecommender) -> Iterator[tuple[slice, np.ndarray]]:
    """Vectors whose inner product with a query's is the score: components, offset and half the squared norm."""
    points, offsets, _ = recommender._placed
    for start in range(0, len(points), _PART):
        rows = slice(start, min(start + _PART, len(points)))
        part = points[rows].astype(np.float32) * recommender._step
        norms = (part**2).sum(axis=1) / 2
        yield rows, np.c_[part, offsets[rows].astype(np.float32), norms]


def asked_of(recommender: MusicRecommender, vector: np.ndarray, less: np.float32) -> np.ndarray:
    """The query for such vectors."""
    return np.r_[vector / recommender._step, 1 - less, -less].astype(np.float32)[None]


def in_faiss(recommender: MusicRecommender, kind: str, lists: int) -> tuple[faiss.Index, Callable[[int], Search]]:
    """An inverted file of FAISS, and from the number of lists that are visited to its search.

    Lists are made by distance, and visited by the score of their middle, as the inner product ranks.
    """
    dimensions = recommender.space.size + 2
    by_distance, by_score = faiss.IndexFlatL2(dimensions), faiss.IndexFlatIP(dimensions)
    product = faiss.METRIC_INNER_PRODUCT
    if kind == "SQ8":
        index = faiss.IndexIVFScalarQuantizer(
            by_distance, dimensions, lists, faiss.ScalarQuantizer.QT_8bit, product, False
        )
    elif kind == "PQ33":
        index = faiss.IndexIVFPQ(by_distance, dimensions, lists, 33, 8, product)
        index.by_residual = False
    else:
        index = faiss.IndexIVFFlat(by_distance, dimensions, lists, product)
    rng, points = np.random.default_rng(0), recommender._placed[0]
    share = 40 * lists / len(points)
    index.train(np.concatenate([part[rng.random(len(part)) < share] for _, part in with_biases(recommender)]))
    for _, part in with_biases(recommender):
        index.add(part)
    by_score.add(by_distance.reconstruct_n(0, lists))
    index.quantizer = by_score
    ranked = of_rows(recommender)

    def visiting(n: int) -> Search:
        def search(vector: np.ndarray, less: np.float32) -> Found:
            parameters = faiss.IVFSearchParameters(nprobe=n)
            asked = asked_of(recommender, vector, less)
            more = ASKED if kind != "PQ33" else 4 * ASKED
            return ranked(index.search(asked, more, params=parameters)[1][0], vector, less)

        return search

    return index, visiting


def of_rows(recommender: MusicRecommender) -> Callable[[np.ndarray, np.ndarray, np.float32], Found]:
    """Rows ranked by their exact scores."""
    points, offsets, _ = recommender._placed

    def ranked(rows: np.ndarray, vector: np.ndarray, less: np.float32) -> Found:
        rows = np.sort(rows[rows >= 0]).astype(np.intp)
        weights, block = recommender._weights(vector[None], np.array([less])), recommender._block(len(rows))
        scores = recommender._score(points[rows], offsets[rows], weights, block)
        return rows[np.argsort(-scores[0], kind="stable")][:ASKED]

    return ranked


def in_usearch(recommender: MusicRecommender, kind: str) -> tuple[object, Callable[[int], Search]]:
    """A graph of usearch, and from the size of its search to the search.

    A graph needs distances: with one more component, the root of twice what a prior lacks of the highest, the squared
    distance to the query ranks as scores do in which priors count in full. So twice as many are found, and ranked.
    """
    from usearch.index import Index

    size, step = recommender.space.size, recommender._step
    highest = max(float((part[:, size] + part[:, size + 1]).max()) for _, part in with_biases(recommender))
    # In steps the component is up to 250, too much for 8 bits: there it is four times half of it.
    copies = {"f16": 1, "i8": 4}[kind]

    def stored(components: np.ndarray, lacking: np.ndarray) -> np.ndarray:
        lengths = np.sqrt(2 * np.maximum(lacking, 0))[:, None] / copies**0.5
        every = np.c_[components, np.repeat(lengths, copies, axis=1)]
        return (
            every.astype(np.float16) if kind == "f16" else np.clip(np.rint(every / step), -127, 127).astype(np.int8)
        )

    index = Index(ndim=size + copies, metric="l2sq", dtype=kind, connectivity=16, expansion_add=128)
    for rows, part in with_biases(recommender):
        lacking = highest - part[:, size] - part[:, size + 1]
        index.add(np.arange(rows.start, rows.stop), stored(part[:, :size], lacking), threads=os.cpu_count() or 1)
    ranked = of_rows(recommender)

    def expanding(n: int) -> Search:
        def search(vector: np.ndarray, less: np.float32) -> Found:
            index.expansion_search = n
            asked = stored((vector / step)[None], np.zeros(1))[0]
            return ranked(np.asarray(index.search(asked, 2 * ASKED, threads=1).keys, dtype=np.int64), vector, less)

        return search

    return index, expanding


def measured(
    name: str, search: Search, asked: list[tuple[np.ndarray, np.float32]], best: list[Found], built: str, size: str
) -> None:
    """Print what a search finds of the best, and its time."""
    search(*asked[0])
    wall, processor, recalls, deep = [], [], [], []
    for (vector, less), true in zip(asked, best, strict=True):
        start, used = time.perf_counter(), time.process_time()
        found = search(vector, less)
        wall.append(time.perf_counter() - start)
        processor.append(time.process_time() - used)
        recalls.append(np.isin(true[:COUNTED], found[:COUNTED]).mean())
        deep.append(np.isin(true, found).mean())
    times = f"{np.median(wall) * 1e3:.1f} ({np.quantile(wall, 0.95) * 1e3:.1f}) | {np.mean(processor) * 1e3:.1f}"
    row(name, f"{np.mean(recalls):.4f}", f"{np.min(recalls):.3f}", f"{np.mean(deep):.4f}", times, built, size)


def megabytes(index: object) -> str:
    """What an index takes on the disk."""
    with tempfile.NamedTemporaryFile() as file:
        if isinstance(index, faiss.Index):
            faiss.write_index(index, file.name)
        else:
            index.save(file.name)  # type: ignore[attr-defined]
        return f"{Path(file.name).stat().st_size / 1e6:,.0f}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--catalogue", type=Path, required=True)
    parser.add_argument("--playlists", type=Path, required=True)
    parser.add_argument("--tracks", type=int, help="so many, moved ones among them (default: those of the catalogue)")
    parser.add_argument("--of", type=int, help="use so many of the real ones, drawn at random: to compare moved ones")
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--lists", type=int, default=4096, help="of FAISS")
    parser.add_argument("--threads", type=int, default=1, help="of FAISS while it builds")
    parser.add_argument("--kept", type=Path, help="folder where points and the exact answers are kept")
    parser.add_argument("methods", nargs="*", default=["exact", "cells"], help="exact cells SQ8 PQ33 flat f16 i8")
    given = parser.parse_args()
    real = load_recommender("music", disco.open(given.catalogue))
    assert isinstance(real, MusicRecommender)
    vectors, less, _ = real._asked(three_seeds(real.catalogue, given.playlists, given.queries))
    asked = list(zip(vectors, less, strict=True))
    points, offsets = (np.asarray(each) for each in real._placed[:2])
    if given.of:
        some = np.sort(np.random.default_rng(1).choice(len(points), given.of, replace=False))
        points, offsets = points[some], offsets[some]
    n = given.tracks or len(points)
    if n > len(points):
        kept = given.kept and given.kept / f"points-{given.of or len(points)}-{n}.npz"
        if kept and kept.exists():
            with np.load(kept) as file:
                points, offsets = file["points"], file["offsets"]
        else:
            points, offsets = enlarged(points, offsets, real._step, n)
            if kept:
                np.savez(kept, points=points, offsets=offsets)
    recommender = of_vectors(real, points, offsets)
    every = exact(recommender)
    best = [every(*each) for each in asked]
    head(f"{n:,} tracks, {len(asked)} queries; load {os.getloadavg()[0]:.1f}", *COLUMNS)

    def timed(build: Callable[[], object]) -> tuple[object, str]:
        start, used = time.perf_counter(), time.process_time()
        made = build()
        return made, f"{time.perf_counter() - start:.0f} ({time.process_time() - used:.0f})"

    faiss.omp_set_num_threads(given.threads)
    for method in given.methods:
        if method == "exact":
            measured(method, every, asked, best, "", "0")
        elif method == "cells":
            packed, built = timed(lambda: divide(points, offsets, real._step))
            assert isinstance(packed, np.ndarray)
            search = in_cells(recommender, packed)
            measured(f"{packed[0]:,} cells", search, asked, best, built, f"{packed.nbytes / 1e6:,.0f}")
        elif method in ("f16", "i8"):
            (index, search_with), built = timed(lambda kind=method: in_usearch(recommender, kind))  # type: ignore[misc]
            size = megabytes(index)
            for effort in (2 * ASKED, 4 * ASKED):
                measured(f"usearch {method}, expansion {effort}", search_with(effort), asked, best, built, size)
        else:
            (index, search_with), built = timed(lambda kind=method: in_faiss(recommender, kind, given.lists))  # type: ignore[misc]
            size = megabytes(index)
            faiss.omp_set_num_threads(1)
            for effort in (given.lists // 64, given.lists // 32, given.lists // 16, given.lists // 8):
                name = f"FAISS IVF{given.lists} {method}, {effort} lists"
                measured(name, search_with(effort), asked, best, built, size)
            faiss.omp_set_num_threads(given.threads)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"\nPeak memory {peak:.1f} GB; load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
