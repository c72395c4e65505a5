"""How quickly the page answers: a knob, a keystroke, twenty people at once; its start, the first page, its memory.

    python benchmarks/page.py [--catalogue FILE] [--tracks N] [--seconds 60] [--people 20] [--browser]
    python benchmarks/page.py --seconds 0 --requests 10000     memory over so many requests
    python benchmarks/page.py --memory                         memory of 1, 2 and 4 processes, beside the catalogue's
    python benchmarks/page.py --catalogue demo --starts 5      time until the server answers

What it does not know, such as `--workers 2`, it passes to `disco app`, which it starts as a process of its own and
asks as a browser does. Beside the time until the answer stands the processor time of the server for each, which other
programs on the machine disturb less.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy as np
import synthetic_tracks
from table import head, row

import disco
from disco import sources
from disco.catalogue import Catalogue

KNOBS = ("flow", "spicyness", "sweetness", "smoothness")
PEOPLE = 20
PAUSE = 0.5


class Server:
    """`disco app` on a free port, and what it costs."""

    command = (sys.executable, "-m", "disco", "app", "-q", "--no-browser", "--port", "0")

    def __init__(self, catalogue: str, more: list[str]) -> None:
        command = [*self.command, *more, *([] if catalogue == "demo" else ["--catalogue", catalogue])]
        started = time.perf_counter()
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        self.port = int(self._process.stdout.readline().split("127.0.0.1:")[1].split("/")[0])
        while not (answer := self._ready()).get("ready"):
            assert not answer.get("error"), answer
            time.sleep(0.02)
        self.start_seconds, self.start_processor_seconds = time.perf_counter() - started, self.processor_seconds
        self.tracks: int = answer["tracks"]

    def _ready(self) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = ask(self.connection(), "ready", None)
        except ConnectionError:
            return {}
        return answer

    def wait_for(self, workers: int) -> None:
        """Wait until so many processes answer, if more than one is to."""
        while workers > 1 and len(self._processes) < workers + 1:
            time.sleep(0.05)

    def connection(self) -> HTTPConnection:
        """One that stays open, as a browser's does."""
        return HTTPConnection("127.0.0.1", self.port, timeout=60)

    @property
    def _processes(self) -> list[int]:
        found = [self._process.pid]
        for pid in found:  # which grows meanwhile
            for task in Path(f"/proc/{pid}/task").glob("*/children"):
                found += map(int, task.read_text().split())
        return found

    @property
    def processor_seconds(self) -> float:
        """Processor time so far, of all its processes."""
        fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in self._processes]
        return sum(int(each[11]) + int(each[12]) for each in fields) / os.sysconf("SC_CLK_TCK")

    @property
    def megabytes(self) -> float:
        """Memory now, of all its processes together, in MB of a million bytes; what several share counts once."""
        return self._of_rollups("Pss")

    @property
    def own_megabytes(self) -> float:
        """The same without files that are memory-mapped, whose share changes with other programs that map them."""
        return self._of_rollups("Pss_Anon")

    def _of_rollups(self, what: str) -> float:
        rollups = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in self._processes]
        return sum(int(re.search(rf"^{what}: +(\d+)", each, re.MULTILINE)[1]) for each in rollups) * 1024 / 1e6

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(20)


@contextmanager
def serving(catalogue: str, more: list[str], kind: type[Server] = Server) -> Iterator[Server]:
    """A server while the block lasts."""
    server = kind(catalogue, more)
    try:
        yield server
    finally:
        server.stop()


def ask(connection: HTTPConnection, what: str, sent: Any) -> Any:
    """One answer of the page's server."""
    if sent is None:
        connection.request("GET", f"/page/{what}")
    else:
        connection.request("POST", f"/page/{what}", json.dumps(sent), {"content-type": "application/json"})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise RuntimeError(body.decode())
    return json.loads(body)


def a_state(rng: np.random.Generator, seeds: list[str]) -> dict[str, Any]:
    """A knob turned to where nobody had it before, so that no answer is one that is kept."""
    return {"seeds": seeds, **{name: round(float(rng.uniform(0, 3)), 4) for name in KNOBS}}


def timed(server: Server, work: list[tuple[str, Any]]) -> tuple[np.ndarray, float]:
    """Milliseconds of each answer, and the server's processor milliseconds for one."""
    connection, times, before = server.connection(), [], server.processor_seconds
    for what, sent in work:
        start = time.perf_counter()
        ask(connection, what, sent)
        times.append(1000 * (time.perf_counter() - start))
    return np.array(times), 1000 * (server.processor_seconds - before) / len(work)


