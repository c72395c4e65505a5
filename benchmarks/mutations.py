"""Damage files of every kind at random, and see that each ends in tracks or in one sentence, and soon.

    python benchmarks/mutations.py [READER ...] [--number 10000] [--seconds 0]

A fault is an exception that is not a `DiscoError`, a file that takes more than 20 s of the processor or 2 GB, or an
entry of a list that is matched with a track of another title although the file has no id for it.
"""

from __future__ import annotations

import argparse
import gzip
import json
import logging
import os
import random
import resource
import shutil
import struct
import tempfile
import time
import traceback
import warnings
import wave
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

import disco
from disco.catalogue.text import recording_titles
from disco.cli import settings
from disco.errors import DiscoError
from disco.models.card import MODELS
from disco.models.predictors import load_predictor
from disco.models.recommenders import load_recommender
from disco.models.recommenders.query import Query
from disco.sources import DEMO, corrections, playlist_files
from disco.sources.files import playlist_tables, tables

SLOWEST_S, MOST_BYTES = 20.0, 2 << 30
ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1e308,
    float("nan"),
    10**30,
    "",
    "\ud83d",
    "a" * 5000,
    [],
    {},
    [[]],
    {"a": 1},
)
TOKENS = (
    b"\0",
    b"\xff\xfe",
    b"\n",
    b",",
    b'"',
    b"\t" * 300,
    b" " * 5000,
    b"{",
    b"[" * 400,
    b"</",
    b"&#0;",
    b"1e999",
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


class Files:
    """Whole files of each kind, and what reads them."""

    def __init__(self, folder: Path) -> None:
        self.demo = disco.open(cache=False).take(np.arange(300))
        some = disco.reorder(self.demo, list(self.demo.ids(np.arange(12))), iterations=10)
        self.whole: dict[str, tuple[str, bytes]] = {}
        for suffix in ("json", "csv", "m3u8", "jspf", "xml", "nml"):
            some.save(folder / f"list.{suffix}", force=True)
            self.whole[suffix] = (f"list.{suffix}", (folder / f"list.{suffix}").read_bytes())
        few = self.demo.take(np.arange(40))
        tables.write(few, folder / "tracks.parquet")
        self.whole["parquet"] = ("tracks.parquet", (folder / "tracks.parquet").read_bytes())
        self.whole["gz"] = ("tracks.csv.gz", gzip.compress(self.whole["csv"][1]))
        names = [(t["title"], ", ".join(t["artists"])) for t in few.tracks()]
        text = "\n".join(f"{artist} - {title}" for title, artist in names)
        self.whole["txt"] = ("list.txt", text.encode())
        slices = {
            "playlists": [{"pid": 1, "tracks": [{"track_uri": f"spotify:track:{i}"} for i in few.ids(np.arange(9))]}]
        }
        plays = [{"trackName": t, "artistName": a, "msPlayed": 60000, "endTime": "2026-01-01"} for t, a in names]
        for name, member, content in (
            ("mpd", "mpd.slice.0-999.json", slices),
            ("export", "StreamingHistory_music_0.json", plays),
        ):
            with zipfile.ZipFile(folder / f"{name}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(member, json.dumps(content))
            self.whole[name] = (f"{name}.zip", (folder / f"{name}.zip").read_bytes())
        self.whole["settings"] = ("settings.toml", b'flow = 1.0\ninclude = ["genres=house"]\nbpm = "120-130"\n')
        self.whole["corrections"] = ("corrections.csv", b"track,key,bpm,energy\ndemo-00001,8A,120,0.5\nA - B,,90,\n")
        with wave.open(str(folder / "sound.wav"), "wb") as sound:
            sound.setparams((1, 2, 8000, 0, "NONE", ""))
            sound.writeframes(struct.pack("<800h", *range(800)))
        self.whole["wav"] = ("sound.wav", (folder / "sound.wav").read_bytes())
        self.cards = {
            name: json.loads((MODELS / name / "card.json").read_text()) for name in ("classic", "rank", "content")
        }
        self.cards |= {"music": json.loads((MODELS / "music" / "card.json").read_text())}

    def read(self, kind: str, path: Path) -> None:
        """Read a file of a kind in every way that a command would."""
        if kind == "settings":
            settings.read(path)
        elif kind == "corrections":
            corrections.apply(self.demo, corrections.read(path), path)
        elif kind in ("wav", "parquet", "gz"):
            disco.open(path, cache=False)
        elif kind == "mpd":
            playlist_tables.read(path)
            disco.open(path, cache=False)
        else:
            tracklist = playlist_files.read(path)
            found = tracklist.match(self.demo)
            rows = np.flatnonzero(found >= 0)
            entries = [tracklist.entries[row] for row in rows]
            wanted = recording_titles(pa.array([e.title for e in entries], pa.string())).to_pylist()
            got = recording_titles(self.demo.column("title").take(pa.array(found[rows], pa.int64())).combine_chunks())
            known = set(self.demo.column("track_id").to_pylist())
            for entry, title, other in zip(entries, wanted, got.to_pylist(), strict=True):
                if title and title != other and entry.id not in known and not entry.path and not entry.isrc:
                    raise AssertionError(f"{entry} was taken for {other!r}")

    def card(self, folder: Path, dice: random.Random) -> None:
        """Use a model whose card says something else."""
        name = dice.choice(list(self.cards))
        model = folder / name
        model.mkdir(exist_ok=True)
        for file in (MODELS / name).iterdir():
            if file.suffix != ".keras" and not (model / file.name).exists():
                shutil.copy(file, model)
        (model / "card.json").write_text(json.dumps(changed(self.cards[name], dice)))
        if name != "content":
            predictor = load_predictor(str(model))
            few = self.demo.take(np.arange(20))
            inputs = predictor.inputs(few, predictor.embed(few), np.array([0, 1]))
            predictor.step(inputs, predictor.start(2))
        if name in ("content", "music"):
            load_recommender(str(model), self.demo).recommend(Query(np.array([1, 2])), 10)


def main() -> int:
    """Damage, read and count."""
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("readers", nargs="*", metavar="READER")
    p.add_argument("--number", type=int, default=200, metavar="N", help="files of each kind (200)")
    p.add_argument("--seconds", type=float, default=0, metavar="S", help="most for each kind (0: no limit)")
    arguments = p.parse_args()
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    assert DEMO.exists()
    bad = 0
    with tempfile.TemporaryDirectory() as base:
        for name in ("DISCO_DATA", "DISCO_CONFIG", "DISCO_CACHE"):
            os.environ[name] = base
        files = Files(Path(base))
        for kind in arguments.readers or [*files.whole, "card"]:
            bad += _one_kind(kind, files, Path(base), arguments.number, arguments.seconds)
    return bool(bad)


def _one_kind(kind: str, files: Files, folder: Path, number: int, seconds: float) -> int:
    faults: Counter[str] = Counter()
    refused = slow = done = 0
    slowest, begin = 0.0, time.monotonic()
    for i in range(number):
        if seconds and time.monotonic() - begin > seconds:
            break
        dice = random.Random(f"{kind} {i}")
        name, content = files.whole.get(kind, ("", b""))
        path = folder / f"damaged-{name}"
        if kind != "card":
            path.write_bytes(damaged(content, dice))
        started = time.process_time()
        try:
            if kind == "card":
                files.card(folder, dice)
            else:
                files.read(kind, path)
        except DiscoError:
            refused += 1
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)
            last = next((f for f in reversed(where) if "/disco/" in f.filename), where[-1])
            faults[
                f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}: {str(error)[:80]!r} (file {i})"
            ] += 1
        lasted = time.process_time() - started
        slowest, slow, done = max(slowest, lasted), slow + (lasted > SLOWEST_S), done + 1
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(
        f"{kind:<12}{done:>8,} files {refused:>8,} refused {sum(faults.values()):>5,} faults, slowest "
        f"{slowest:.2f} s, {memory / 1e9:.2f} GB so far",
        flush=True,
    )
    for what, n in faults.most_common(12):
        print(f"    {n:>5} {what}", flush=True)
    return sum(faults.values()) + slow + (memory > MOST_BYTES)


if __name__ == "__main__":
    raise SystemExit(main())
