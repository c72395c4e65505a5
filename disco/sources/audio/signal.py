"""The sound of a file as samples, and its spectrum in short frames, which all measurements share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import gcd
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Floats
from disco.errors import DataError, MissingExtra

# Samples in a second: nothing above 11 kHz tells of key or beat.
RATE = 22_050
# Only the middle of longer tracks is analysed: intros and endings say least about both, and two minutes are enough.
SECONDS = 120.0
# Eight times full scale, 18 dB above it: files of floats may go over, but what is higher is no sound.
_LOUDEST = 8.0
# Rates from twice this on are made lower while they are read, and so many frames are read at a time.
_HIGHEST_RATE, _AT_ONCE = 96_000, 1 << 18
# Longer than any sentence of a decoder.
_LONGEST_REASON = 300
# Window and step of short frames, where an onset is to be found in time (23 ms apart), and of long ones, where two
# semitones must be resolved from 55 Hz on (2.7 Hz apart).
_SHORT, _SHORT_STEP = 2048, 512
_LONG, _LONG_STEP = 8192, 4096


@dataclass(frozen=True)
class Sound:
    """Samples of one channel.

    Attributes
    ----------
    samples : ndarray, shape (n,)
        Full scale is from -1 to 1; finite.
    rate : int
        In a second.
    """

    samples: Floats
    rate: int

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / self.rate

    @cached_property
    def short(self) -> Floats:
        """Magnitudes by short frames, shape (frames, 1025)."""
        return spectra(self.samples, _SHORT, _SHORT_STEP)

    @cached_property
    def long(self) -> Floats:
        """Magnitudes by long frames, shape (frames, 4097)."""
        return spectra(self.samples, _LONG, _LONG_STEP)

    @property
    def short_rate(self) -> float:
        """Short frames in a second."""
        return self.rate / _SHORT_STEP


def decode(path: Path, seconds: float = SECONDS) -> Sound:
    """The sound of a file, its channels as one, the middle of it where it is longer.

    Raises
    ------
    MissingExtra
        Without the extra that decodes.
    DataError
        If the file cannot be decoded, or holds no sound.
    """
    try:
        import soundfile
    except ImportError:
        raise MissingExtra("soundfile", "audio") from None
    try:
        with soundfile.SoundFile(path) as file:
            wanted = int(seconds * file.samplerate)
            # A broken header may promise more than there is, or nothing.
            if file.seekable() and file.frames > wanted:
                file.seek((file.frames - wanted) // 2)
            samples, rate = _read(file, wanted)
    except (RuntimeError, OSError, ValueError, TypeError) as error:
        raise DataError(path, f"cannot be decoded ({_reason(error, path)})") from None
    if not len(samples) or rate < 1:
        raise DataError(path, "holds no sound")
    return Sound(resampled(samples, rate, RATE), RATE)


def _reason(error: Exception, path: Path) -> str:
    """A decoder's reason without the file's path, which would make each fault one of its own."""
    whole = str(getattr(error, "error_string", "") or error)
    lines = whole.replace(repr(str(path)), "it").replace(str(path), "it").splitlines()
    return (lines[0] if lines else type(error).__name__)[:_LONGEST_REASON].strip(" .")


def _read(file: Any, wanted: int) -> tuple[Floats, int]:
    """So many frames of an open file, its channels as one, and their rate.

    Some at a time: eight channels at 655 kHz would take gigabytes. Of very high rates some neighbours become
    one, which keeps all that is looked at.
    """
    rate = int(file.samplerate)
    together = max(1, rate // _HIGHEST_RATE)
    pieces = []
    while wanted > 0:
        frames = file.read(min(wanted, _AT_ONCE * together), dtype="float32", always_2d=True)
        if not len(frames):
            break
        wanted -= len(frames)
        # Before the mean: an infinite channel would take the other with it.
        frames = np.clip(np.nan_to_num(frames, copy=False, nan=0.0, posinf=0.0, neginf=0.0), -_LOUDEST, _LOUDEST)
        mono = frames.mean(axis=1, dtype=np.float32)
        if together > 1:
            mono = mono[: len(mono) // together * together].reshape(-1, together).mean(axis=1, dtype=np.float32)
        pieces.append(mono)
    return np.concatenate(pieces or [np.empty(0, dtype=np.float32)]), round(rate / together)


def resampled(samples: Floats, rate: int, to: int) -> Floats:
    """Samples at another rate, by cutting or filling up their spectrum, so that nothing is folded back."""
    if rate == to:
        return samples
    shared = gcd(rate, to)
    n = -(-len(samples) * shared // rate)
    smooth = _smooth(n)
    spectrum = np.fft.rfft(samples, smooth * (rate // shared))
    made = np.fft.irfft(spectrum, smooth * (to // shared)) * np.float32(to / rate)
    return np.asarray(made[: int(len(samples) * to / rate)], dtype=np.float32)


def spectra(samples: Floats, window: int, step: int) -> Floats:
    """Magnitudes of overlapping frames under a Hann window, shape (frames, window // 2 + 1); at least one frame."""
    padded = np.pad(samples, (0, max(window - len(samples), 0)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::step]
    shape = np.hanning(window + 1)[:-1].astype(np.float32)
    out = np.empty((len(frames), window // 2 + 1), dtype=np.float32)
    for start in range(0, len(frames), 256):  # some at a time stay in the cache
        some = slice(start, start + 256)
        out[some] = np.abs(np.fft.rfft(frames[some] * shape, axis=1))
    return out


def _smooth(n: int) -> int:
    """The least number from n on with no prime factor above 5: its Fourier transform is fast."""
    best = 1 << max(n - 1, 1).bit_length()
    five = 1
    while five < best:
        three = five
        while three < best:
            best = min(best, three << max(-(-n // three) - 1, 0).bit_length())
            three *= 3
        five *= 5
    return best


def band_edges(edges_hz: NDArray[np.floating], window_bins: int, rate: int) -> NDArray[np.intp]:
    """Bins at which bands begin, for magnitudes of so many bins."""
    return np.clip(np.round(edges_hz * 2 * (window_bins - 1) / rate), 0, window_bins - 1).astype(np.intp)
