"""`disco learn`: your own style, and what you played when, from the histories of DJ programs."""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Sequence
from typing import Any

from disco.catalogue.text import printable
from disco.cli import console, options
from disco.errors import DiscoError
from disco.playlist import styles
from disco.sources import histories, play_log
from disco.training import own_style

log = logging.getLogger(__name__)
# Terms that are shown: those whose weights differ most from the shipped ones.
_SHOWN = 5


def parser() -> argparse.ArgumentParser:
    """The options of this command."""
    p = argparse.ArgumentParser(
        prog="disco learn",
        usage="disco learn HISTORY ... [options]",
        description="Learn your own style from what you really played, for --style mine, and keep what you played "
        "when, for --unplayed and --not-played-since. Both stay in your data folder, readable by you alone.",
        epilog="example: disco learn ~/Documents/Native\\ Instruments/Traktor*/History",
    )
    p.add_argument(
        "histories",
        nargs="*",
        metavar="HISTORY",
        help="files, or folders with all that are in them: Traktor's folder History, rekordbox's export of a history "
        "(text or XML), Serato's sessions or export, a library of Mixxx, Engine DJ's hm.db, VirtualDJ's folder "
        "History, M3U8, CSV with times",
    )
    options.add_catalogue(p, default="none: keys and tempos are those of the histories")
    options.add_enrichment(p)
    p.add_argument("--forget", action="store_true", help="remove your style and all that is kept of what you played")
    options.add_json(p, "the report")
    options.add_verbosity(p)
    return p


@console.command
def main(argv: Sequence[str] | None = None) -> int:
    """Learn from histories, or forget what was learned."""
    p = parser()
    arguments = p.parse_args(argv)
    console.set_verbosity(arguments.quiet, arguments.verbose)
    if arguments.forget:
        if arguments.histories:
            p.error("--forget and HISTORY contradict each other; forget first, then learn")
        removed = [name for name, gone in (("your style", own_style.forget()), ("plays", play_log.forget())) if gone]
        console.say(f"removed: {' and '.join(removed) or 'nothing, since nothing was kept'}")
        return 0
    if not arguments.histories:
        p.error("name the histories to learn from")
    sets, notes = histories.read(arguments.histories)
    for note in notes:
        log.info("%s", printable(note))
    catalogue = None
    if arguments.catalogue:
        catalogue = options.open_catalogue(
            arguments.catalogue, arguments.enrich_from, arguments.corrections, cache=arguments.cache
        )
    added, kept = play_log.add(sets)
    log.info("%s new plays kept, %s in all, for --unplayed and --not-played-since", f"{added:,}", f"{kept:,}")
    learned = own_style.learn_style(sets, catalogue)
    if not learned.better:
        raise DiscoError(_worse(learned.card))
    path = own_style.keep(learned.card)
    if arguments.json:
        print(json.dumps(learned.card, indent=2))
    else:
        _show(learned.card)
        print(f"\nKept as the style {own_style.MINE} in {path}: disco order FILE --style {own_style.MINE}")
    return 0


def _worse(card: dict[str, Any]) -> str:
    found = card["metrics"]["held_out"]
    mine, theirs = (found[name]["log_likelihood"] for name in (own_style.MINE, styles.DJ))
    return (
        f"sets left out of the fit are predicted worse ({mine:.3f} nats a transition) than by the shipped style "
        f"{styles.DJ} ({theirs:.3f}), so that no style is kept; are these sets as you played them, or crates and "
        "sorted lists?"
    )


def _show(card: dict[str, Any]) -> None:
    data, found, gain = card["data"], card["metrics"]["held_out"], card["metrics"]["gain"]
    print(f"Learned from {data['transitions']:,} transitions in {data['sets']:,} sets.\n")
    print("The track that you really played next, among those still to come, in sets left out of the fit:\n")
    print(f"{'style':<12}{'comes first':>12}{'MRR':>8}")
    for name, of in found.items():
        print(f"{name:<12}{100 * of['hit@1']:>10.1f} %{of['mrr']:>8.3f}")
    low, high = gain["interval"]
    against = f"{100 * gain['hit@1']:+.1f} points against {styles.DJ}"
    print(f"\nThat is {against} (95 %: {100 * low:+.1f} to {100 * high:+.1f}).")
    shipped = styles.read_card(styles.CARDS / f"{styles.DJ}.json")["weights"]
    weights = {term: of["weight"] for term, of in card["weights"].items()}
    by_difference = sorted(weights, key=lambda term: -abs(weights[term] - shipped.get(term, {"weight": 0})["weight"]))
    print(f"\nWhere you differ most from {styles.DJ}, in nats:\n")
    for term in by_difference[:_SHOWN]:
        print(f"  {term:<22}{weights[term]:>+7.2f}   {styles.DJ} {shipped.get(term, {'weight': 0})['weight']:+.2f}")
