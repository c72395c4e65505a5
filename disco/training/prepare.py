"""Turn raw playlists into Parquet tables to train and to measure with."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from disco import sources
from disco.errors import DataError, DiscoError
from disco.evaluation import splitting
from disco.sources.files import mpd_slices, playlist_tables, tables
from disco.sources.folders import folder_beside, recover, replace_folder
from disco.sources.progress import progress
from disco.sources.storage import atomic_file, locked, reason_of
from disco.sources.workers import worker_pool

log = logging.getLogger(__name__)

Report = dict[str, Any]
# Writes the parts of sources where they are to be, and says of each why it could not be read, or nothing.
WriteMissing = Callable[[Mapping[mpd_slices.PlaylistSource, Path]], Iterable[tuple[mpd_slices.PlaylistSource, str]]]


_FILES = ("playlists.parquet", "tracks.parquet", "report.json")
# Where what was read lies until it is joined, and in it what is finished but not yet in its place.
_PARTS, _READY = ".parts", "ready"

_OUTPUT = pa.schema(
    [
        (name, pa.int32() if name == "position" else pa.string())
        for name in (*playlist_tables.SCHEMA.names[:5], "split")
    ]
)

_JOINED = pa.schema([("playlist", pa.int32()), ("position", pa.int32()), ("track_id", playlist_tables.TEXT)])

# Entries matched at a time: many, since each batch searches the catalogue, but few enough for memory.
_BATCH = 2_000_000

# Fewer slices are read faster than processes start.
_POOL_FROM = 4

# Version of the format of parts.
_PART = 1


def prepare(
    playlists: str | Path | Sequence[str | Path],
    tracks: str | Path | Sequence[str | Path],
    output: str | Path,
    *,
    names: str | Path | None = None,
    minimum_length: int = 10,
    maximum_length: int = 0,
    minimum_coverage: float = 0.0,
    known_tracks_only: bool = False,
    keep_repeats: bool = False,
    keep_duplicates: bool = False,
    validation: float = 0.05,
    test: float | None = None,
    hold_out: Sequence[str] = (),
    random_seed: int = 1,
    used_tracks_only: bool = False,
    processes: int | None = None,
    keep_parts: bool = False,
    force: bool = False,
    write_missing: WriteMissing | None = None,
) -> Report:
    """Turn raw playlists into Parquet tables for training and evaluation.

    Entries are matched to tracks by id, or else by artist and title. Playlists are filtered by length, coverage and
    duplication; the others are split by their content, so that no list of tracks is in two splits. An interrupted run
    is resumed after the slices that were read.

    Parameters
    ----------
    playlists : str, Path or sequence of these
        Tables or slices of playlists, or folders or zip files of slices (Million Playlist Dataset).
    tracks : str, Path or sequence of these
        Tables of tracks; several are merged.
    output : str or Path
        Folder for `playlists.parquet` (playlist_id, title, position, track_id, source, split), `tracks.parquet` and
        `report.json`.
    names : str or Path, optional
        Table with track_id, title and artist of tracks that `tracks` does not name.
    minimum_length, maximum_length : int
        Number of tracks of a playlist; a maximum of 0 is no limit.
    minimum_coverage : float in [0, 1]
        Share of a playlist's tracks that the catalogue must have.
    known_tracks_only : bool
        Drop entries that the catalogue does not have.
    keep_repeats : bool
        Keep a track's later occurrences in a playlist.
    keep_duplicates : bool
        Keep playlists with the same tracks in the same order.
    validation, test : float in [0, 1)
        Shares of the playlists; `test` is 0.1 by default, or 0 with `hold_out`.
    hold_out : sequence of str
        Sources of which every playlist is in the test split.
    random_seed : int
        Of the split.
    used_tracks_only : bool
        Write only tracks that occur in a playlist.
    processes : int, optional
        Processes that read slices; at most 4 by default.
    keep_parts : bool
        Keep intermediate files, to try other filters without reading again.
    force : bool
        Replace existing files.
    write_missing : callable, optional
        Reads sources and writes their parts as `write_part` does, for those who have more than one machine; processes
        of this one by default.

    Returns
    -------
    dict
        The report, as in `report.json`: counts of slices, playlists, entries, splits and tracks.

    Raises
    ------
    DataError
        If a file cannot be read, or exists and `force` is false.
    DiscoError
        If the shares are invalid, no playlist is left, or a split is empty.
    """
    rules = splitting.SplitRules(
        minimum_length=minimum_length,
        maximum_length=maximum_length,
        minimum_coverage=minimum_coverage,
        keep_repeats=keep_repeats,
        covered_only=known_tracks_only,
        keep_duplicates=keep_duplicates,
        validation=validation,
        test=test if test is not None else 0.0 if hold_out else 0.1,
        hold_out=tuple(hold_out),
        seed=random_seed,
    )
    if not (min(rules.validation, rules.test) >= 0 and rules.validation + rules.test < 1):
        raise DiscoError("validation and test are shares, together less than 1")
    if not 0 <= minimum_coverage <= 1:
        raise DiscoError("the minimum coverage is a share, 0 to 1")
    paths = [playlists] if isinstance(playlists, (str, Path)) else playlists
    playlist_sources = [source for path in paths for source in playlist_tables.find(path)]
    with new_files(Path(output), force, keep_parts) as (folder, fresh):
        catalogue = sources.open(tracks, cache=False)
        for note in catalogue.notes:
            log.info("%s", note)
        named = tables.read(names) if names else None
        number = processes or min(4, os.cpu_count() or 1)
        parts, broken = write_parts(playlist_sources, folder, write_missing or (lambda each: _written(each, number)))
        report, used = split_parts(parts, playlist_tables.Names(catalogue, named), rules, fresh)
        chosen = catalogue.take(np.flatnonzero(used)) if used_tracks_only else catalogue
        # A track whose artist is known is found by it, and may be played.
        chosen = chosen.fill(named) if named else chosen
        tables.write(chosen, fresh / _FILES[1])
        counts = {"where": catalogue.where, "catalogue": len(catalogue), "used": int(used.sum())}
        report = {
            "slices": {"read": len(parts), "broken": broken},
            **report,
            "tracks": {**counts, "written": len(chosen)},
            "rules": asdict(rules),
        }
        text = json.dumps(report, ensure_ascii=False, indent=2)
        (fresh / _FILES[2]).write_text(text + "\n", encoding="utf-8")
    _log_remarks(report)
    return report


def _log_remarks(report: Report) -> None:
    unknown, read = report["entries"]["unknown"], report["entries"]["read"]
    if unknown and not report["rules"]["covered_only"]:
        share, kept = f"{unknown:,} of {read:,}", "they keep their own ids (--known-tracks-only drops them)"
        log.info("%s entries are of tracks that the catalogue does not have; %s", share, kept)
    if n := report["playlists"]["left_out"]["no_track_known"]:
        log.info("%s playlists have no track that the catalogue has; they are left out", f"{n:,}")


def write_part(source: mpd_slices.PlaylistSource, path: Path) -> str:
    """Read one source and write its entries; the reason if that fails, else an empty text."""
    try:
        entries = playlist_tables.read_source(source)
    except DiscoError as error:
        return str(error)
    with atomic_file(path) as temporary:
        pq.write_table(entries, temporary, compression="zstd")
    return ""


def part_of(source: mpd_slices.PlaylistSource, folder: Path) -> Path:
    """Path of the part of a source; it depends on the file's size and time."""
    stat = source.path.stat()
    sign = f"{_PART} {source.path.resolve()} {source.member} {stat.st_size} {stat.st_mtime_ns}"
    return folder / f"{hashlib.blake2b(sign.encode('utf-8', 'replace'), digest_size=12).hexdigest()}.parquet"


