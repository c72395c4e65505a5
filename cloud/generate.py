"""`python -m cloud.generate SEEDS --catalogue FILE --output FOLDER`: playlists for millions of seeds.

SEEDS is Parquet, or JSON with an object a line: `id` (unique), `seeds` (ids of tracks, or texts as `disco generate`
takes them) and perhaps `title`. The output is Parquet, one row for each: `id`, `tracks` (ids, seeds first), `error`.

The catalogue is read once and lies in the shared memory of each machine, where Ray keeps it; an actor on each core
makes playlists by `disco.playlist.many.generate_many`. Seeds are divided into parts of a thousand, and the part of
the output has the number of its seeds and is written completely or not at all: a worker that dies costs its part once
more, and a command that was stopped goes on after the parts that are there. Ray Data's own checkpoints keep rows
exactly once too, but only after blocks of 128 MB: of 4,000 rows they had kept none when the run was killed half-way.
"""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import sys
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pajson
import pyarrow.parquet as pq

import disco
from cloud import cluster
from disco.catalogue import Catalogue, Rows
from disco.catalogue.lookup import as_id
from disco.cli import console
from disco.errors import DataError, DiscoError
from disco.playlist.cost import Knobs
from disco.playlist.make import RELEVANCE
from disco.playlist.mixing import FOR_NEW_PLAYLISTS
from disco.sources.file_states import state_of
from disco.sources.fingerprints import fingerprint
from disco.sources.progress import progress
from disco.sources.storage import atomic_file, locked, write_atomic

log = logging.getLogger("disco.cloud")
# Seeds of a part: two or three seconds of a core, which is what a worker that dies costs.
PART = 1000
SCHEMA = pa.schema([("id", pa.string()), ("tracks", pa.list_(pa.string())), ("error", pa.string())])
# Arrow, Spark and others take no file for data whose name begins with a line.
_RUN = "_run.json"


@dataclass(frozen=True)
class Options:
    """What is wished of every playlist, by the names and defaults of `disco.make`."""

    length: int = 10
    candidates: int = 400
    predictor: str = "music"
    recommender: str | None = None
    sequencer: str = "beam"
    flow: float = Knobs.flow
    spicyness: float = Knobs.spicyness
    sweetness: float = Knobs.sweetness
    smoothness: float = Knobs.smoothness
    relevance: float = RELEVANCE
    artist_gap: int = 1
    max_per_artist: int = 3


def parser() -> argparse.ArgumentParser:
    """The options of this command."""
    p = argparse.ArgumentParser(prog="python -m cloud.generate", description="Make playlists for many seeds, on Ray.")
    add = p.add_argument
    add("seeds", type=Path, metavar="SEEDS", help="Parquet or JSON lines with id, seeds and perhaps title")
    add("--catalogue", action="append", required=True, metavar="FILE", help="the tracks; several are merged")
    add("--output", type=Path, required=True, metavar="FOLDER", help="where to write Parquet, one row for each seed")
    for name, default in vars(Options()).items():
        kind = type(default) if default is not None else str
        help_text = f"as of disco generate ({default})"
        add(f"--{name.replace('_', '-')}", type=kind, default=default, metavar="X", help=help_text)
    add("--force", action="store_true", help="replace playlists of other seeds, options or another catalogue")
    add("--quiet", action="store_true", help="print errors alone on stderr")
    cluster.add_options(p, "make playlists")
    return p


