"""Door: log in to Spotify, read a library, forget it all. `disco spotify --help`."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from disco.catalogue.text import printable
from disco.cli import console, options
from disco.errors import DiscoError, NotFoundError
from disco.sources.progress import progress
from disco.sources.services.spotify import library, state
from disco.sources.services.spotify.errors import LoginNeeded

if TYPE_CHECKING:
    from disco.sources.services.spotify.client import Client

PORT = 8888
TERMS = (
    "What Spotify's terms ask of you: its tracks may be put in order, never mixed or faded into one another; its "
    "content must not go into learned models (--predictor mean --recommender nearest uses none); nothing of it may "
    "be kept longer than needed (`disco spotify disconnect` removes all)."
)


def parser() -> argparse.ArgumentParser:
    """The options of this command."""
    p = argparse.ArgumentParser(
        prog="disco spotify",
        description="Spotify in and out: log in, read your library, see what your app may do, forget it all.",
        epilog="an app of your own is needed: developer.spotify.com/dashboard, redirect URI http://127.0.0.1/callback",
    )
    verbs = p.add_subparsers(dest="verb", required=True, metavar="VERB")
    add = verbs.add_parser("login", help="agree in a browser; the token is kept for you alone")
    add.add_argument(
        "--client-id", metavar="ID", help="of your app (default: the last one, or $DISCO_SPOTIFY_CLIENT_ID)"
    )
    add.add_argument("--port", type=int, default=PORT, metavar="N", help=f"where the browser comes back to ({PORT})")
    add.add_argument("--no-browser", action="store_true", help="only show the address to visit")
    add.add_argument("--paste", action="store_true", help="type in the address the browser was sent back to")
    add = verbs.add_parser("status", help="who is logged in, what the app may do, what is kept")
    add.add_argument("--json", action="store_true", help="print one JSON object")
    add = verbs.add_parser("sync", help="read saved and top tracks and your playlists, or go on reading")
    add.add_argument("--dry-run", action="store_true", help="only say what it costs (which costs the first pages)")
    add.add_argument(
        "--catalogue", action="append", default=[], metavar="PATH", help="tables of tracks to take features from"
    )
    options.option(
        add,
        "--features-from",
        old=["--features"],
        choices=["reccobeats"],
        help="ask ReccoBeats for features that are nowhere else",
    )
    add.add_argument("--quiet", action="store_true", help="print no notes")
    add = verbs.add_parser("disconnect", help="remove the login and all that was read")
    add.add_argument("--yes", action="store_true", help="do not ask")
    return p


@console.command
def main(argv: Sequence[str] | None = None) -> int:
    """Do what the verb says."""
    arguments = parser().parse_args(argv)
    return {"login": login, "status": status, "sync": sync, "disconnect": disconnect}[arguments.verb](arguments)


def login(arguments: argparse.Namespace) -> int:
    """Log in, and say what was allowed and what the terms ask."""
    from disco.sources.services.spotify import tokens
    from disco.sources.services.spotify.client import connect

    client_id = arguments.client_id or os.environ.get("DISCO_SPOTIFY_CLIENT_ID") or _last_client()
    if not client_id:
        raise DiscoError(
            "name your app: disco spotify login --client-id ID; create one on developer.spotify.com/dashboard with "
            "the redirect URI http://127.0.0.1/callback (its owner needs Spotify Premium)"
        )

    def show(address: str) -> None:
        console.say(f"agree to this in a browser: {address}")
        if not (arguments.no_browser or arguments.paste):
            import webbrowser

            webbrowser.open(address)

    def paste() -> str:
        print("the address the browser was sent back to: ", end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip()

    token = tokens.login(client_id.strip(), arguments.port, show, paste if arguments.paste else None)
    state.State.read(client_id.strip()).forgive()
    client = connect(console.say)
    name = client.who()
    print(f"logged in as {printable(name)}; the token is in {tokens.path()}, for you alone to read")
    missing = sorted(set(tokens.SCOPES) - set(str(token.get("scope", "")).split()))
    if missing:
        print(f"not allowed, so not possible: {', '.join(missing)}")
    print(TERMS)
    return 0


def _last_client() -> str | None:
    from disco.sources.services.spotify import tokens

    try:
        return str(tokens.read()["client_id"])
    except DiscoError:
        return None


def status(arguments: argparse.Namespace) -> int:
    """Say what is known, without asking Spotify anything."""
    said = _known()
    if arguments.json:
        print(json.dumps(said, ensure_ascii=False, indent=2))
        return 0
    print(f"login     {said['login']}")
    if said["calls"]:
        print(f"calls     {said['calls']['made']} in the last 24 hours, {said['calls']['left']} left of the budget")
        for name, may in said["app"].items():
            print(f"          {name}: {may}")
    if said["wait"]:
        print(f"wait      {said['wait']}")
    print(f"library   {said['library']}")
    for name in said["unfinished"]:
        print(f"writing   {printable(name)} is half written; `disco spotify sync` finishes it")
    return 0


def _known() -> dict[str, Any]:
    from disco.sources.services.spotify import tokens, upload

    said: dict[str, Any] = {"login": "", "calls": None, "app": {}, "wait": None, "library": "", "unfinished": []}
    try:
        token = tokens.read()
        given = time.strftime("%Y-%m-%d", time.localtime(token["authorized_at"]))
        said["login"] = f"as {token.get('user', '?')}, agreed on {given}, which lasts six months"
        app = state.State.read(token["client_id"])
        said["calls"] = {"made": app.made, "left": app.left}
        word = {True: "yes", False: "withdrawn from this app", None: "not asked yet"}
        said["app"] = {name: word[app.known(name)] for name in state.LEGACY}
        try:
            app.check()
        except DiscoError as error:
            said["wait"] = str(error)
    except LoginNeeded as error:
        said["login"] = str(error)
    try:
        kept = library.read()
        said["library"] = (
            f"{len(kept.tracks):,} tracks, {len(kept.playlists):,} playlists, "
            f"{int(kept.tracks.has_comparable_features.sum()):,} tracks with features; {library.age(kept)}"
        )
    except NotFoundError as error:
        said["library"] = str(error)
    said["unfinished"] = [journal.name for journal in upload.unfinished()]
    return said


def sync(arguments: argparse.Namespace) -> int:
    """Read the library, or go on reading; the cost is told first."""
    from disco.sources.services import reccobeats
    from disco.sources.services.spotify import upload as writing
    from disco.sources.services.spotify.client import connect
    from disco.sources.services.spotify.sync import Crawl

    say = (lambda text: None) if arguments.quiet else console.say
    own = options.open_catalogue(arguments.catalogue) if arguments.catalogue else None
    client = connect(say)
    for journal in [] if arguments.dry_run else writing.unfinished(client.account):
        print(f"finished writing {printable(journal.name)}: {writing.finish(client, journal, say)}")
    try:
        before = library.read()
    except DiscoError:
        before = None
    crawl = Crawl(client, before)
    plan = crawl.plan()
    print(plan.cost(client.state.left), flush=True)
    if arguments.dry_run:
        return 0
    for _ in progress(crawl.fetch(plan), len(plan.pages), "pages"):
        pass
    made = crawl.finish(plan)
    for note in made.notes:
        say(note)
    if arguments.features_from == "reccobeats":
        say(reccobeats.TOLD)
    made = _measured(made, client, own, arguments.features_from == "reccobeats", say)
    print(
        f"{len(made.tracks):,} tracks and {len(made.playlists):,} playlists kept: "
        "disco generate ... --candidates-from spotify"
    )
    return 0


def _measured(made: library.Library, client: Client, own: Any, recco: bool, say: Any) -> library.Library:
    """The library with features for tracks that had none, kept."""
    from dataclasses import replace

    from disco.sources.services.spotify import features

    filled = features.fill(made.tracks, own, client, recco, say)
    for note in filled.notes[len(made.tracks.notes) :]:
        say(note)
    if filled.table is made.tracks.table or filled.table.equals(made.tracks.table):
        return made
    made = replace(made, tracks=filled)
    library.write(made)
    return made


def disconnect(arguments: argparse.Namespace) -> int:
    """Remove the login and all that was read."""
    from disco.sources.services.spotify import tokens

    what = f"the login ({tokens.path()}) and all that was read of Spotify ({library.folder()})"
    if not arguments.yes:
        print(f"Remove {what}? y/n [n]: ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise DiscoError("nothing was removed")
    tokens.path().unlink(missing_ok=True)
    library.wipe()
    state.forget()
    print(f"removed {what}; kept is only how many calls were made today")
    print("to take back the consent too: https://www.spotify.com/account/apps")
    return 0