def crowd(
    server: Server, seeds: list[list[str]], seconds: float, pause: float = PAUSE
) -> tuple[np.ndarray, int, float]:
    """Milliseconds of the answers to people who each turn a knob after each pause, errors, and processor time."""
    times: list[float] = []
    errors = 0
    lock, before = threading.Lock(), server.processor_seconds
    end = time.perf_counter() + seconds

    def person(number: int) -> None:
        nonlocal errors
        rng, connection = np.random.default_rng(number), server.connection()
        due = time.perf_counter() + float(rng.uniform(0, PAUSE))
        while due < end:
            time.sleep(max(0.0, due - time.perf_counter()))
            try:
                ask(connection, "play", {"state": a_state(rng, seeds[number])})
            except (OSError, RuntimeError):
                errors += 1
                connection = server.connection()
            with lock:
                times.append(1000 * (time.perf_counter() - due))  # waiting for the last answer counts too
            due = max(due + pause, time.perf_counter())

    people = [threading.Thread(target=person, args=(number,)) for number in range(len(seeds))]
    for each in people:
        each.start()
    for each in people:
        each.join()
    return np.array(times), errors, 1000 * (server.processor_seconds - before) / max(len(times), 1)


def main() -> None:
    """Print the table."""
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--catalogue", metavar="FILE", help="measure on your own tracks, or on the built-in ones: demo")
    p.add_argument("--tracks", type=int, default=1_000_000, metavar="N", help="or on so many made-up ones (1000000)")
    p.add_argument("--answers", type=int, default=200, metavar="N", help="answers to one person (200)")
    p.add_argument("--browser", action="store_true", help="also time the first page in Chromium; for the demo")
    p.add_argument("--seconds", type=float, default=60, metavar="S", help="how long 20 people turn knobs (60)")
    p.add_argument("--people", type=int, default=PEOPLE, metavar="N", help=f"how many people there are ({PEOPLE})")
    p.add_argument("--requests", type=int, default=0, metavar="N", help="requests over which memory is watched (0)")
    p.add_argument("--memory", action="store_true", help="memory of 1, 2 and 4 processes, and nothing else")
    p.add_argument("--starts", type=int, default=0, metavar="N", help="time so many starts, and nothing else")
    arguments, more = p.parse_known_args()
    catalogue = arguments.catalogue or str(synthetic_tracks.file(arguments.tracks))
    if arguments.memory:
        memory(catalogue, more)
        return
    if arguments.starts:
        starts(catalogue, more, arguments.starts)
        return
    rng = np.random.default_rng(0)
    with serving(catalogue, more) as server:
        ids, title = some_ids(server)
        seeds = [[str(each) for each in rng.choice(ids, 3, replace=False)] for _ in range(arguments.people)]
        head(
            f"The page with {server.tracks:,} tracks, load {os.getloadavg()[0]:.0f}, "
            f"ready after {server.start_seconds:.1f} s, {server.megabytes:.0f} MB",
            *("what", "median, ms", "95 %, ms", "processor, ms each"),
        )
        timed(server, [("play", {"state": a_state(rng, seeds[0])}) for _ in range(5)])
        times, cost = timed(server, [("play", {"state": a_state(rng, seeds[0])}) for _ in range(arguments.answers)])
        row("a knob", *quantiles(times), f"{cost:.0f}")
        letters = [title[:n] for n in range(1, len(title) + 1)]
        times, cost = timed(
            server, [("search", {"text": text}) for text in letters * (arguments.answers // len(letters))]
        )
        row("a keystroke", *quantiles(times), f"{cost:.0f}")
        if arguments.browser:
            first_page(server)
        if arguments.seconds:
            times, errors, cost = crowd(server, seeds, arguments.seconds)
            what = f"{len(seeds)} people, {len(times):,} requests, {errors} errors"
            row(what, *quantiles(times), f"{cost:.0f}")
        if arguments.requests:
            watch_memory(server, rng, seeds, arguments.requests)


def some_ids(server: Server) -> tuple[list[str], str]:
    """Ids of tracks that two searches find, and the title of the first."""
    found = [each for text in ("the", "li") for each in ask(server.connection(), "search", {"text": text})]
    return [each["id"] for each in found], found[0]["title"]


def starts(catalogue: str, more: list[str], times: int) -> None:
    """Print the time until the server answers with tracks, and the processor time of its processes until then."""
    head(f"Start, load {os.getloadavg()[0]:.0f}", "seconds", "processor, s")
    for _ in range(times):
        with serving(catalogue, more) as server:
            row(f"{server.start_seconds:.2f}", f"{server.start_processor_seconds:.2f}")


def memory(catalogue: str, more: list[str], playlists: int = 60) -> None:
    """Print the memory of all processes, when they are ready and after playlists, beside the catalogue's bytes."""
    opened = disco.open(() if catalogue == "demo" else catalogue)
    of_catalogue = bytes_of(opened, catalogue) / 1e6
    head(
        f"Memory with {len(opened):,} tracks, which take {of_catalogue:.0f} MB (proportional set size, MB)",
        *(
            "processes that answer",
            "ready",
            "times the catalogue",
            f"after {playlists} playlists",
            "times the catalogue",
        ),
    )
    for workers in (1, 2, 4):
        with serving(catalogue, [*more, "--workers", str(workers)]) as server:
            server.wait_for(workers)
            time.sleep(2)
            ready, rng, (ids, _) = server.megabytes, np.random.default_rng(0), some_ids(server)
            for _ in range(playlists):
                # Each on a connection of its own, so that all processes come to answer.
                seeds = [str(each) for each in rng.choice(ids, 3, replace=False)]
                ask(server.connection(), "play", {"state": a_state(rng, seeds)})
            used = server.megabytes
            row(workers, f"{ready:.0f}", f"{ready / of_catalogue:.2f}", f"{used:.0f}", f"{used / of_catalogue:.2f}")


def bytes_of(opened: Catalogue, catalogue: str) -> int:
    """What a catalogue takes on the disk: columns, vectors and search index in the cache, or its file and these."""
    cache = opened._store
    file = sources.DEMO if catalogue == "demo" else Path(catalogue)
    return cache.size() + (0 if cache.shared else file.stat().st_size)


def first_page(server: Server, times: int = 7) -> None:
    """Print how long a browser that has never been here takes to show the list, and then the figure."""
    from playwright.sync_api import sync_playwright

    path = os.environ.get("BROWSER_PATH") or shutil.which("chromium")
    shown: dict[str, list[float]] = {"first page: the list": [], "first page: the figure": []}
    busy: dict[str, list[float]] = {what: [] for what in shown}
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for _ in range(times):
            context = chromium.new_context(viewport={"width": 1440, "height": 900})
            tab = context.new_page()
            watch = context.new_cdp_session(tab)
            watch.send("Performance.enable")
            start = time.perf_counter()
            tab.goto(f"http://127.0.0.1:{server.port}/", wait_until="commit")
            for what, selector in zip(shown, ("#tracks li.track", "#figure .scatterlayer .trace"), strict=True):
                tab.wait_for_selector(selector)
                shown[what].append(1000 * (time.perf_counter() - start))
                measured = {each["name"]: each["value"] for each in watch.send("Performance.getMetrics")["metrics"]}
                busy[what].append(1000 * measured["TaskDuration"])
            context.close()
        chromium.close()
    for what, each in shown.items():
        row(what, *quantiles(np.array(each)), f"{np.median(busy[what]):.0f} (the browser's main thread)")


def watch_memory(server: Server, rng: np.random.Generator, seeds: list[list[str]], requests: int) -> None:
    """Print the memory after each tenth of the requests."""
    seen = []
    asked = [("play", {"state": a_state(rng, seeds[i % len(seeds)])}) for i in range(requests)]
    for tenth in np.array_split(np.arange(requests), 10):
        with ThreadPoolExecutor() as threads:  # on several connections, so that all processes answer
            list(threads.map(lambda part: timed(server, [asked[i] for i in part]), np.array_split(tenth, 4)))
        seen.append(server.own_megabytes)
    print(f"\nMemory without mapped files over {requests:,} requests: {', '.join(f'{each:.0f}' for each in seen)} MB")
    print(f"From a fifth to the end: {seen[-1] / seen[1] - 1:+.1%}")


def quantiles(times: np.ndarray) -> list[str]:
    """Median and 95th percentile, as shown."""
    return [f"{np.median(times):.0f}", f"{np.quantile(times, 0.95):.0f}"]


if __name__ == "__main__":
    main()