def write_parts(
    playlist_sources: Sequence[mpd_slices.PlaylistSource], folder: Path, write_missing: WriteMissing
) -> tuple[list[Path], list[str]]:
    """Write missing parts; return all parts in the order of their sources, and the reasons of failures.

    Raises
    ------
    DiscoError
        If a table cannot be read, or no slice.
    """
    paths = {source: part_of(source, folder) for source in playlist_sources}
    missing = {source: path for source, path in paths.items() if not path.exists()}
    if len(missing) < len(paths):
        log.info("%s of %s slices were read before", f"{len(paths) - len(missing):,}", f"{len(paths):,}")
    broken: dict[mpd_slices.PlaylistSource, str] = {}
    for source, reason in progress(write_missing(missing), len(missing), "slices read"):
        if reason and source.table:
            raise DiscoError(reason)
        if reason:
            broken[source] = reason
            log.warning("skipped: %s", reason)
    if len(broken) == len(paths):
        raise DiscoError(f"no slice could be read; the first of {len(broken):,}: {broken[next(iter(paths))]}")
    return [path for source, path in paths.items() if source not in broken], [
        broken[source] for source in paths if source in broken
    ]


def _written(
    missing: Mapping[mpd_slices.PlaylistSource, Path], processes: int
) -> Iterator[tuple[mpd_slices.PlaylistSource, str]]:
    if processes < 2 or len(missing) < _POOL_FROM:
        for source, path in missing.items():
            yield source, write_part(source, path)
        return
    pool = worker_pool(processes)
    try:
        futures = {pool.submit(write_part, source, path): source for source, path in missing.items()}
        for future in as_completed(futures):
            yield futures[future], future.result()
    except BrokenProcessPool:
        raise DiscoError("a process that read slices was ended from outside; start again to go on") from None
    finally:
        pool.shutdown(cancel_futures=True)