def generate(
    seeds: Path,
    catalogue: Sequence[str],
    output: Path,
    options: Options = Options(),
    *,
    address: str | None = None,
    workers: int | None = None,
    force: bool = False,
    part: int = PART,
) -> dict[str, int]:
    """Make a playlist for each seed; what an earlier call has made stays.

    Parameters
    ----------
    seeds : Path
        Parquet or JSON lines with `id`, `seeds` and perhaps `title`.
    catalogue : sequence of str
        Files of tracks.
    output : Path
        Folder that all workers see.
    options : Options
    address, workers
        As for `cluster.connected`.
    force : bool
        Replace what was made of other seeds or options, or of another catalogue.
    part : int
        Seeds that are made together.

    Returns
    -------
    dict of str to int
        Numbers of playlists: `made` now, `kept` from before, `failed`.

    Raises
    ------
    DiscoError
        If the seeds or the catalogue cannot be read, if the folder holds playlists of others, or if the catalogue is
        replaced while it is read.
    """
    table = read_seeds(seeds)
    before = [state_of(Path(path)) for path in catalogue]
    tracks = disco.open([Path(path) for path in catalogue])
    identity = {
        "seeds": fingerprint(seeds).hex(),
        "catalogue": [fingerprint(Path(path)).hex() for path in catalogue],
        "options": vars(options),
        "part": part,
    }
    output.mkdir(parents=True, exist_ok=True)
    with locked(output):
        _claim(output, identity, force)
        parts = range(-(-len(table) // part))
        missing = [i for i in parts if not _part_of(output, i).exists()]
        counts = {"made": 0, "kept": len(table), "failed": 0}
        if missing:
            with cluster.connected(address, workers) as n:
                sliced = [
                    table.slice(i * part, part).append_column("part", _repeated(i, table, part)) for i in missing
                ]
                done = _made_on_ray(tracks, sliced, output, options, n)
                try:
                    for row in progress(done, sum(map(len, sliced)), "playlists made", lambda row: int(row["made"])):
                        if row["stop"]:
                            raise DiscoError(row["stop"])
                        counts["made"] += int(row["made"])
                        counts["failed"] += int(row["failed"])
                        if [state_of(Path(path)) for path in catalogue] != before:
                            raise DiscoError(
                                f"{', '.join(catalogue)}: was replaced while playlists were made of it; those that "
                                "are done are of the old one: start again with --force, or with the old one to go on"
                            )
                finally:  # before the connection, which what is still at work would otherwise make anew
                    with cluster.nothing_on_stderr():
                        done.close()
            counts["kept"] -= counts["made"]
    return counts


def read_seeds(path: Path) -> pa.Table:
    """Read the table of seeds: id, seeds, title.

    Raises
    ------
    DataError
        If it cannot be read, lacks a column, or has an id twice.
    """
    try:
        is_json = path.suffix.lower() in (".json", ".jsonl", ".ndjson")
        table = pajson.read_json(path) if is_json else pq.read_table(path)
    except FileNotFoundError:
        raise DataError(path, "there is no such file") from None
    except (OSError, pa.ArrowException) as error:
        raise DataError(path, f"is not a readable table of seeds ({str(error).splitlines()[0][:150]})") from None
    if missing := [name for name in ("id", "seeds") if name not in table.column_names]:
        raise DataError(path, f"has no column {', '.join(missing)}; seeds have id, seeds and perhaps title")
    try:
        ids = table["id"].cast(pa.string())
        seeds = table["seeds"].cast(pa.list_(pa.string()))
        titles = (
            table["title"].cast(pa.string()) if "title" in table.column_names else pa.nulls(len(table), pa.string())
        )
    except pa.ArrowException as error:
        raise DataError(path, f"has other values than texts ({str(error).splitlines()[0][:150]})") from None
    if not len(table):
        raise DataError(path, "has no seeds")
    if ids.null_count or len(ids.unique()) < len(ids):
        twice = next((v["values"] for v in ids.value_counts().to_pylist() if v["counts"] > 1), None)
        what = "has a row without an id" if ids.null_count else f"has the id {twice!r} more than once"
        raise DataError(path, f"{what}; each playlist needs its own")
    return pa.table({"id": ids, "seeds": seeds, "title": titles}).combine_chunks()


class Maker:
    """Makes playlists in a worker, from a catalogue in the memory that the workers of a machine share.

    Parameters
    ----------
    shared : Catalogue or ray.ObjectRef
        The catalogue, or where Ray keeps it.
    options : Options
    output : str
        Folder to write parts to.
    """

    def __init__(self, shared: Any, options: Options, output: str) -> None:
        from disco.models.predictors import load_predictor
        from disco.models.recommenders import default_recommender, load_recommender

        catalogue: Catalogue = shared if isinstance(shared, Catalogue) else cluster.value_of(shared)
        self._catalogue, self._options, self._output = catalogue, options, Path(output)
        self._predictor = load_predictor(options.predictor)
        named = options.recommender
        self._recommender = load_recommender(named, catalogue) if named else default_recommender(catalogue)

    def __call__(self, part: pa.Table) -> pa.Table:
        """Make the playlists of a part and write them; the counts of it."""
        path, stop, made = _part_of(self._output, part["part"][0].as_py()), "", None
        try:
            made = self.playlists(part)
            with atomic_file(path) as temporary:
                pq.write_table(made, temporary, compression="zstd")
        except DiscoError as error:
            stop = str(error)
        failed = 0 if made is None else len(made) - made["error"].null_count
        return pa.table({"made": [len(part)], "failed": [failed], "stop": [stop]})

    def playlists(self, part: pa.Table) -> pa.Table:
        """A row for each seed, as `SCHEMA`."""
        from disco.playlist.many import generate_many

        rows = self._rows([texts or [] for texts in part["seeds"].to_pylist()])
        given = [i for i, each in enumerate(rows) if not isinstance(each, DiscoError)]
        titles = part["title"].to_pylist()
        o = self._options
        made = generate_many(
            self._catalogue,
            [rows[i] for i in given],  # type: ignore[misc]
            titles=[titles[i] or "" for i in given],
            length=o.length,
            candidates=o.candidates,
            knobs=Knobs(o.flow, o.spicyness, o.sweetness, o.smoothness),
            predictor=self._predictor,
            recommender=self._recommender,
            sequencer=o.sequencer,
            artist_gap=o.artist_gap,
            max_per_artist=o.max_per_artist,
            mixing=FOR_NEW_PLAYLISTS,
            relevance=o.relevance,
        )
        answers = list(rows)
        for i, each in zip(given, made, strict=True):
            answers[i] = each
        lists = [np.empty(0, dtype=np.intp) if isinstance(each, DiscoError) else each for each in answers]
        offsets = np.cumsum([0, *map(len, lists)])
        ids = self._catalogue.column("track_id").take(pa.array(np.concatenate(lists))).combine_chunks()
        errors = pa.array([str(each) if isinstance(each, DiscoError) else None for each in answers], pa.string())
        tracks = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), ids, mask=errors.is_valid())
        return pa.table([part["id"], tracks, errors], schema=SCHEMA)

    def _rows(self, seeds: Sequence[Sequence[str]]) -> list[Rows | DiscoError]:
        """Rows of the seeds of each playlist: ids are found together, other texts one by one."""
        texts = pa.array([as_id(text) for each in seeds for text in each], pa.string())
        known = pc.fill_null(pc.index_in(texts, value_set=self._catalogue.column("track_id")), -1).to_numpy()
        made: list[Rows | DiscoError] = []
        for each, rows in zip(seeds, np.split(known, np.cumsum([len(each) for each in seeds])[:-1]), strict=True):
            try:
                made.append(rows.astype(np.intp) if (rows >= 0).all() else self._catalogue.find(*each))
            except DiscoError as error:
                made.append(error)
        return made


