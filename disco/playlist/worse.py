"""What is worse in an order than in the one that was given, and why, in sentences."""

from __future__ import annotations

from typing import NamedTuple

from disco.catalogue import Catalogue, Rows
from disco.catalogue.text import printable
from disco.playlist.flow_metrics import FlowMetrics
from disco.playlist.sequence import Constraints, Rules
from disco.playlist.sequence.wishes import Wishes

# How the sentence begins.
WORSE = "worse than the order given"
# Smaller differences would not be seen in what is shown.
_LEAST = 0.005


class _Shown(NamedTuple):
    """A value that is shown of an order, where less is better."""

    name: str
    before: float
    after: float
    text: str


def asked_for(constraints: Constraints, wishes: Wishes, *more: str) -> list[str]:
    """Options that ask for something besides cheap transitions."""
    weights = ("arc_weight", "tempo_arc_weight", "random_seed")
    changed = [name for name, value in vars(constraints).items() if value != getattr(Constraints(), name)]
    changed += [name for name, value in vars(wishes).items() if value != getattr(Wishes(), name)]
    names = [{"pinned": "pin"}.get(name, name) for name in changed if name not in weights]
    return [*(f"--{name.replace('_', '-')}" for name in names), *more]


def worse_notes(before: FlowMetrics, after: FlowMetrics, asked: list[str], gap_price: str = "") -> list[str]:
    """A sentence if anything that is shown of an order is worse than it was.

    Parameters
    ----------
    before, after : FlowMetrics
    asked : list of str
        Options that ask for something besides cheap transitions.
    gap_price : str
        What it costs to part tracks by one artist that stood together, where that is why; see `gap_price`.

    Examples
    --------
    >>> before = FlowMetrics(transitions=9, mean_cost=2.0, keys=9, compatible=7)
    >>> worse_notes(before, FlowMetrics(transitions=9, mean_cost=1.5, keys=9, compatible=6), [])
    ['worse than the order given: keys that go together (6 of 9, were 7 of 9); the mean cost is better for it']
    """
    shown = [
        _Shown(
            "the mean cost", before.mean_cost, after.mean_cost, f"{after.mean_cost:.2f}, was {before.mean_cost:.2f}"
        ),
        _Shown(
            "keys that go together",
            -before.compatible / max(before.keys, 1),
            -after.compatible / max(after.keys, 1),
            f"{after.compatible} of {after.keys}, were {before.compatible} of {before.keys}",
        ),
        _Shown(
            "the change of tempo",
            round(before.tempo_change, 1),
            round(after.tempo_change, 1),
            f"{after.tempo_change:.1f} %, was {before.tempo_change:.1f} %",
        ),
        _Shown(
            "the worst transition",
            before.worst_cost,
            after.worst_cost,
            f"{after.worst_cost:.2f}, was {before.worst_cost:.2f}",
        ),
    ]
    worse = [value for value in shown if value.after > value.before + _LEAST]
    if not worse or not before.transitions:
        return []
    better = [value.name for value in shown if value.after < value.before - _LEAST]
    if gap_price:
        why = gap_price
    elif asked:
        why = f"{' and '.join(asked)} {'ask' if len(asked) > 1 else 'asks'} for more than cheap transitions"
    elif better:
        listed = " and ".join(filter(None, [", ".join(better[:-1]), better[-1]]))
        why = f"{listed} {'is' if len(better) == 1 and better[0].startswith('the') else 'are'} better for it"
    else:
        why = "no better order was found that keeps tracks by one artist apart; search longer with --iterations"
    return [f"{WORSE}: {', '.join(f'{v.name} ({v.text})' for v in worse)}; {why}"]


def gap_price(neighbours: str, price: float) -> str:
    """Why an order that parts tracks by one artist is worse, and which option keeps them together.

    Parameters
    ----------
    neighbours : str
        As `tracks_together` names them.
    price : float
        Difference of the mean costs per transition.

    Examples
    --------
    >>> gap_price("2 tracks by Dot", 0.857)
    '2 tracks by Dot stood together; parting them costs 0.86 a transition: --artist-gap 0 keeps them'
    """
    return f"{neighbours} stood together; parting them costs {price:.2f} a transition: --artist-gap 0 keeps them"


def kept_together(neighbours: str, price: float) -> str:
    """That tracks by one artist stay together as in the list, since parting them makes the order worse than it was.

    Examples
    --------
    >>> kept_together("2 tracks by Dot", 0.857)
    '2 tracks by Dot stay together, as in the order given: parting them would cost 0.86 a transition; --artist-gap 1 parts them'
    """  # noqa: E501
    return (
        f"{neighbours} stay together, as in the order given: parting them would cost {price:.2f} a transition; "
        "--artist-gap 1 parts them"
    )


def tracks_together(tracks: Catalogue, path: Rows, rules: Rules) -> str:
    """Which tracks of an order follow one by the same artist too soon, as `2 tracks by Dot`; three artists at most.

    Examples
    --------
    >>> import numpy as np
    >>> songs = [{"track_id": i, "title": i, "artists": [i[0].upper()]} for i in ("a1", "a2", "b1")]
    >>> catalogue = Catalogue.from_tracks(songs)
    >>> tracks_together(catalogue, np.arange(3), Rules(catalogue, 1))
    '2 tracks by A'
    """
    together: dict[str, set[int]] = {}
    rows = path.tolist()
    for i, row in enumerate(rows):
        for other in rows[max(i - rules.artist_gap, 0) : i]:
            for artist in rules.artists(row) & rules.artists(other):
                together.setdefault(artist, set()).update((row, other))
    names = {name.casefold(): name for row in rows for name in tracks.artists(row)}
    named = [f"{len(of)} tracks by {printable(names[artist])[:40]}" for artist, of in together.items()]
    shown = named[:3] + ([f"{len(named) - 3} more artists"] if len(named) > 3 else [])
    return " and ".join(filter(None, [", ".join(shown[:-1]), *shown[-1:]]))
