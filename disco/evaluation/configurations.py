"""Whole configurations by name: what makes a playlist from seeds, with its models loaded once per catalogue."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Catalogue, Floats, Rows
from disco.catalogue.numbering import artist_numbers
from disco.errors import DataError, DiscoError
from disco.evaluation.continuation import popularity_baseline
from disco.evaluation.end_to_end import LENGTH, Case, Measured, measure
from disco.evaluation.methods import DEFAULT, predictor_by_name, recommender_by_name
from disco.evaluation.variants import Setting
from disco.models.recommenders import Query, Recommender
from disco.models.recommenders.scoring import Scored
from disco.playlist.make import PUBLISHED, make

log = logging.getLogger(__name__)

PUBLISHED_SETTINGS = "published"
POPULAR = "popular tracks"
SEEDS_ARTISTS = "seeds' artists"
# Configurations that are no recommender's name.
CONFIGURATIONS = {
    DEFAULT: "what disco generate does where nothing is named",
    PUBLISHED_SETTINGS: "the published method and knobs",
    POPULAR: "candidates are the most frequent tracks of the training playlists, whatever the seeds",
    SEEDS_ARTISTS: "candidates are tracks by the artists of the seeds alone",
}


@dataclass(frozen=True)
class Configuration:
    """Options of `disco.make`, with a name.

    Attributes
    ----------
    name : str
    options : dict
        By the names of the parameters of `disco.make`; predictors and recommenders by name, `default` included.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, wanted: str | Mapping[str, Any]) -> Configuration:
        """The configuration of a name, of a recommender's name or folder, or of options of `disco.make`.

        Examples
        --------
        >>> Configuration.of("content")
        Configuration(name='content', options={'recommender': 'content'})
        >>> Configuration.of({"sweetness": 3.0, "predictor": "default"}).name
        'sweetness 3'
        """
        if isinstance(wanted, str):
            if wanted == PUBLISHED_SETTINGS:
                return cls(wanted, PUBLISHED)
            if wanted == SEEDS_ARTISTS:  # which would allow only one track by a single artist
                return cls(wanted, {"artist_gap": 0, "max_per_artist": 0})
            return cls(wanted, {} if wanted in CONFIGURATIONS else {"recommender": wanted})
        options = {name: value for name, value in wanted.items() if value != DEFAULT}
        named = (f"{name.replace('_', ' ')} {_text(value)}" for name, value in options.items())
        return cls(", ".join(named) or DEFAULT, options)

    def player(self, catalogue: Catalogue, plays: NDArray[np.intp] | None = None) -> Player:
        """Load what the configuration needs for a catalogue.

        Parameters
        ----------
        catalogue : Catalogue
        plays : ndarray of int, shape (tracks,), optional
            Training playlists of each track.

        Raises
        ------
        DiscoError
            If a model is not there, or training playlists are needed and not given.
        """
        options = dict(self.options)
        recommender: Recommender
        if self.name == POPULAR:
            if plays is None:
                raise DiscoError(f"the configuration {POPULAR!r} counts training playlists; name them with --train")
            recommender = popularity_baseline(plays, POPULAR)
        elif self.name == SEEDS_ARTISTS:
            recommender = artists_of_seeds(catalogue, plays)
        else:
            recommender = recommender_by_name(options.get("recommender") or DEFAULT, catalogue)
        predictor = predictor_by_name(options.get("predictor") or DEFAULT)
        return Player(catalogue, options | {"recommender": recommender, "predictor": predictor})


@dataclass(frozen=True)
class Player:
    """A configuration with its models loaded for one catalogue.

    Attributes
    ----------
    catalogue : Catalogue
    options : dict
        Of `disco.make`.
    """

    catalogue: Catalogue
    options: dict[str, Any]

    def play(self, case: Case) -> Rows:
        """Rows of the tracks that are added to the seeds of a case, or made from its title.

        Raises
        ------
        DiscoError
            If no list can be made.
        """
        seeds = case.playlist[: case.seeds]
        title = "" if case.seeds else case.title
        playlist = make(self.catalogue, seeds, **{"length": LENGTH} | self.options, title=title)
        ids = playlist.tracks.table["track_id"].to_pylist()
        return self.catalogue.rows(ids[len(seeds) :])

    @property
    def names(self) -> dict[str, str]:
        """Names of the predictor and the recommender."""
        return {what: self.options[what].name for what in ("predictor", "recommender")}


def artists_of_seeds(catalogue: Catalogue, plays: NDArray[np.intp] | None = None) -> Recommender:
    """A recommender of tracks by the first artists of the seeds, the most popular first.

    Parameters
    ----------
    catalogue : Catalogue
    plays : ndarray of int, shape (tracks,), optional
        Training playlists of each track; by default the catalogue's column `popularity` says what is popular.

    Examples
    --------
    >>> tracks = [{"track_id": str(i), "artists": [name]} for i, name in enumerate("ABAA")]
    >>> recommender = artists_of_seeds(Catalogue.from_tracks(tracks), np.array([0, 5, 1, 2]))
    >>> recommender.recommend(Query(np.array([0])), 5).rows.tolist()
    [3, 2]
    """
    artists = artist_numbers(catalogue)
    popularity = np.nan_to_num(catalogue.numbers("popularity")) if plays is None else plays.astype(np.float32)

    def score(queries: Sequence[Query]) -> Floats:
        theirs = [artists[query.seeds] for query in queries]
        by_them = np.array([np.isin(artists, some[some >= 0]) for some in theirs])
        return np.where(by_them, popularity, np.float32(-np.inf))

    return Scored(SEEDS_ARTISTS, len(catalogue), score)


def play_all(
    configuration: Configuration, settings: Sequence[Setting], plays: NDArray[np.intp] | None = None
) -> Iterator[tuple[int, Measured, dict[str, str]]]:
    """Make and measure the list of every case.

    Parameters
    ----------
    configuration : Configuration
    settings : sequence of Setting
    plays : ndarray of int, shape (tracks,), optional
        Training playlists of each track of the whole catalogue.

    Yields
    ------
    int
        Number of the case.
    Measured
    dict of str to str
        Names of predictor and recommender, empty if these could not be loaded.

    Raises
    ------
    DiscoError
        If a model is not there; models that know nothing of the catalogue and lists that fail count 0 instead.
    """
    failed: list[str] = []
    for setting in settings:
        counts = None if plays is None else plays[setting.rows]
        names: dict[str, str] = {}
        play: Callable[[Case], Rows] | None = None
        try:
            player = configuration.player(setting.seen, counts)
            play, names = player.play, player.names
        except DataError as error:
            failed += [str(error)] * len(setting.cases)
        for number, case in zip(setting.numbers, setting.cases, strict=True):
            start, added = time.perf_counter(), np.empty(0, dtype=np.intp)
            if play is not None:
                try:
                    added = play(case)
                except DiscoError as error:
                    failed.append(str(error))
            seconds = time.perf_counter() - start
            values = measure(setting.measured, case, added, counts)
            yield number, Measured(setting.measured.ids(added), values, seconds), names
    if failed:
        count = f"{len(failed)} lists could not be made and count 0"
        log.warning("%s: %s, the first: %s", configuration.name, count, failed[0])


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
