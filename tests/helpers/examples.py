"""How many examples Hypothesis tries."""

from __future__ import annotations

from hypothesis import settings


def at_most(n: int) -> settings:
    """Decorator for a test of which an example takes long: n examples, or fewer where the profile has fewer."""
    return settings(max_examples=min(n, settings.default.max_examples if settings.default else n))
