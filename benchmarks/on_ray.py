"""Time, memory and exactness of the commands on Ray, with a worker and then the whole command killed.

    python benchmarks/synthetic_playlists.py FOLDER --slices 1000
    python benchmarks/on_ray.py prepare FOLDER [--workers 2] [--kill]
    python benchmarks/on_ray.py train FOLDER [--workers 2]

What `prepare` writes is compared with the playlists as they were drawn; the network of a disturbed training with that
of an undisturbed one. Linux only: processes are read from `/proc`.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnxruntime
import pyarrow.parquet as pq
import synthetic_playlists

ROOT = Path(__file__).parents[1]
TICKS = os.sysconf("SC_CLK_TCK")
# What networks are asked, to compare them.
PROBE = {
    "inputs": np.random.default_rng(0).normal(size=(100, 9)).astype(np.float32),
    "state": np.zeros((100, 32), "f4"),
}
# Names of Ray's processes while they do the work.
WORKERS = (b"ray::MapBatches", b"ray::_RayTrainWorker", b"ray::RayTrainWorker", b"ray::TrainWorker")


@dataclass
class Watched:
    """A command and all processes that it starts, by a mark in their environment, and what they took.

    Attributes
    ----------
    seconds : dict of int to float
        Processor time of each process, by its number.
    memory : float
        Highest sum of the memory of all, shared memory counted once, in GiB.
    """

    mark: str = field(default_factory=lambda: f"DISCO_WATCHED={secrets.token_hex(8)}")
    seconds: dict[int, float] = field(default_factory=dict)
    memory: float = 0.0

    def start(self, command: list[str]) -> subprocess.Popen[bytes]:
        """Start the command in the project's folder."""
        name, value = self.mark.split("=")
        environment = os.environ | {name: value, "PYTHONPATH": str(ROOT)}
        return subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT, env=environment)

    def processes(self) -> Iterator[int]:
        """Numbers of those that live."""
        for number in (int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()):
            try:
                if self.mark.encode() in Path(f"/proc/{number}/environ").read_bytes():
                    yield number
            except OSError:  # it has ended
                continue

    def workers(self) -> list[int]:
        """Numbers of those that do the work at this moment."""
        found = []
        for number in self.processes():
            try:
                if Path(f"/proc/{number}/cmdline").read_bytes().startswith(WORKERS):
                    found.append(number)
            except OSError:
                continue
        return found

    def look(self) -> None:
        """Note what the processes have taken so far."""
        total = 0.0
        for number in self.processes():
            try:
                fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
                rollup = Path(f"/proc/{number}/smaps_rollup").read_text()
            except OSError:
                continue
            self.seconds[number] = (int(fields[11]) + int(fields[12])) / TICKS
            total += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) / 2**20
        self.memory = max(self.memory, total)

    def end(self) -> int:
        """End what is left of them a moment after the command; how many there were."""
        for _ in range(20):
            if not (left := list(self.processes())):
                return 0
            time.sleep(0.5)
        for number in left:
            os.kill(number, signal.SIGKILL)
        return len(left)


