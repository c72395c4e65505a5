"""Command `disco spotify`: log in, read a library, show the status, remove everything."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence

from disco.catalogue.text import printable
from disco.cli import console, options
from disco.errors import DiscoError
from disco.sources import storage
from disco.sources.progress import progress
from disco.sources.services import reccobeats
from disco.sources.services.spotify import library, state

PORT = 8888
TERMS = (
    "What Spotify's terms ask of you: its tracks may be put in order, never mixed or faded into one another; its "
    "content must not go into learned models (--predictor mean --recommender nearest uses none); it may not be "
    "stored longer than needed (`disco spotify disconnect` removes everything)."
)


def parser() -> argparse.ArgumentParser:
    """The options of this command."""
    p = argparse.ArgumentParser(
        prog="disco spotify",
        description="Log in to Spotify, read your library, see what your app may do, and remove everything.",
        epilog="You need an app of your own: developer.spotify.com/dashboard, redirect URI http://127.0.0.1/callback",
    )
    verbs = p.add_subparsers(dest="verb", required=True, metavar="VERB")
    add = verbs.add_parser("login", help="log in with a browser; the token is stored so that only you can read it")
    add.add_argument(
        "--client-id", metavar="ID", help="of your app (default: the last one, or $DISCO_SPOTIFY_CLIENT_ID)"
    )
    add.add_argument("--port", type=int, default=PORT, metavar="N", help=f"of the redirect address ({PORT})")
    add.add_argument("--no-browser", action="store_true", help="print the address instead of opening a browser")
    add.add_argument("--paste", action="store_true", help="paste the address to which the browser was redirected")
    add = verbs.add_parser("status", help="show who is logged in, what the app may do and what is stored")
    add.add_argument("--json", action="store_true", help="print one JSON object")
    add = verbs.add_parser("sync", help="read saved tracks, top tracks and playlists, or continue reading")
    add.add_argument(
        "--dry-run",
        action="store_true",
        help="print the cost and stop (reads the first pages)",
    )
    add.add_argument(
        "--catalogue", action="append", default=[], metavar="PATH", help="table of tracks to take features from"
    )
    options.add_cache(add)
    options.option(
        add,
        "--features-from",
        old=["--features"],
        choices=["reccobeats"],
        help="ask ReccoBeats for missing features",
    )
    add.add_argument("--quiet", action="store_true", help="print warnings and results only")
    add = verbs.add_parser("disconnect", help="remove the login and everything that was read")
    add.add_argument("--yes", action="store_true", help="do not ask")
    return p


@console.command
def main(argv: Sequence[str] | None = None) -> int:
    """Run the verb."""
    arguments = parser().parse_args(argv)
    return {"login": login, "status": status, "sync": sync, "disconnect": disconnect}[arguments.verb](arguments)


def login(arguments: argparse.Namespace) -> int:
    """Log in, and print what was allowed and what the terms ask."""
    from disco.sources.services.spotify import tokens
    from disco.sources.services.spotify.client import connect

    client_id = arguments.client_id or os.environ.get("DISCO_SPOTIFY_CLIENT_ID") or _last_client()
    if not client_id:
        raise DiscoError(
            "name your app: disco spotify login --client-id ID; create one on developer.spotify.com/dashboard with "
            "the redirect URI http://127.0.0.1/callback (its owner needs Spotify Premium)"
        )

    def show(address: str) -> None:
        console.say(f"open this address in a browser and agree: {address}")
        if not (arguments.no_browser or arguments.paste):
            import webbrowser

            webbrowser.open(address)

    def paste() -> str:
        print("the address to which the browser was redirected: ", end="", file=sys.stderr, flush=True)
        return console.read_line().strip()

    token = tokens.login(client_id.strip(), arguments.port, show, paste if arguments.paste else None)
    state.State.read(client_id.strip()).reset()
    client = connect()
    name = client.who()
    print(f"logged in as {printable(name)}; the token is stored in {tokens.path()}, readable by you only")
    missing = sorted(set(tokens.SCOPES) - set(str(token.get("scope", "")).split()))
    if missing:
        print(f"not allowed, and therefore not possible: {', '.join(missing)}")
    print(TERMS)
    return 0


def _last_client() -> str | None:
    from disco.sources.services.spotify import tokens

    try:
        return str(tokens.read()["client_id"])
    except DiscoError:
        return None


def status(arguments: argparse.Namespace) -> int:
    """Print what is known, without asking Spotify."""
    from disco.sources.services.spotify.status import status

    known = status()
    if arguments.json:
        print(json.dumps(known, ensure_ascii=False, indent=2))
        return 0
    print(f"login     {known['login']}")
    if known["calls"]:
        print(f"calls     {known['calls']['made']} in the last 24 hours, {known['calls']['left']} left of the budget")
        for name, allowed in known["app"].items():
            print(f"          {name}: {allowed}")
    if known["wait"]:
        print(f"wait      {known['wait']}")
    print(f"library   {known['library']}")
    for name in known["unfinished"]:
        print(f"upload    {printable(name)} is incomplete; `disco spotify sync` finishes it")
    return 0


def sync(arguments: argparse.Namespace) -> int:
    """Read the library, or continue reading it; the cost is printed first."""
    from disco.sources.services.spotify import upload
    from disco.sources.services.spotify.client import connect
    from disco.sources.services.spotify.features import add_features
    from disco.sources.services.spotify.sync import Sync

    console.set_verbosity(arguments.quiet)
    own = options.open_catalogue(arguments.catalogue, cache=arguments.cache) if arguments.catalogue else None
    client = connect()
    for name, address in [] if arguments.dry_run else upload.finish_all(client):
        print(f"finished uploading {printable(name)}: {address}")
    with storage.locked(library.spotify_dir()):
        reading = Sync(client, library.stored())
        plan = reading.plan()
        print(plan.cost(client.state.left), flush=True)
        if arguments.dry_run:
            return 0
        for _ in progress(reading.fetch(plan), len(plan.pages), "pages"):
            pass
        made = reading.finish(plan)
        console.say_all(made.notes, arguments.quiet)
        use_reccobeats = arguments.features_from == "reccobeats"
        console.say_all([reccobeats.DATA_NOTICE] if use_reccobeats else [], arguments.quiet)
        made, notes = add_features(made, client, own, use_reccobeats)
        console.say_all(notes, arguments.quiet)
    print(
        f"{len(made.tracks):,} tracks and {len(made.playlists):,} playlists stored: "
        "disco generate ... --candidates-from spotify"
    )
    return 0


def disconnect(arguments: argparse.Namespace) -> int:
    """Remove the login and everything that was read."""
    from disco.sources.services.spotify import tokens

    what = f"the login ({tokens.path()}) and everything read from Spotify ({library.spotify_dir()})"
    if not arguments.yes:
        print(f"Remove {what}? y/n [n]: ", end="", file=sys.stderr, flush=True)
        if console.read_line().strip().lower() not in ("y", "yes"):
            raise DiscoError("nothing was removed")
    tokens.path().unlink(missing_ok=True)
    library.wipe()
    state.forget()
    print(f"removed {what}; only the number of calls made today is stored")
    print("to withdraw the consent too: https://www.spotify.com/account/apps")
    return 0
