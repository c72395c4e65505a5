"""How many playlists a second are made in bulk, and learned from, all of them made-up.

    python benchmarks/rates.py [bulk] [training] [--catalogue FILE] [--output FOLDER]

Bulk: `python -m cloud.generate` with one worker and with two, three random tracks as the seeds of each playlist, all
settings as they are. Training: `disco prepare` of slices of the Million Playlist format, and an epoch of
`cloud/classic.toml` and of `cloud/music.toml`, its check on the held-out playlists included. Each rate is from the
difference of a long and a short run, so that starting and reading do not count; the whole time of the long run stands
beside it. Writes `rates.json` into the folder, and prints a table.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import synthetic_playlists
import synthetic_tracks
from table import head, machine, row

ROOT = Path(__file__).parents[1]
# Tracks of the made-up catalogue, and the numbers of seeds of a short and a long run.
TRACKS, SHORT, LONG = 100_000, 2000, 10_000
# Playlists of a part of the work, and what keeps a process to one core.
PART, _THREADS = 1000, ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
# Slices of a thousand playlists that are learned from, and epochs of a short and a long run.
SLICES, SONGS = 4, 40_000
EPOCHS = {"classic": (2, 22), "music": (1, 3)}


def main() -> None:
    """Measure both, or one."""
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("what", nargs="*", default=["bulk", "training"], metavar="bulk|training")
    p.add_argument("--catalogue", type=Path, metavar="FILE", help=f"of bulk ({TRACKS:,} made-up tracks)")
    p.add_argument("--output", type=Path, default=ROOT / "build" / "bench", metavar="FOLDER")
    p.add_argument("--alone", type=Path, help=argparse.SUPPRESS)
    arguments = p.parse_args()
    if arguments.alone:
        print(json.dumps(alone(arguments.alone)))
        return
    found: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder:
        if "bulk" in arguments.what:
            found += bulk(arguments.catalogue or synthetic_tracks.file(TRACKS), Path(folder))
        if "training" in arguments.what:
            found += training(Path(folder))
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / "rates.json").write_text(json.dumps({"machine": machine("ray", "keras"), "rates": found}))
    print(f"\n{machine('ray', 'keras')}")
    head("Playlists a second", "what", "playlists a second", "a second of a core", "whole run")
    for each in found:
        if "rate" in each:
            cpu = f"{each['rate_cpu']:,.0f}" if each["rate_cpu"] else ""
            row(each["what"], f"{each['rate']:,.0f}", cpu, f"{each['seconds']:.0f} s")


def bulk(catalogue: Path, folder: Path) -> list[dict[str, object]]:
    """Rates of `cloud.generate`."""
    ids, rng = np.array(pq.read_table(catalogue, columns=["track_id"])["track_id"]), np.random.default_rng(0)
    for n in (SHORT, LONG):
        lines = ({"id": str(i), "seeds": rng.choice(ids, 3, replace=False).tolist()} for i in range(n))
        (folder / f"{n}.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n")
    one = subprocess.run(
        [sys.executable, __file__, "--alone", str(catalogue)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **dict.fromkeys(_THREADS, "1")},
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    found = [json.loads(one.stdout.splitlines()[-1])]
    for workers in (1, 2):
        times = {
            n: _run("-m", "cloud.generate", folder / f"{n}.jsonl", "--catalogue", catalogue, "--quiet",
                    "--output", folder / f"{n}-{workers}", "--workers", workers)
            for n in (SHORT, LONG)
        }  # fmt: skip
        what = f"made, {workers} worker{'s' * (workers > 1)}, {len(ids):,} tracks"
        found.append(_rate(what, LONG - SHORT, times[SHORT], times[LONG]))
    return found


def alone(catalogue: Path) -> dict[str, object]:
    """What a worker does, in this process: a thousand playlists after another thousand."""
    from cloud.generate import Maker, Options
    from disco.sources.files import tables

    tracks, rng = tables.read(catalogue), np.random.default_rng(1)
    maker = Maker(tracks, Options(), "")
    parts = []
    for _ in range(2):
        seeds = [tracks.ids(rng.choice(len(tracks), 3, replace=False)) for _ in range(PART)]
        parts.append(
            pa.table({"id": [str(i) for i in range(PART)], "seeds": seeds, "title": pa.nulls(PART, pa.string())})
        )
    maker.playlists(parts[0])
    start, used = time.perf_counter(), time.process_time()
    maker.playlists(parts[1])
    seconds, cpu = time.perf_counter() - start, time.process_time() - used
    what = f"made, a worker's work in one process, {len(tracks):,} tracks"
    return {"what": what, "rate": PART / seconds, "rate_cpu": PART / cpu, "seconds": seconds}


def training(folder: Path) -> list[dict[str, object]]:
    """Rates of `disco train`."""
    synthetic_playlists.write(folder, SLICES, SONGS)
    tracks, prepared = folder / "tracks.parquet", folder / "prepared"
    slices = sorted((folder / "slices").iterdir())
    times = [
        _run("-m", "disco", "prepare", *some, "--tracks", tracks, "--output", prepared, "--quiet", "--force")
        for some in (slices[:1], slices)
    ]
    raw = sum(file.stat().st_size for file in slices)
    kept = (prepared / "playlists.parquet").stat().st_size
    found: list[dict[str, object]] = [
        {"what": "bytes of a playlist", "raw": raw / (1000 * SLICES), "prepared": kept / (1000 * SLICES)},
        _rate("prepared", 1000 * (SLICES - 1), *times),
    ]
    for name, epochs in EPOCHS.items():
        times = {}
        for n in epochs:
            model = folder / f"{name}-{n}"
            times[n] = _run("-m", "disco", "train", ROOT / "cloud" / f"{name}.toml", "--tracks", tracks, "--quiet",
                            "--playlists", prepared / "playlists.parquet", "--output", model,
                            "--set", "seeds=[1]", "--set", "patience=1000", "--set", f"epochs={n}")  # fmt: skip
        playlists = json.loads((model / "card.json").read_text())["data"]["playlists"]["train"]
        short, long = epochs
        found.append(_rate(f"learned from, {name}", playlists * (long - short), times[short], times[long]))
    return found


def _rate(what: str, more: int, short: tuple[float, float], long: tuple[float, float]) -> dict[str, object]:
    """Rates by the clock, and for a second of a core where no processes of Ray do the work."""
    cpu = None if what.startswith("made") else more / (long[1] - short[1])
    return {"what": what, "rate": more / (long[0] - short[0]), "rate_cpu": cpu, "seconds": long[0]}


def _run(*command: object) -> tuple[float, float]:
    """Seconds that a command takes, by the clock and of processors."""
    start, used = time.perf_counter(), _used()
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, *map(str, command)], capture_output=True, text=True, cwd=ROOT, env=environment
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stderr[-2000:]}")
    return time.perf_counter() - start, _used() - used


def _used() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
