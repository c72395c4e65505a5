"""Damage files of every kind at random, and see that each ends in tracks or in one sentence, and soon.

    python benchmarks/mutations.py [READER ...] [--number 10000] [--seconds 0] [--table FILE.md]

A fault is an exception that is not a `DiscoError`, a file that takes more than 20 s of the processor or 2 GB, an
entry of a list that is matched with a track of another title or artist although no id, ISRC or path decides, or a
damaged cache that has other tracks than the table. One process reads many files; if one ends it, or would never end,
the next process goes on with the next file.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

SLOWEST_S, MOST_BYTES = 20.0, 2 << 30
# After so much time of the processor the process is ended by the system.
_ENDED_S = 40
ODD: tuple[Any, ...] = (
    *(None, True, -1, 0, 1e308, float("nan"), 10**30, "", "\ud83d", "a" * 5000, [], {}, [[]]),
    {"a": 1},
)
TOKENS = (
    *(b"\0", b"\xff\xfe", b"\n", b",", b'"', b"\t" * 300, b" " * 5000, b"{", b"[" * 400, b"</", b"&#0;", b"1e999"),
    b"-",
)


def damaged(content: bytes, dice: random.Random) -> bytes:
    """Bytes with one to four places changed, cut out, doubled or filled with what readers stumble over."""
    new = bytearray(content)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(new) + 1)
        end = min(len(new), at + dice.choice((1, 1, 2, 8, 100, 5000)))
        way = dice.randrange(6)
        if way == 0 and at < len(new):
            new[at] = dice.randrange(256)
        elif way == 1:
            del new[at:end]
        elif way == 2:
            new[at:at] = new[at:end]
        elif way == 3:
            new[at:at] = dice.choice(TOKENS)
        elif way == 4:
            new[at:end] = dice.randbytes(end - at)
        else:
            del new[at:]
    return bytes(new)


def changed(value: Any, dice: random.Random) -> Any:
    """JSON in which one value, somewhere, is another or gone."""
    if isinstance(value, dict) and value and dice.random() < 0.9:
        key = dice.choice(list(value))
        if dice.random() < 0.15:
            return {name: each for name, each in value.items() if name != key}
        return {**value, key: changed(value[key], dice)}
    if isinstance(value, list) and value and dice.random() < 0.9:
        at = dice.randrange(len(value))
        return value[:at] + ([changed(value[at], dice)] if dice.random() < 0.85 else []) + value[at + 1 :]
    return dice.choice(ODD)


class Cards:
    """Copies of shipped models, whose cards are changed in one value."""

    # Those that are opened in milliseconds are damaged more often.
    NAMES = (*["classic", "gru", "rank", "autoencoder"] * 10, "content", "music")

    def __init__(self, folder: Path, demo: Any) -> None:
        from disco.models.card import MODELS

        self.folder, self.demo, self.cards = folder / "models", demo.take(np.arange(30)), dict[str, Any]()
        for name in dict.fromkeys(self.NAMES):
            shutil.copytree(MODELS / name, self.folder / name, ignore=shutil.ignore_patterns("*.keras"))
            self.cards[name] = json.loads((MODELS / name / "card.json").read_text())

    def use(self, dice: random.Random) -> None:
        """Use a model whose card says something else."""
        from disco.models.predictors import load_predictor
        from disco.models.recommenders import load_recommender
        from disco.models.recommenders.query import Query

        name = dice.choice(self.NAMES)
        model = self.folder / name
        (model / "card.json").write_text(json.dumps(changed(self.cards[name], dice)))
        if name not in ("content", "autoencoder"):
            predictor = load_predictor(str(model))
            inputs = predictor.inputs(self.demo, predictor.embed(self.demo), np.array([0, 1]))
            predictor.step(inputs, predictor.start(2))
        if name in ("content", "music", "autoencoder"):
            load_recommender(str(model), self.demo).recommend(Query(np.array([1, 2])), 10)


def main() -> int:
    """Damage, read and count."""
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("readers", nargs="*", metavar="READER")
    p.add_argument("--number", type=int, default=200, metavar="N", help="files of each kind (200)")
    p.add_argument("--first", type=int, default=0, metavar="N", help="number of the first (0)")
    p.add_argument("--seconds", type=float, default=0, metavar="S", help="most for each kind (0: no limit)")
    p.add_argument("--table", type=Path, metavar="FILE", help="add a line for each kind to a table in Markdown")
    arguments = p.parse_args()
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    bad = 0
    with tempfile.TemporaryDirectory() as base:
        for name in ("DISCO_DATA", "DISCO_CONFIG", "DISCO_CACHE"):
            os.environ[name] = f"{base}/own"
        from whole_files import Files

        files = Files(Path(base))
        readers = {kind: _one_of(cases) for kind, cases in files.cases.items()}
        readers["card"] = Cards(Path(base), files.demo).use
        for kind in arguments.readers or readers:
            numbers = range(arguments.first, arguments.first + arguments.number)
            found = run(kind, readers[kind], Path(base), numbers, arguments.seconds)
            bad += len(found["faults"])
            show(kind, found, arguments.table)
    return bool(bad)


def _one_of(cases: list[Any]) -> Callable[[random.Random], None]:
    """What damages one of some files, and reads it or what it belongs to."""

    def use(dice: random.Random) -> None:
        case = dice.choice(cases)
        for path, content in case.beside.items():
            path.write_bytes(content)
        case.file.write_bytes(damaged(case.whole, dice))
        try:
            case.read()
        finally:
            case.file.write_bytes(case.whole)

    return use


def run(
    kind: str, use: Callable[[random.Random], None], folder: Path, numbers: range, seconds: float
) -> dict[str, Any]:
    """Damage and read so many files of a kind, in processes of which each goes on where the last one ended."""
    log, place = folder / "results.jsonl", folder / "place"
    for file in (log, place):
        file.write_text("")
    begin = time.monotonic()
    until = begin + seconds if seconds else float("inf")
    found: dict[str, Any] = {"files": 0, "refused": 0, "slowest": 0.0, "memory": 0, "faults": [], "spent": 0.0}
    while found["files"] < len(numbers) and time.monotonic() < until:
        child = os.fork()
        if not child:
            _work(kind, use, numbers[found["files"] :], log, place, until)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        at = int(place.read_text() or numbers[0])
        found["files"] = at + 1 - numbers[0]
        if not code:
            break
        found["faults"].append(f"the process ended with {code} (file {at})")
    for line in map(json.loads, log.read_text().splitlines()):
        found["faults"] += [line["fault"]] if "fault" in line else []
        found["refused"] += line.get("refused", 0)
        found["spent"] += line.get("slowest", 0.0)
        for name in ("slowest", "memory"):
            found[name] = max(found[name], line.get(name, 0))
    found["wall"] = time.monotonic() - begin
    return found


def _work(
    kind: str, use: Callable[[random.Random], None], numbers: range, log_file: Path, place: Path, until: float
) -> None:
    """Read files in a forked process, and end it."""
    from disco.errors import DiscoError

    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123 - until the process ends
    code, base = 1, _peak()
    at = os.open(place, os.O_WRONLY)
    with log_file.open("a", buffering=1) as log:
        try:
            for i in numbers:
                if time.monotonic() > until:
                    break
                os.pwrite(at, str(i).encode(), 0)
                # Where nothing in Python would end it, the system does.
                signal.setitimer(signal.ITIMER_PROF, _ENDED_S)
                _forget_peak()
                started, fault, refused = time.process_time(), "", 0
                try:
                    use(random.Random(f"{kind} {i}"))
                except DiscoError:
                    refused = 1
                except Exception as error:
                    where = traceback.extract_tb(error.__traceback__)
                    last = next((f for f in reversed(where) if "/disco/" in f.filename), where[-1])
                    fault = (
                        f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}: {str(error)[:300]!r}"
                    )
                slowest, memory = time.process_time() - started, _peak() - base
                fault = fault or (f"over {SLOWEST_S:.0f} s" if slowest > SLOWEST_S else "")
                fault = fault or ("over 2 GB" if memory > MOST_BYTES else "")
                found = {"fault": f"{fault} (file {i})"} if fault else {}
                log.write(json.dumps({"slowest": slowest, "memory": memory, "refused": refused, **found}) + "\n")
            code = 0
        finally:
            os._exit(code)


def _peak() -> int:
    """The most memory of this process since it was last forgotten, in bytes; 0 where the system does not say."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0)


def _forget_peak() -> None:
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def show(kind: str, found: dict[str, Any], table: Path | None) -> None:
    """Print what was found of a kind, and add it to a table."""
    slowest, memory, faults = found["slowest"], found["memory"] / 1e9, found["faults"]
    print(
        f"{kind:<18}{found['files']:>8,} files {found['refused']:>8,} refused {len(faults):>5,} faults, slowest "
        f"{slowest:.2f} s, {memory:.2f} GB, {1000 * found['spent'] / max(1, found['files']):.1f} ms each",
        flush=True,
    )
    for what, n in Counter(fault.rpartition(" (file ")[0] for fault in faults).most_common(12):
        first = next(fault for fault in faults if fault.startswith(what))
        print(f"    {n:>5} {first}", flush=True)
    if table:
        with table.open("a", encoding="utf-8") as file:
            counts = f"{found['files']:,} | {found['refused']:,} | {len(faults)}"
            file.write(f"| {kind} | {counts} | {slowest:.2f} | {memory:.2f} |\n")


if __name__ == "__main__":
    raise SystemExit(main())