def batches(parts: Iterable[Path]) -> Iterator[pa.Table]:
    """Whole parts, concatenated into batches."""
    held: list[pa.Table] = []
    for part in parts:
        held.append(pq.read_table(part, columns=playlist_tables.SCHEMA.names).replace_schema_metadata())
        if sum(map(len, held)) >= _BATCH:
            yield pa.concat_tables(held)
            held = []
    if held:
        yield pa.concat_tables(held)


def split_parts(
    parts: Sequence[Path], names: playlist_tables.Names, rules: splitting.SplitRules, folder: Path
) -> tuple[Report, NDArray[np.bool_]]:
    """Match, filter and split the playlists of the parts, and write them to `playlists.parquet` in a folder.

    Returns
    -------
    report : dict
        Counts of playlists, of entries, and of each split.
    used : ndarray, shape (tracks of the catalogue,)
        Tracks that occur.

    Raises
    ------
    DiscoError
        If no playlist is left, or a split that was asked for is empty.
    """
    held = [pq.read_schema(part).metadata for part in parts]
    joined = folder / "joined.parquet"
    facts, counts = join_parts(parts, names, rules, joined)
    why, drawn = splitting.split_playlists(facts, rules)
    kept = np.flatnonzero(why < 0)
    ids = facts["playlist_id"].take(pa.array(kept)).to_pylist()
    fresh = splitting.unique_ids(ids)
    about = {
        "playlist_id": pc.replace_with_mask(facts["playlist_id"], pa.array(why < 0), pa.array(fresh, pa.string())),
        "title": facts["title"],
        "source": facts["source"],
        "split": pa.array(splitting.SPLITS).take(pa.array(drawn, mask=drawn < 0)),
    }
    used = write_playlists(joined, pa.table(about), folder / _FILES[0], names.ids)
    joined.unlink()
    read, length = sum(int(metadata[b"playlists"]) for metadata in held), facts["length"]
    counts["kept"] = int(length[kept].sum())
    counts["left_out_with_playlist"] = int(length.sum()) - counts["kept"]
    report: Report = {
        "playlists": {
            "read": read,
            "empty": read - len(why),
            "left_out": splitting.count_excluded(why),
            "kept": len(kept),
            "renamed": sum(a != b for a, b in zip(ids, fresh, strict=True)),
        },
        "entries": {"without_id": sum(int(metadata[b"lost"]) for metadata in held), **counts},
        "splits": {
            name: {"playlists": int((drawn == number).sum()), "entries": int(length[drawn == number].sum())}
            for number, name in enumerate(splitting.SPLITS)
        },
    }
    return report, used


