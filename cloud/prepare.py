"""`python -m cloud.prepare PLAYLISTS... --tracks FILE --output FOLDER`: `disco prepare` with its slices read on Ray.

Everything but the reading is the library's: see `disco.training.prepare`. What was read lies in the output folder
until all is joined, so that a command that was stopped goes on. A listening log is first grouped into sessions.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cloud import cluster, sessions
from disco.cli import console
from disco.cli import prepare as command
from disco.errors import DiscoError
from disco.sources.files.mpd_slices import PlaylistSource
from disco.training.prepare import prepare, write_part


def parser() -> argparse.ArgumentParser:
    """The options of `disco prepare`, and those of Ray."""
    p = command.parser()
    p.prog = "python -m cloud.prepare"
    next(action for action in p._actions if action.dest == "playlists").nargs = "*"  # there may be a log instead
    p.add_argument(
        "--log",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="Parquet file or folder of plays with user_id, track_id and timestamp; sessions of it become playlists",
    )
    p.add_argument("--pause", type=float, default=30.0, metavar="MINUTES", help="without a play end a session (30)")
    cluster.add_options(p, "read slices")
    return p


def read_parts(workers: int, missing: Mapping[PlaylistSource, Path]) -> Iterator[tuple[PlaylistSource, str]]:
    """Write the part of each source on Ray, as `disco.training.prepare.write_part` does.

    Parameters
    ----------
    workers : int
        Sources that are read at a time.
    missing : mapping of PlaylistSource to Path
        Where the part of each is to be written; a folder that all workers see.

    Yields
    ------
    PlaylistSource
        In any order.
    str
        Why it could not be read; empty if it was.

    Raises
    ------
    DiscoError
        If a part cannot be written.
    """
    import ray.data

    sources = list(missing)
    if not sources:
        return
    items = [
        {
            "number": i,
            "path": str(source.path),
            "member": source.member,
            "table": source.table,
            "part": str(missing[source]),
        }
        for i, source in enumerate(sources)
    ]
    found = ray.data.from_items(items, override_num_blocks=len(items)).map_batches(
        _read, batch_size=1, compute=ray.data.TaskPoolStrategy(workers), num_cpus=1
    )
    for row in found.iter_rows():
        if row["failed"]:
            raise DiscoError(row["failed"])
        yield sources[row["number"]], row["reason"]


def _read(batch: dict[str, Any]) -> dict[str, list[Any]]:
    """Read one source in a worker: why it could not be read, or why the part could not be written."""
    source = PlaylistSource(Path(batch["path"][0]), str(batch["member"][0]), bool(batch["table"][0]))
    reason = failed = ""
    try:
        reason = write_part(source, Path(batch["part"][0]))
    except DiscoError as error:
        failed = str(error)
    return {"number": [int(batch["number"][0])], "reason": [reason], "failed": [failed]}


@console.command
def main(argv: Sequence[str] | None = None) -> int:
    """Read playlists or plays on Ray, then match, filter and split them; exit code 3 if slices were left out."""
    p = parser()
    arguments = vars(p.parse_args(argv))
    address, workers, as_json = arguments.pop("address"), arguments.pop("workers"), arguments.pop("json")
    console.set_verbosity(arguments.pop("quiet"))
    del arguments["processes"]
    log, pause = arguments.pop("log"), arguments.pop("pause")
    if not log and not arguments["playlists"]:
        p.error("name PLAYLISTS or a --log")
    output: Path = arguments["output"]
    plays = output.with_name(f".{output.name}-sessions")
    with cluster.connected(address, workers) as n:
        files, broken = sessions.of_log(log, plays, pause) if log else ([], [])
        arguments["playlists"] = [*arguments["playlists"], *files]
        report = prepare(**arguments, write_missing=lambda missing: read_parts(n, missing))
    shutil.rmtree(plays, ignore_errors=True)
    if as_json:
        print(json.dumps(report, ensure_ascii=False, indent=2))
    else:
        command.show(report)
    return cluster.LEFT_OUT if broken or report["slices"]["broken"] else 0


if __name__ == "__main__":
    sys.exit(main())
