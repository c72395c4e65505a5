"""Files measured by their sound: what the cache has, and the rest in processes, one a core."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import math
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np

from disco.errors import DataError, DiscoError
from disco.sources.audio import ape
from disco.sources.audio.cache import Cache, Measured
from disco.sources.audio.fingerprint import file_fingerprint, sound_hash
from disco.sources.audio.walk import UNREAD
from disco.sources.progress import progress
from disco.sources.workers import worker_pool

log = logging.getLogger(__name__)

# What libsndfile has no decoder for: known without a try, each time anew.
_UNDECODED = (".m4a", ".m4b", ".m4p", ".mp4", ".wma", *ape.SUFFIXES, *UNREAD)
# So few are done here before processes would have started.
_FEW = 4
_THREADS = 8
# Windows waits for no more.
_MOST = 60
# After so many files in a row that end a process the fault is not theirs.
_FAULTS = 3
_FAULT = "ended the program that read it"


def available() -> bool:
    """Whether the package that decodes sound is installed."""
    return importlib.util.find_spec("soundfile") is not None


def measure(path: Path) -> Measured:
    """Measure one file by its sound; of a long one by the two minutes in its middle, loudness too.

    Raises
    ------
    DataError
        If it cannot be decoded.
    """
    from disco.sources.audio.estimates import estimate, spectral_stats
    from disco.sources.audio.key import key
    from disco.sources.audio.loudness import loudness
    from disco.sources.audio.signal import decode
    from disco.sources.audio.tempo import tempo

    sound = decode(path)
    level = loudness(sound.samples, sound.rate)
    if math.isnan(level):  # silence has neither key nor tempo
        return Measured()
    bpm, steady = tempo(sound)
    tonic, mode, clear = key(sound)
    tonal, beaten = tonic is not None and mode is not None, 10 <= bpm <= 1000
    frequencies = np.linspace(0, sound.rate / 2, sound.short.shape[1], dtype=np.float32)
    stats = spectral_stats(sound.short, frequencies, sound.short_rate)
    return Measured(
        tempo_bpm=float(bpm) if beaten else None,
        tempo_confidence=float(steady) if beaten else None,
        key=tonic if tonal else None,
        mode=mode if tonal else None,
        key_confidence=float(clear) if tonal else None,
        loudness=min(max(level, -60.0), 5.0),  # the range of the column
        **(estimate(stats, level, float(bpm)) if stats else {}),
    )


def measure_all(
    files: Sequence[Path], problems: dict[str, list[Path]], workers: int | None = None
) -> dict[Path, Measured]:
    """Measure files, those whose sound the cache knows without decoding them; each result is kept at once.

    Parameters
    ----------
    files : sequence of Path
    problems : dict
        Gets the files that could not be measured, by the reason, as the end of a sentence about such files.
    workers : int, optional
        Processes; by default one a core.

    Returns
    -------
    dict
        In the order of `files`, without those that could not be measured.
    """
    with Cache() as cache:
        return _measure_all(files, problems, cache, workers)


def _measure_all(
    files: Sequence[Path], problems: dict[str, list[Path]], cache: Cache, workers: int | None
) -> dict[Path, Measured]:
    found = dict[Path, Measured]()
    copies: dict[str, list[Path]] = {}  # of one sound, which is measured once
    hashed = [path for path in files if path.suffix.lower() not in _UNDECODED]
    if undecoded := [path for path in files if path.suffix.lower() in _UNDECODED]:
        kinds = ", ".join(sorted({path.suffix[1:].upper() for path in undecoded}))
        problems.setdefault(f"of a kind that is not decoded ({kinds})", []).extend(undecoded)
    with ThreadPoolExecutor(_THREADS) as pool:
        known = zip(hashed, pool.map(lambda path: _known(cache, path), hashed), strict=True)
        for path, (name, sound, why) in progress(known, len(hashed), "sounds looked up"):
            if sound is not None:
                found[path] = sound
            elif why:
                problems.setdefault(why, []).append(path)
            else:
                copies.setdefault(name, []).append(path)
    names = {paths[0]: name for name, paths in copies.items()}
    full = False
    what = "sounds measured; a later run continues after an interruption"
    for path, result in progress(_results(list(names), workers), len(names), what):
        same = copies[names[path]]
        if isinstance(result, str):
            problems.setdefault(result, []).extend(same)
        else:
            found |= dict.fromkeys(same, result)
            if not full:
                try:
                    cache.add(names[path], result)
                except DataError as error:  # the work goes on; only the next run takes as long
                    full = True
                    log.warning("%s; measurements are not stored", error)
    return {path: found[path] for path in files if path in found}


def _known(cache: Cache, path: Path) -> tuple[str, Measured | None, str]:
    """A file's hash, what the cache has of it, and why there is no hash."""
    try:
        fingerprint = file_fingerprint(path)
        name = cache.find_hash(fingerprint)
        if name is None:
            name = sound_hash(path)
            with contextlib.suppress(DataError):  # a full disk is reported when a measurement cannot be stored
                cache.add_hash(fingerprint, name)
    except OSError as error:
        return "", None, f"cannot be read ({error.strerror})"
    return name, cache.find(name), ""


def _tried(path: Path) -> Measured | str:
    """What was measured, or why not, as the end of a sentence about such files; runs in processes."""
    try:
        return measure(path)
    except DiscoError as error:
        return str(error).removeprefix(f"{path}: ")
    except MemoryError:
        return "too large for the memory"
    except Exception as error:  # a damaged file leads a decoder anywhere
        return f"broken or cut off ({type(error).__name__})"


def _results(files: Sequence[Path], workers: int | None) -> Iterator[tuple[Path, Measured | str]]:
    """Results as they come; a file that ends its process is found by giving each that is left one of its own."""
    if len(files) < _FEW:
        yield from ((path, _tried(path)) for path in files)
        return
    left = dict.fromkeys(files)
    pool = worker_pool(min(workers or os.cpu_count() or 1, len(files), _MOST), quiet=True)
    try:
        futures = {pool.submit(_tried, path): path for path in files}
        for future in as_completed(futures):
            result = future.result()
            del left[futures[future]]
            yield futures[future], result
    except BrokenProcessPool:
        yield from _one_by_one(list(left))
    finally:
        pool.shutdown(cancel_futures=True)


def _one_by_one(files: Sequence[Path]) -> Iterator[tuple[Path, Measured | str]]:
    faults, pool = 0, worker_pool(1, quiet=True)
    try:
        for path in files:
            if faults == _FAULTS:
                yield path, "not measured, since the programs that read them ended one after another"
                continue
            try:
                result: Measured | str = pool.submit(_tried, path).result()
                faults = 0
            except BrokenProcessPool:
                pool.shutdown()
                result, pool, faults = _FAULT, worker_pool(1, quiet=True), faults + 1
            yield path, result
    finally:
        pool.shutdown(cancel_futures=True)
