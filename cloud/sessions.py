"""Sessions of a listening log: what one user played without a long pause, as playlists to train with.

A log is Parquet with a row for each play: `user_id`, `track_id`, `timestamp` (a time, or seconds since 1970). Ray
Data brings the plays of each user together; a session ends where nothing was played for a while.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from disco.errors import DataError, DiscoError, NotFoundError

log = logging.getLogger("disco.cloud")
COLUMNS = ("user_id", "track_id", "timestamp")
_DONE = "_SUCCESS"


def of_log(where: Sequence[Path], folder: Path, pause_minutes: float = 30.0) -> tuple[list[Path], list[str]]:
    """Write the sessions of a log as tables of playlists; those of an earlier, finished call are kept.

    Parameters
    ----------
    where : sequence of Path
        Parquet files, or folders of them.
    folder : Path
        Where to write; all workers must see it.
    pause_minutes : float
        A longer time without a play ends a session.

    Returns
    -------
    files : list of Path
        Tables of playlists, as `disco prepare` reads them.
    broken : list of str
        Why files of the log were left out.

    Raises
    ------
    DiscoError
        If there is no file, none can be read, or one lacks a column.
    """
    import ray.data

    if not pause_minutes > 0:
        raise DiscoError(f"--pause must be above 0 minutes, not {pause_minutes:g}")
    files, broken = _readable([file for path in where for file in _files(path)])
    if not (folder / _DONE).exists():
        try:
            _write(files, folder, pause_minutes)
        except ray.exceptions.RayError:
            # It does not say which file it stumbled over.
            damaged = _damaged(files)
            if not damaged or len(damaged) == len(files):
                raise
            broken += [f"{file}: is damaged ({reason})" for file, reason in damaged.items()]
            for sentence in broken[-len(damaged) :]:
                log.warning("skipped: %s", sentence)
            _write([file for file in files if file not in damaged], folder, pause_minutes)
        (folder / _DONE).touch()
    return sorted(folder.glob("*.parquet")), broken


def _write(files: Sequence[Path], folder: Path, pause_minutes: float) -> None:
    """Write the sessions of files of plays as tables of playlists in a new folder."""
    import ray.data

    shutil.rmtree(folder, ignore_errors=True)
    plays = ray.data.read_parquet([str(file) for file in files], columns=list(COLUMNS))
    found = plays.groupby("user_id").map_groups(
        sessions, fn_kwargs={"pause_minutes": pause_minutes}, batch_format="pyarrow"
    )
    found.write_parquet(str(folder))


def _damaged(files: Sequence[Path]) -> dict[Path, str]:
    """Files that cannot be read to their end, and why; read on Ray."""
    import ray.data

    found = ray.data.from_items([{"file": str(file)} for file in files], override_num_blocks=len(files)).map(_read)
    return {Path(row["file"]): row["reason"] for row in found.iter_rows() if row["reason"]}


def _read(row: dict[str, str]) -> dict[str, str]:
    """Read one file, in a worker: why it could not be read, if so."""
    reason = ""
    try:
        for _ in pq.ParquetFile(row["file"]).iter_batches(columns=list(COLUMNS)):
            pass
    except (OSError, pa.ArrowException) as error:
        reason = (str(error).splitlines() or ["no reason given"])[0][:100]
    return row | {"reason": reason}


def sessions(plays: pa.Table, pause_minutes: float) -> pa.Table:
    """The sessions of one user's plays: playlist_id, position, track_id, source.

    Examples
    --------
    >>> plays = pa.table({"user_id": ["u"] * 3, "track_id": ["b", "a", "c"], "timestamp": [60, 0, 9000]})
    >>> found = sessions(plays, 30)
    >>> found["playlist_id"].to_pylist(), found["track_id"].to_pylist()
    (['u:0', 'u:0', 'u:9000'], ['a', 'b', 'c'])
    """
    plays = plays.filter(pc.and_(pc.is_valid(plays["track_id"]), pc.is_valid(plays["timestamp"])))
    seconds = _seconds(plays["timestamp"])
    order = np.argsort(seconds, kind="stable")
    plays, seconds = plays.take(pa.array(order)), seconds[order]
    starts = np.flatnonzero(np.diff(seconds, prepend=-np.inf) > 60 * pause_minutes)
    number = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(seconds)))
    begin = pa.array(seconds[starts].astype(np.int64)).take(pa.array(number)).cast(pa.string())
    users = plays["user_id"].cast(pa.string())
    return pa.table(
        {
            "playlist_id": pc.binary_join_element_wise(users, begin, ":"),
            "position": pa.array(np.arange(len(seconds)) - starts[number], pa.int32()),
            "track_id": plays["track_id"].cast(pa.string()),
            "source": pa.array(["log"] * len(seconds), pa.string()),
        }
    )


def _seconds(times: pa.ChunkedArray) -> NDArray[np.float64]:
    if pa.types.is_timestamp(times.type):
        return np.asarray(times.cast(pa.timestamp("us")).cast(pa.int64()).to_numpy() / 1e6)
    return np.asarray(times.cast(pa.float64()).to_numpy())


def _files(path: Path) -> Iterator[Path]:
    found = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    if not found or not found[0].exists():
        raise NotFoundError(f"{path}: there is no Parquet file")
    yield from found


def _readable(files: Sequence[Path]) -> tuple[list[Path], list[str]]:
    """The files that are Parquet with the columns of a log, and why others were left out."""
    kept, broken = [], []
    for file in files:
        try:
            names = pq.read_schema(file).names
        except (OSError, pa.ArrowException) as error:
            broken.append(f"{file}: is not readable Parquet ({str(error).splitlines()[0][:100]})")
            log.warning("skipped: %s", broken[-1])
            continue
        if missing := [name for name in COLUMNS if name not in names]:
            raise DataError(file, f"has no column {', '.join(missing)}; a log has {', '.join(COLUMNS)}")
        kept.append(file)
    if not kept:
        raise DiscoError(f"no file of the log could be read; the first of {len(broken):,}: {broken[0]}")
    return kept, broken
