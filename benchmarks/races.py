"""Let two to six processes change the same state at once, and kill prepare and train at every rename, many times.

    python benchmarks/races.py [--rounds 100] [--kills 50]

It needs `fork`, and the fake services and helpers of `tests/`.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from helpers.fake import Spotify
from helpers.processes import at_once, killed_at

from disco.cli import spotify as command
from disco.sources import corrections, folders, play_log
from disco.sources.plays import Play, PlayedSet
from disco.sources.services import resumable
from disco.sources.services.spotify import library, state, tokens, upload
from disco.sources.services.spotify.client import connect
from disco.sources.tracklist import Entry
from disco.training.prepare import new_files
from disco.training.run import new_folder

STEPS: list[tuple[object, str]] = [(os, "rename"), (os, "replace"), (folders, "exchange")]


def set_corrections(n: int) -> bool:
    """Ten corrections of each process are all kept."""
    codes = at_once(n, lambda who: [corrections.change(f"{who} {i}", {"bpm": "120"}) for i in range(10)])
    return codes == [0] * n and len(corrections.read(corrections.user_file())) == 10 * n


def count_calls(n: int) -> bool:
    """Ten calls of each process add up."""
    codes = at_once(n, lambda _: [state.State.read("app").count() for _ in range(10)])
    return codes == [0] * n and state.State.read("app").made == 10 * n


def keep_plays(n: int) -> bool:
    """Plays of all processes are kept, those that several have once."""
    sets = [
        [PlayedSet(f"set {who}", [Play(Entry(title=f"t{i}", artist="a")) for i in range(5)]) for who in (one, 99)]
        for one in range(n)
    ]
    codes = at_once(n, lambda who: play_log.add(sets[who]))
    return codes == [0] * n and play_log.add([])[1] == 5 * (n + 1)


def upload_one(n: int) -> bool:
    """One playlist uploaded by all processes is created once, with each track once."""
    with Spotify(tracks=400, saved=10).listen() as fake:
        os.environ["DISCO_SPOTIFY_API"], os.environ["DISCO_SPOTIFY_ACCOUNTS"] = fake.api_url, fake.url
        _log_in(fake)
        wanted = list(fake.library.tracks)[:320]
        codes = at_once(n, lambda _: upload.write(connect(), "Friday", wanted))
        made = [one for one in fake.library.playlists if one.name == "Friday"]
        return codes == [0] * n and [[entry.id for entry in one.entries] for one in made] == [wanted]


def sync_library(n: int) -> bool:
    """The library is read whole by the first, and is that of the account after all have read it."""
    with Spotify(tracks=400, saved=130).listen() as fake:
        os.environ["DISCO_SPOTIFY_API"], os.environ["DISCO_SPOTIFY_ACCOUNTS"] = fake.api_url, fake.url
        _log_in(fake)
        if at_once(n, lambda _: read_library()) != [0] * n or not is_whole(fake):
            return False
        several = library.read()
        read_library()
        alone = library.read()
        return (several.saved, several.top, several.playlists) == (alone.saved, alone.top, alone.playlists)


def read_library() -> None:
    """What `disco spotify sync` does, which may wait for another and then say so."""
    text = io.StringIO()
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
        if command.main(["sync"]) and "is in use by another DISCO" not in text.getvalue():
            raise AssertionError(text.getvalue())


def is_whole(fake: Spotify) -> bool:
    """Whether the stored library has what it names, every call was counted, and nothing else is left."""
    stored = library.stored()
    if stored is None:
        return False
    named = {one for kept in stored.playlists for one in kept.ids if one}
    known = set(stored.tracks.column("track_id").to_pylist())
    left = {path.name for path in library.spotify_dir().iterdir() if not path.name.startswith(".")}
    tables = list(library.library_dir().glob("*.parquet"))
    return (
        stored.saved_total == 130
        and {*stored.saved, *stored.top, *named} <= known
        and len(known) == len(stored.tracks)
        and left <= {"library", "token.json", "state.json"}
        and len(tables) == 1
        and state.State.read(fake.client_id).made == len(fake.calls("^/v1/"))
    )


def renew_login(n: int) -> bool:
    """A login is renewed once, and all processes have it."""
    with Spotify(tracks=10, saved=1).listen() as fake:
        os.environ["DISCO_SPOTIFY_API"], os.environ["DISCO_SPOTIFY_ACCOUNTS"] = fake.api_url, fake.url
        _log_in(fake)
        old = tokens.read()
        codes = at_once(n, lambda _: tokens.TokenManager().renew(old))
        return codes == [0] * n and len(fake.calls("token")) == 1


def _log_in(fake: Spotify) -> None:
    token, now = fake.grant(" ".join(tokens.SCOPES)), time.time()
    tokens.save({**token, "client_id": fake.client_id, "expires_at": now + 3600, "authorized_at": now})


def prepare(folder: Path, text: str) -> None:
    """What `disco prepare --force` does with its folder."""
    with new_files(folder, force=True, keep_parts=False) as (parts, fresh):
        (parts / "1.parquet").write_text(text)
        for name in ("playlists.parquet", "tracks.parquet", "report.json"):
            (fresh / name).write_text(text)


def train(folder: Path, text: str) -> None:
    """What `disco train --force` does with its folder."""
    with new_folder(folder, force=True) as fresh:
        for name in ("card.json", "a.npy", "step.onnx"):
            (fresh / name).write_text(text)


def make_folders(n: int) -> bool:
    """A folder that all processes prepare, and one that all train, are each of one process."""
    base = Path(os.environ["DISCO_DATA"])
    works: list[Callable[[Path, str], None]] = [prepare, train]
    for work in works:
        folder = base / work.__name__
        if at_once(n, lambda who, work=work, folder=folder: work(folder, str(who))) != [0] * n:
            return False
        if len({path.read_text() for path in folder.iterdir()}) != 1 or len(list(folder.iterdir())) != 3:
            return False
    return True


def kill(times: int) -> None:
    """Kill both at each of their renames, so many times each."""
    works: list[Callable[[Path, str], None]] = [prepare, train]
    for work in works:
        for exchanged in (True, False):
            steps = wrong = 0
            true = folders.exchange
            if not exchanged:
                folders.exchange = lambda one, other: False
            while True:
                killed = 0
                for i in range(times):
                    with tempfile.TemporaryDirectory() as base:
                        folder = Path(base, "made")
                        work(folder, "old")
                        killed += killed_at(steps, STEPS, partial(work, folder, f"new {i}"))
                        if not exchanged:
                            folders.recover(folder)
                        found = {p.read_text() for p in folder.iterdir() if p.is_file()}
                        wrong += len(found) != 1 or len([p for p in folder.iterdir() if p.is_file()]) != 3
                if not killed:
                    break
                steps += 1
            folders.exchange = true
            how = "exchanged" if exchanged else "renamed, as where names cannot be exchanged"
            print(f"{work.__name__}: {steps} places x {times} kills, {how}: {wrong} mixed or gone", flush=True)


def main() -> int:
    """Race, kill and count."""
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rounds", type=int, default=100, metavar="N", help="of each kind of state (100)")
    p.add_argument("--kills", type=int, default=50, metavar="N", help="at each rename (50)")
    arguments = p.parse_args()
    logging.disable(logging.CRITICAL)
    dice, bad = random.Random(1), 0
    os.environ["DISCO_SPOTIFY_BUDGET"] = "100000"
    resumable._STARTED = 0.0  # the processes are forked, so that all of them began before the first was done
    for work in (set_corrections, count_calls, keep_plays, upload_one, sync_library, renew_login, make_folders):
        wrong = 0
        for _ in range(arguments.rounds):
            with tempfile.TemporaryDirectory() as base:
                os.environ["DISCO_DATA"] = os.environ["DISCO_CONFIG"] = os.environ["DISCO_CACHE"] = base
                wrong += not work(dice.randint(2, 6))
        print(f"{work.__name__}: {wrong} of {arguments.rounds} rounds wrong", flush=True)
        bad += wrong
    kill(arguments.kills)
    return bool(bad)


if __name__ == "__main__":
    raise SystemExit(main())
