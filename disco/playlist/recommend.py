"""`disco.recommend`: the tracks that belong to a playlist, to some tracks, or to a title."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from disco.catalogue import Catalogue, Floats, Rows
from disco.errors import DiscoError
from disco.models.recommenders import Query, Recommender, default_recommender, load_recommender
from disco.playlist.candidates import no_candidates_reason
from disco.playlist.make import check_catalogue
from disco.sources import looks_like_file, playlist_files
from disco.sources.tracklist import Entry, Tracklist

log = logging.getLogger(__name__)

# A single text that matches every track worse than this is a title, if the recommender reads titles.
_CERTAIN = 0.9
# Longer than the name of any track.
_LONGEST_NAME = 300


@dataclass(frozen=True)
class Recommendations:
    """Recommended tracks, best first.

    Attributes
    ----------
    catalogue : Catalogue
    rows : ndarray of rows
    scores : ndarray, shape (n,)
        Higher is better.
    seeds : ndarray of rows
    title : str
    recommender : str
        Name of the method.
    scores_are : str
        `confidence` where the scores are probabilities, else `score`.
    """

    catalogue: Catalogue
    rows: Rows
    scores: Floats
    seeds: Rows
    title: str
    recommender: str
    scores_are: str

    def __len__(self) -> int:
        return len(self.rows)

    def to_dict(self) -> dict[str, Any]:
        """Everything as one object, as `disco recommend --json` prints it."""
        return {
            "recommender": self.recommender,
            "catalogue": {"where": self.catalogue.where, "tracks": len(self.catalogue)},
            "title": self.title,
            "seeds": self.catalogue.ids(self.seeds),
            "scores_are": self.scores_are,
            "tracks": [
                {
                    "position": i + 1,
                    "id": track["track_id"],
                    "title": track["title"],
                    "artist": ", ".join(track["artists"] or []),
                    "score": round(float(score), 6),
                }
                for i, (track, score) in enumerate(zip(self.catalogue.tracks(self.rows), self.scores, strict=True))
            ],
        }


def recommend(
    catalogue: Catalogue,
    query: str | Path | Sequence[str] = (),
    *,
    n: int = 15,
    title: str = "",
    recommender: str | Recommender | None = None,
    playlist: str | None = None,
) -> Recommendations:
    """Find the tracks that belong to a playlist, to some tracks, or to a title.

    Parameters
    ----------
    catalogue : Catalogue
        The tracks to choose from; see `disco.open`.
    query : str, Path or sequence of str
        A playlist file, tracks (as the seeds of `disco.make`), or a title.
    n : int
        Number of tracks to recommend.
    title : str
        Title of the playlist, for recommenders that read titles.
    recommender : str or Recommender, optional
        A name, or a model's folder. By default the best that knows the catalogue.
    playlist : str, optional
        Which playlist, where the file has several.

    Returns
    -------
    Recommendations

    Raises
    ------
    DiscoError
        If a file has no playlist or several, a track is not found, or nothing can be recommended.

    Examples
    --------
    >>> import disco
    >>> found = disco.recommend(disco.open(), ["demo-00001", "demo-00002"], n=3)
    >>> len(found)
    3
    """
    check_catalogue(catalogue)
    if n < 1:
        raise DiscoError(f"n must be 1 or more, not {n}")
    texts = [str(query)] if isinstance(query, str | Path) else list(query)
    asked = [text for text in texts if text.strip()]
    if not asked and not title.strip():
        raise DiscoError("give a playlist file, tracks, or a title")
    if recommender is None or isinstance(recommender, str):
        recommender = load_recommender(recommender, catalogue) if recommender else default_recommender(catalogue)
    seeds, title = parse_query(asked, title, catalogue, recommender, playlist)
    # Tracks without a title or artist could not be shown.
    wanted = Query(seeds, title, catalogue.has_title_and_artist)
    found = recommender.recommend(wanted, n)
    if not len(found.rows):
        raise DiscoError(no_candidates_reason(recommender, wanted))
    if len(found.rows) < n:
        log.info("only %d of %d tracks: %s knows no others in this catalogue", len(found.rows), n, recommender.name)
    scores_are = "confidence" if recommender.gives_probabilities else "score"
    return Recommendations(catalogue, found.rows, found.scores, seeds, title, recommender.name, scores_are)


def parse_query(
    texts: Sequence[str], title: str, catalogue: Catalogue, recommender: Recommender, playlist: str | None = None
) -> tuple[Rows, str]:
    """Seeds and title that texts mean: those of a file, tracks, or a single title.

    Raises
    ------
    DiscoError
        If a file has no playlist or several, or a track is not found.
    """
    files = [text for text in texts if looks_like_file(text)]
    if files and len(texts) > 1:
        raise DiscoError(f"{files[0]} is a file; give one file alone, or tracks alone")
    if files:
        tracklist = playlist_files.read(files[0], playlist)
        seeds = tracklist.rows(catalogue)
        title = title or tracklist.name
        if not len(seeds) and not (title.strip() and recommender.reads_titles):
            raise DiscoError(f"none of the {len(tracklist):,} tracks of {files[0]} is in {catalogue.where}")
        if len(seeds) < len(tracklist):
            log.info(
                "%s of the %s tracks of %s are in %s",
                f"{len(seeds):,}",
                f"{len(tracklist):,}",
                files[0],
                catalogue.where,
            )
        return seeds, title
    if playlist is not None:
        raise DiscoError(f"--playlist {playlist!r} needs a file with playlists")
    if len(texts) == 1 and not title.strip() and recommender.reads_titles and not _is_track(texts[0], catalogue):
        log.info("%r is taken as a title: no track certainly has this name", texts[0][:80])
        return np.empty(0, dtype=np.intp), texts[0]
    if too_long := next((text for text in texts if len(text) > _LONGEST_NAME), None):
        raise DiscoError(f"no track found for a text of {len(too_long):,} characters")
    return catalogue.find(*texts), title


def _is_track(text: str, catalogue: Catalogue) -> bool:
    """Whether a text is an id, or certainly the name of a track."""
    if len(text) > _LONGEST_NAME:
        return False
    if len(Tracklist("", [Entry(text.strip())]).rows(catalogue)):
        return True
    matches = catalogue.search(text, 1)
    return bool(matches) and matches[0].exact and matches[0].score >= _CERTAIN