def join_parts(
    parts: Sequence[Path], names: playlist_tables.Names, rules: splitting.SplitRules, joined: Path
) -> tuple[dict[str, Any], Counter[str]]:
    """Write the matched entries of all parts to one file; return facts on the playlists, and counts of entries."""
    total, begin = sum(pq.read_metadata(part).num_rows for part in parts), 0
    parted, counts = list[dict[str, Any]](), Counter({"read": total})
    with pq.ParquetWriter(joined, _JOINED, compression="zstd") as writer:
        for batch in progress(batches(parts), total, "entries joined", len):
            entries, facts, found = splitting.match_entries(batch, names, rules)
            number = pc.add(entries["playlist"], pa.scalar(begin, pa.int32()))
            writer.write_table(entries.set_column(0, "playlist", number), row_group_size=_BATCH)
            parted.append(facts)
            counts.update(found)
            begin += len(facts["length"])
    if not begin:
        raise DiscoError("there is no playlist with a track in it")
    if not any(facts["covered"].any() for facts in parted):
        raise DiscoError(
            f"the catalogue knows no track of these {begin:,} playlists ({total:,} entries), neither by id nor by "
            "name; is it the table of their tracks?"
        )
    return {name: _concatenated([facts[name] for facts in parted]) for name in parted[0]}, counts


def _concatenated(columns: list[Any]) -> Any:
    return np.concatenate(columns) if isinstance(columns[0], np.ndarray) else pa.concat_arrays(columns)


def write_playlists(joined: Path, about: pa.Table, path: Path, ids: pa.Array) -> NDArray[np.bool_]:
    """Write the entries of the playlists that have a split; return which of the ids occur."""
    file, used = pq.ParquetFile(joined), np.zeros(len(ids), dtype=bool)
    groups = (file.read_row_group(number) for number in range(file.num_row_groups))
    with pq.ParquetWriter(path, _OUTPUT, compression="zstd") as writer:
        for entries in progress(groups, file.metadata.num_rows, "entries written", len):
            of = about.take(entries["playlist"])
            columns = {name: entries[name] if name in _JOINED.names else of[name] for name in _OUTPUT.names}
            chosen = pa.table(columns).filter(pc.is_valid(of["split"])).cast(_OUTPUT)
            writer.write_table(chosen)
            used |= pc.is_in(ids, value_set=chosen["track_id"].unique()).to_numpy(zero_copy_only=False)
    return used


@contextmanager
def new_files(folder: Path, force: bool, keep_parts: bool) -> Iterator[tuple[Path, Path]]:
    """A folder for parts, which survives a failure, and one for new files, which move to `folder` at the end.

    Raises
    ------
    DataError
        If files exist and `force` is false.
    """
    if folder.exists() and not folder.is_dir():
        raise DataError(folder, "is a file; give a folder to write to")
    parts = folder / _PARTS
    made = [path for path in (parts, folder, *folder.parents) if not path.exists()]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        recover(folder)
        parts.mkdir(parents=True, exist_ok=True)
        _move(parts / _READY, folder)  # what a killed run had finished
        try:
            if not force and (there := [name for name in _FILES if (folder / name).exists()]):
                raise DataError(folder / there[0], "exists already; --force replaces it")
            alone = {path.name for path in folder.iterdir()} <= {*_FILES, _PARTS}
            with folder_beside(folder if alone else parts) as fresh:
                try:
                    yield parts, fresh
                except OSError as error:
                    if error.filename is not None or not error.errno:
                        raise
                    # Arrow does not say which file it could not write.
                    what = f"cannot be written ({reason_of(error)}); what was read is kept: start again to go on"
                    raise DataError(folder, what) from None
                except DataError as error:  # of a file that was to become one of the folder
                    raise DiscoError(str(error).replace(str(fresh), str(folder))) from None
                if alone:
                    replace_folder(fresh, folder)
                    if keep_parts and (fresh / _PARTS).is_dir():
                        (fresh / _PARTS).replace(parts)
                else:
                    fresh.rename(parts / _READY)
                    _move(parts / _READY, folder)
        except BaseException:
            for path in made:  # what was read stays; folders that hold nothing do not
                if path.is_dir() and not any(path.iterdir()):
                    path.rmdir()
            raise
        if not keep_parts:
            shutil.rmtree(parts, ignore_errors=True)


def _move(ready: Path, folder: Path) -> None:
    """Move finished files into a folder that holds others too; what is left of them after a kill is moved later."""
    if ready.is_dir():
        for name in _FILES:
            if (ready / name).exists():
                (ready / name).replace(folder / name)
        shutil.rmtree(ready)
