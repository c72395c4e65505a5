"""Accuracy and speed of key and tempo detection on synthetic music.

    PYTHONPATH=. python benchmarks/key_tempo.py [PIECES]

Pieces of 30 s as `tests/helpers/synthetic_music.py` makes them: chords in all 24 keys with bass, melody and drums at
60 to 180 BPM, in three timbres, up to a fifth of a semitone out of tune. A tempo counts as right within 0.5 BPM, with
half and double time folded. Seconds are those of one core, without decoding. Where librosa is installed (it is no
dependency), its beat tracker is measured on the same pieces.
"""

from __future__ import annotations

import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from table import head, row

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from helpers import synthetic_music

from disco.sources.audio.key import PROFILES, USUAL, key
from disco.sources.audio.signal import Sound
from disco.sources.audio.tempo import tempo

SECONDS = 30.0


def main() -> None:
    """Print one row per method."""
    pieces = int(sys.argv[1]) if len(sys.argv) > 1 else 216
    rng = np.random.default_rng(5)
    every = [(k, mode, timbre) for k in range(12) for mode in (0, 1) for timbre in synthetic_music.TIMBRES]
    right = {name: np.zeros(2) for name in PROFILES}
    tempos = {"ours": 0, "librosa": 0}
    seconds = {"ours": 0.0, "librosa": 0.0}
    for i in range(pieces):
        tonic, mode, timbre = every[i % len(every)]
        bpm = rng.uniform(60, 180)
        samples = synthetic_music.made(tonic, mode, bpm, timbre, seed=i, seconds=SECONDS)
        start = time.process_time()
        sound = Sound(samples, synthetic_music.RATE)
        estimate, _ = tempo(sound)
        keys = {USUAL: key(sound)}
        if i:  # after warm-up
            seconds["ours"] += time.process_time() - start
        tempos["ours"] += is_right(estimate, bpm)
        keys |= {name: key(sound, name) for name in PROFILES if name != USUAL}
        for name, (a_tonic, a_mode, _) in keys.items():
            right[name] += exact_or_near((a_tonic, a_mode), (tonic, mode))
        if find_spec("librosa"):
            import librosa

            start = time.process_time()
            estimate = float(np.atleast_1d(librosa.beat.beat_track(y=samples, sr=synthetic_music.RATE)[0])[0])
            if i:
                seconds["librosa"] += time.process_time() - start
            tempos["librosa"] += is_right(estimate, bpm)
    head(
        f"{pieces} synthetic pieces of {SECONDS:.0f} s",
        "what",
        "method",
        "right",
        "right, a fifth away or relative",
        "x real time",
    )
    for name, counts in right.items():
        row("key", name, f"{counts[0] / pieces:.3f}", f"{counts[1] / pieces:.3f}", "")
    for method, count in tempos.items():
        if seconds[method]:
            row("tempo", method, f"{count / pieces:.3f}", "", f"{(pieces - 1) * SECONDS / seconds[method]:.0f}")


def is_right(estimate: float, bpm: float) -> bool:
    """Whether a tempo is within 0.5 BPM, with half and double time folded."""
    return bool(min(abs(estimate * 2.0**e - bpm) for e in (-1, 0, 1)) <= 0.5)


def exact_or_near(estimate: tuple[int | None, int | None], key: tuple[int, int]) -> tuple[bool, bool]:
    """Whether a key is right, and whether it is right, a fifth away, or the relative key."""
    tonic, mode = key
    relative = ((tonic + 9) % 12, 0) if mode else ((tonic + 3) % 12, 1)
    near = [key, ((tonic + 7) % 12, mode), ((tonic + 5) % 12, mode), relative]
    return estimate == key, estimate in near


if __name__ == "__main__":
    main()