def _made_on_ray(
    catalogue: Catalogue, parts: Sequence[pa.Table], output: Path, options: Options, workers: int
) -> Generator[dict[str, Any]]:
    """Counts of each part, as soon as it is written."""
    import ray
    import ray.data

    from disco.models.predictors import load_predictor
    from disco.models.recommenders import default_recommender, load_recommender
    from disco.models.recommenders.query import Query
    from disco.playlist.many import prepare_many

    # What all workers need is computed here, once, and goes with the catalogue into the memory that they share.
    predictor = load_predictor(options.predictor)
    recommender = load_recommender(options.recommender, catalogue) if options.recommender else None
    (recommender or default_recommender(catalogue)).recommend(Query(np.zeros(1, dtype=np.intp)), 1)
    prepare_many(catalogue, predictor)
    shared = ray.put(catalogue)
    found = ray.data.from_arrow(list(parts)).map_batches(
        Maker,
        fn_constructor_args=(shared, options, str(output.absolute())),
        compute=ray.data.ActorPoolStrategy(size=min(workers, len(parts))),
        batch_size=None,
        batch_format="pyarrow",
        num_cpus=1,
    )
    yield from found.iter_rows()


def _repeated(number: int, table: pa.Table, part: int) -> pa.Array:
    return pa.array([number] * min(part, len(table) - number * part), pa.int64())


def _part_of(output: Path, number: int) -> Path:
    return output / f"part-{number:06}.parquet"


def _claim(output: Path, identity: dict[str, Any], force: bool) -> None:
    """Note whose playlists a folder holds; what others made there is removed with `force` alone.

    Raises
    ------
    DataError
        If it holds playlists of other seeds or options, or of another catalogue, or other files.
    """
    note = output / _RUN
    try:
        held = json.loads(note.read_text(encoding="utf-8")) if note.exists() else None
    except ValueError:
        held = {}
    if held is None and any(output.iterdir()):
        raise DataError(output, "holds other files; give a folder of its own")
    if held is not None and held != identity:
        names = [name for name in identity if held.get(name) != identity[name]]
        if not force:
            raise DataError(output, f"holds playlists made with other {' and '.join(names)}; --force replaces them")
        shutil.rmtree(output)
        output.mkdir()
    write_atomic(note, json.dumps(identity, indent=2) + "\n")


@console.command
def main(argv: Sequence[str] | None = None) -> int:
    """Make the playlists; exit code 3 if some could not be made."""
    arguments = parser().parse_args(argv)
    console.set_verbosity(arguments.quiet)
    options = Options(**{name: getattr(arguments, name) for name in vars(Options())})
    counts = generate(
        arguments.seeds,
        arguments.catalogue,
        arguments.output,
        options,
        address=arguments.address,
        workers=arguments.workers,
        force=arguments.force,
    )
    print(
        f"{counts['made']:,} playlists made, {counts['kept']:,} there before, {counts['failed']:,} could not be made"
    )
    return cluster.LEFT_OUT if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
