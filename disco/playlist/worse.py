"""What is worse in an order than in the one that was given, and why, in sentences."""

from __future__ import annotations

from typing import NamedTuple

from disco.playlist.flow_metrics import FlowMetrics
from disco.playlist.sequence import Constraints
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


def worse_notes(before: FlowMetrics, after: FlowMetrics, asked: list[str]) -> list[str]:
    """A sentence if anything that is shown of an order is worse than it was.

    Parameters
    ----------
    before, after : FlowMetrics
    asked : list of str
        Options that ask for something besides cheap transitions.

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
            before.tempo_change,
            after.tempo_change,
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
    if asked:
        why = f"{' and '.join(asked)} {'ask' if len(asked) > 1 else 'asks'} for more than cheap transitions"
    elif better:
        listed = " and ".join(filter(None, [", ".join(better[:-1]), better[-1]]))
        why = f"{listed} {'is' if len(better) == 1 and better[0].startswith('the') else 'are'} better for it"
    else:
        why = "no better order was found that keeps tracks by one artist apart; search longer with --iterations"
    return [f"{WORSE}: {', '.join(f'{v.name} ({v.text})' for v in worse)}; {why}"]
