"""Candidates from Spotify, as the options of a command ask for them."""

from __future__ import annotations

import argparse

from disco.catalogue import Catalogue
from disco.cli import console
from disco.sources.services import reccobeats
from disco.sources.services.spotify import TERMS, candidates
from disco.sources.services.spotify.client import connect


def find_candidates(arguments: argparse.Namespace, own: Catalogue | None) -> tuple[Catalogue, list[str]]:
    """Tracks that Spotify has for the seeds, and the seeds' ids; `own` is the catalogue of the user's tables."""
    console.set_verbosity(arguments.quiet)
    use_reccobeats = arguments.features_from == "reccobeats"
    console.say_all([TERMS, *([reccobeats.DATA_NOTICE] if use_reccobeats else [])], arguments.quiet)
    choose = console.ask if arguments.interactive else None
    gathered = candidates.gather(connect(), arguments.seeds, choose, arguments.candidates, own, use_reccobeats)
    console.say_all(gathered.tracks.notes, arguments.quiet)
    return gathered.tracks, gathered.seeds