def prepare(folder: Path, workers: int, kill: bool) -> None:
    """Prepare all slices of a folder, and print what it took and whether all rows are right."""
    output, watched = folder / "prepared", Watched()
    shutil.rmtree(output, ignore_errors=True)
    names = [str(folder / "slices"), "--tracks", str(folder / "tracks.parquet"), "--output", str(output)]
    command = ["cloud.prepare", *names, "--workers", str(workers)]
    n = len(list((folder / "slices").glob("*.json")))
    began, process = time.monotonic(), watched.start(command)
    # A worker is killed after a fifth of the slices, the command after a half.
    plan = [(n // 5, "worker"), (n // 2, "command")] if kill else []
    looked = 0.0
    while process.poll() is None or plan:
        if process.poll() is not None:
            raise SystemExit(f"ended with {process.returncode} before all that was to be killed was killed")
        time.sleep(0.2)
        if time.monotonic() - looked > 2:
            watched.look()
            looked = time.monotonic()
        done = len(list((output / ".parts").glob("*.parquet")))
        if plan and done >= plan[0][0] and (plan[0][1] == "command" or watched.workers()):
            what = plan.pop(0)[1]
            victim = process.pid if what == "command" else watched.workers()[0]
            os.kill(victim, signal.SIGKILL)
            print(f"{time.monotonic() - began:.0f} s: {what} killed after {done:,} of {n:,} slices", flush=True)
            if what == "command":
                process.wait()
                process = watched.start(command)  # at once, as something that keeps it alive would
    seconds = time.monotonic() - began
    print(f"processes left behind: {watched.end()}; exit code {process.returncode}")
    cpu, load = sum(watched.seconds.values()), ", ".join(f"{each:.1f}" for each in os.getloadavg())
    print(f"{seconds:.0f} s, {cpu:.0f} s of processor time, {watched.memory:.2f} GiB; load {load}")
    check(folder, output, n)


def check(folder: Path, output: Path, n: int) -> None:
    """Compare what was prepared with what was drawn: every playlist, and the number of its rows."""
    report = json.loads((output / "report.json").read_text())
    least, tracks = report["rules"]["minimum_length"], pq.read_metadata(folder / "tracks.parquet").num_rows
    _, _, by_kind = synthetic_playlists.of_tracks(tracks)
    entries, length = 0, np.zeros(n * synthetic_playlists.PER_SLICE, dtype=np.int64)
    for number in range(n):
        lists = synthetic_playlists.drawn(number, by_kind)
        entries += sum(map(len, lists))
        first = number * synthetic_playlists.PER_SLICE
        length[first : first + len(lists)] = [len(np.unique(rows)) for rows in lists]
    expected = np.where(length >= least, length, 0)
    found = np.zeros_like(expected)
    for batch in pq.ParquetFile(output / "playlists.parquet").iter_batches(columns=["playlist_id"]):
        ids = batch["playlist_id"].dictionary_encode()
        numbers = np.array([int(name.removeprefix("mpd:")) for name in ids.dictionary.to_pylist()])
        np.add.at(found, numbers[ids.indices.to_numpy()], 1)
    read = report["entries"]["read"]
    print(f"entries read {read:,} of {entries:,}; playlists read {report['playlists']['read']:,} of {len(length):,}")
    print(f"rows written {found.sum():,} of {expected.sum():,}; playlists {(found > 0).sum():,}")
    wrong = np.flatnonzero(found != expected)
    print(f"playlists with another number of rows than drawn: {len(wrong):,} {wrong[:5].tolist()}")
    duplicates = report["playlists"]["left_out"]["duplicate"]
    if read != entries or len(wrong) != duplicates:
        raise SystemExit("rows are wrong or missing")


def train(folder: Path, workers: int) -> None:
    """Train once undisturbed, once with a worker and once with the command killed after the second epoch."""
    data = folder / "small"
    names = ["--tracks", str(folder / "tracks.parquet"), "--playlists", str(data / "playlists.parquet")]
    if not data.exists():
        slices = [str(folder / "slices" / f"mpd.slice.{n}-{n + 999}.json") for n in (0, 1000, 2000)]
        subprocess.run([sys.executable, "-m", "disco", "prepare", *slices, *names[:2], "--output", data], check=True)
    learned = {}
    for victim in ("nobody", "worker", "command"):
        output, watched = folder / f"model-{victim}", Watched()
        shutil.rmtree(output, ignore_errors=True)
        changes = ["--set", "seeds = [1]", "--set", "epochs = 6", "--set", "patience = 6"]
        command = ["cloud.train", str(ROOT / "cloud/classic.toml"), *names, "--output", str(output)]
        command += [*changes, "--workers", str(workers)]
        began, process = time.monotonic(), watched.start(command)
        killed = victim == "nobody"
        while process.poll() is None:
            time.sleep(0.1)
            watched.look()
            if not killed and any(epochs(path) >= 2 for path in folder.glob(f".{output.name}-*.npz")):
                number = process.pid if victim == "command" else watched.workers()[-1]
                os.kill(number, signal.SIGKILL)
                print(f"{time.monotonic() - began:.0f} s: {victim} killed", flush=True)
                killed = True
                if victim == "command":
                    process.wait()
                    process = watched.start(command)
        cpu = sum(watched.seconds.values())
        print(
            f"{victim} killed: {time.monotonic() - began:.0f} s, {cpu:.0f} s of processor time; {watched.end()} left"
        )
        if process.returncode or not killed:
            raise SystemExit("it ended before it was disturbed, or failed")
        learned[victim] = onnxruntime.InferenceSession(output / "step.onnx").run(None, PROBE)[0]
        error = json.loads((output / "card.json").read_text())["validation_error_by_seed"]["1"]
        off = np.abs(learned[victim] - learned["nobody"]).max()
        print(f"validation error {error}; its predictions differ from those of the undisturbed by {off:.1g} at most")


def epochs(saved: Path) -> int:
    """Epochs of a checkpoint."""
    with np.load(saved, allow_pickle=False) as arrays:
        return len(arrays["done"])


def main() -> None:
    """Measure."""
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("command", choices=["prepare", "train"])
    p.add_argument("folder", type=Path)
    p.add_argument("--workers", type=int, default=2)
    p.add_argument("--kill", action="store_true", help="kill a worker and then the command, and start it again")
    arguments = p.parse_args()
    if arguments.command == "train":
        train(arguments.folder, arguments.workers)
    else:
        prepare(arguments.folder, arguments.workers, arguments.kill)


if __name__ == "__main__":
    main()
