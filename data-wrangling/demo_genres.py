"""Fit what the demo catalogue is drawn from: summary statistics of real tracks, genre by genre (demo_genres.json).

    python data-wrangling/demo_genres.py --tracks tracks.parquet --dj-sets dj_sets.parquet

The tracks are those of the 114k "Spotify Tracks Dataset" of Kaggle, about 1,000 a genre. The tempos of house, deep
house, techno, drum and bass and hip-hop are those in DJs' own libraries, 79 to 688 tracks a genre.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from disco.catalogue import FEATURES

STATISTICS = Path(__file__).resolve().parent / "demo_genres.json"

# Left out are genres whose rows in the 114k tracks are something else (reggae there is reggaeton, dub is
# dubstep) and near copies (latin, acoustic, indie).
GENRES = (
    *("ambient", "trip-hop", "house", "deep-house", "techno", "detroit-techno", "trance", "drum-and-bass"),
    *("disco", "funk", "soul", "r-n-b", "gospel", "hip-hop", "jazz", "blues", "classical", "piano"),
    *("folk", "singer-songwriter", "bluegrass", "country", "indie-pop", "rock", "alt-rock", "psych-rock"),
    *("punk", "metal", "pop", "synth-pop", "k-pop", "reggaeton", "salsa", "tango", "samba"),
    *("dancehall", "ska", "afrobeat"),
)
# Genres whose tempos are read from DJs' libraries, by what these call them. The tables' "house" is to a third pop of
# 85 to 115 BPM and their drum and bass to a third at half the tempo; a DJ looks at the number, and mends it.
CLUB_GENRES = {
    "house": ("house",),
    "deep-house": ("deep house",),
    "techno": ("techno",),
    "drum-and-bass": ("drum & bass", "drum & bass nosync"),
    "hip-hop": ("hip-hop", "hip hop"),
}
# Under this many tracks, statistics could say too much of one of them.
FEWEST_TRACKS = 50
INSTRUMENTALNESS = FEATURES.index("instrumentalness")
# Normal scores of the stored quantiles. Out to one track in 700: a genre has about 1,000 to fit to.
SCORES = np.linspace(-3, 3, 25)
CHANCES = [NormalDist().cdf(score) for score in SCORES]
TIME_SIGNATURES = (1, 3, 4, 5)

Floats = NDArray[np.float64]
Columns = dict[str, NDArray[Any]]


def between_artists(scores: Floats, artists: NDArray[Any]) -> float:
    """Share of the variance within a genre that lies between artists, 0-1 (one-way analysis of variance)."""
    _, artist, counts = np.unique(artists, return_inverse=True, return_counts=True)
    means = np.stack([np.bincount(artist, column) / counts for column in scores.T], axis=1)
    within = np.square(scores - means[artist]).sum() / (len(scores) - len(counts))
    between = (counts[:, None] * np.square(means - scores.mean(axis=0))).sum() / (len(counts) - 1)
    typical_count = (counts.sum() - np.square(counts).sum() / counts.sum()) / (len(counts) - 1)
    variance = max((between - within) / typical_count, 0.0)
    return float(variance / (variance + within))


def correlation(scores: Floats, used: NDArray[np.bool_]) -> Floats:
    """Correlation of the scores, those with instrumentalness from the rows that are `used` alone."""
    joint: Floats = np.asarray(np.corrcoef(scores, rowvar=False))
    joint[INSTRUMENTALNESS] = np.asarray(np.corrcoef(scores[used], rowvar=False))[INSTRUMENTALNESS]
    joint[:, INSTRUMENTALNESS] = joint[INSTRUMENTALNESS]
    # Two sets of rows can contradict each other: keep the matrix positive, with room for rounding.
    values, vectors = np.linalg.eigh(joint)
    joint = (vectors * np.maximum(values, 1e-2)) @ vectors.T
    return np.asarray(joint / np.sqrt(np.outer(joint.diagonal(), joint.diagonal())))


def tempo_mixture(tempo_bpm: Floats) -> list[list[float]]:
    """Weight, mean and standard deviation of one to three normals of log2 tempo: the best by BIC.

    Left out is what has less than a twentieth of the tracks, the octave errors of two or three of them.
    """
    from sklearn.mixture import GaussianMixture

    octaves = np.log2(tempo_bpm)[:, None]
    # The floor, a hundredth of an octave, is about 1 BPM: narrower would be the habit of one producer.
    fits = [GaussianMixture(n, reg_covar=1e-4, random_state=0, n_init=3).fit(octaves) for n in (1, 2, 3)]
    best = min(fits, key=lambda fit: float(fit.bic(octaves)))
    kept = best.weights_ >= 0.05
    weights = best.weights_[kept] / best.weights_[kept].sum()
    rows = zip(weights, best.means_[kept, 0], np.sqrt(best.covariances_[kept, 0, 0]), strict=True)
    return sorted([round(float(number), 4) for number in row] for row in rows)


def club_tempos(path: Path) -> dict[str, Floats]:
    """Tempos of the different tracks of DJs' own libraries, of CLUB_GENRES."""
    columns = ["kind", "artist", "title", "tempo_bpm", "genre"]
    rows = [row for row in pq.read_table(path, columns=columns).to_pylist() if row["tempo_bpm"]]
    # A published mix has one genre, that of the show; libraries have one a track.
    tracks = {(row["artist"], row["title"]): row for row in rows if row["kind"] in ("live", "dj playlist")}
    found = {}
    for genre, names in CLUB_GENRES.items():
        theirs = [row for row in tracks.values() if (row["genre"] or "").strip().casefold() in names]
        found[genre] = np.array([row["tempo_bpm"] for row in theirs])
    return found


def normal_scores(values: Floats) -> Floats:
    """Scores of a standard normal in the order of the values."""
    ranks = np.empty(len(values))
    ranks[np.argsort(values, kind="stable")] = np.arange(len(values))
    return np.array([NormalDist().inv_cdf((rank + 0.5) / len(values)) for rank in ranks])


def tempo_from_features(tempo: Floats, scores: Floats, artists: NDArray[Any]) -> tuple[list[float], float]:
    """Weights of the features' scores in the tempo's, and the artists' share of what these leave open, 0-1."""
    weights, *_ = np.linalg.lstsq(scores - scores.mean(axis=0), tempo, rcond=None)
    left_open = tempo - (scores - scores.mean(axis=0)) @ weights
    return np.round(weights, 3).tolist(), round(between_artists(left_open[:, None], artists), 3)


def shares(counts: Floats) -> list[float]:
    """Counts as shares that sum to 1 but for rounding."""
    return [round(float(share), 4) for share in counts / counts.sum()]


def genre_statistics(tracks: Columns, club_tempo: Floats | None = None) -> dict[str, Any]:
    """Summary statistics of one genre's tracks; its tempos are those of `club_tempo` if there are any."""
    # Nearly half of all tracks have no instrumentalness at all: that is a share of its own, not a quantile.
    used = tracks["instrumentalness"] > 0
    quantiles, columns = {}, []
    for name in FEATURES:
        values = tracks[name][used] if name == "instrumentalness" else tracks[name]
        quantiles[name] = [float(f"{value:.4g}") for value in np.quantile(values, CHANCES)]
        columns.append(np.interp(tracks[name], quantiles[name], SCORES))
    scores = np.stack(columns, axis=1)
    log_seconds = np.log(tracks["duration_ms"] / 1000)
    # 10 and below is mostly the second copy of a track that is popular under another id.
    popularity = tracks["popularity"][tracks["popularity"] > 10]
    key_mode = np.bincount(tracks["key"] * 2 + tracks["mode"], minlength=24).astype(float)
    beats = np.array([(tracks["time_signature"] == beat).sum() for beat in TIME_SIGNATURES], dtype=float)
    values = np.stack([tracks[name] for name in FEATURES], axis=1)
    timed = tracks["tempo"] > 0
    tempo = tracks["tempo"][timed]
    weights, tempo_between = tempo_from_features(normal_scores(tempo), scores[timed], tracks["artist"][timed])
    source = tempo if club_tempo is None else club_tempo
    if min(len(scores), len(source)) < FEWEST_TRACKS:
        raise SystemExit(f"a genre has fewer than {FEWEST_TRACKS} tracks: leave it out")
    return {
        "tracks": len(scores),
        "quantiles": quantiles,
        "correlation": np.round(correlation(scores, used), 3).tolist(),
        "between_artists": round(between_artists(np.delete(scores, INSTRUMENTALNESS, 1), tracks["artist"]), 3),
        "no_instrumentalness": round(float(1 - used.mean()), 3),
        "key_mode": shares(key_mode),
        "tempo": tempo_mixture(source),
        # What the draw is measured against.
        "tempo_median": round(float(np.median(source)), 1),
        "tempo_from_features": weights,
        "tempo_between_artists": tempo_between,
        "log_seconds": [round(float(log_seconds.mean()), 3), round(float(log_seconds.std()), 3)],
        "time_signature": shares(beats),
        "explicit": round(float(tracks["explicit"].mean()), 3),
        "several_artists": round(float(tracks["shared"].mean()), 3),
        "popularity": [round(float(popularity.mean()), 1), round(float(popularity.std()), 1)],
        # What the draw is measured against: the means of the features themselves.
        "feature_mean": np.round(values.mean(axis=0), 4).tolist(),
        "feature_sd": np.round(values.std(axis=0), 4).tolist(),
    }


def fit(path: Path, dj_sets: Path) -> dict[str, Any]:
    """Summary statistics of the real tracks at `path` and of the libraries in `dj_sets`, genre by genre."""
    club = club_tempos(dj_sets)
    table = pq.read_table(path)
    tracks: Columns = {name: np.asarray(table[name].to_pylist()) for name in table.column_names}
    tracks["artist"] = np.array([str(artists).split(";")[0] for artists in tracks["artists"]])
    tracks["shared"] = np.array([";" in str(artists) for artists in tracks["artists"]])
    # 0 danceability: the service found no beat, as in noise and silence; 0 duration: an empty row.
    measured = (tracks["danceability"] > 0) & (tracks["duration_ms"] > 0)
    tracks = {name: column[measured] for name, column in tracks.items()}

    genres = {}
    for genre in GENRES:
        (rows,) = np.nonzero(tracks["track_genre"] == genre)
        rows = rows[np.unique(tracks["track_id"][rows], return_index=True)[1]]
        theirs = {name: column[rows] for name, column in tracks.items()}
        genres[genre] = genre_statistics(theirs, club.get(genre))
    return genres


def main(argv: Sequence[str] | None = None) -> int:
    """Write the statistics."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tracks", type=Path, required=True, help="the 114k Spotify tracks as Parquet")
    parser.add_argument("--dj-sets", type=Path, required=True, help="what DJs played, with tempos, as Parquet")
    arguments = parser.parse_args(argv)
    text = json.dumps(fit(arguments.tracks, arguments.dj_sets), separators=(",", ":"), allow_nan=False)
    STATISTICS.write_text(text.replace('},"', '},\n"') + "\n")  # a line a genre, so that a change can be read
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
