"""What choices say of their chooser: weights of terms, fitted to what was chosen from what could have been.

*Method.* A conditional logit (McFadden, "Conditional logit analysis of qualitative choice behavior", 1974): an option
is chosen with a probability proportional to exp(sum of weights times terms). The weights with the greatest
likelihood, less a penalty on their squares, are found by Newton's method; the problem is convex, so they are the only
ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from disco.errors import DiscoError

Values = NDArray[np.float64]
Numbers = NDArray[np.intp]

# Newton's method needs about six steps; it ends when no weight moves by more than this.
_MOST_STEPS, _SMALL_STEP = 50, 1e-8


@dataclass(frozen=True, eq=False)
class Choices:
    """Choices of one option out of several each.

    Attributes
    ----------
    terms : ndarray, shape (options, terms)
        Of all options of all choices, one choice after another; the first option of each choice is the one taken.
    sizes : ndarray of int, shape (choices,)
        Options of each choice, at least 1.
    """

    terms: Values
    sizes: Numbers

    def __post_init__(self) -> None:
        if int(self.sizes.sum()) != len(self.terms) or (len(self.sizes) and self.sizes.min() < 1):
            raise DiscoError(
                f"{len(self.terms)} options do not make choices of {self.sizes.tolist()[:5]} ... options"
            )

    def __len__(self) -> int:
        return len(self.sizes)

    @property
    def starts(self) -> Numbers:
        """Index of the option taken of each choice, shape (choices,)."""
        return np.asarray(np.cumsum(self.sizes) - self.sizes)

    @property
    def choice(self) -> Numbers:
        """Number of the choice of each option, shape (options,)."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    def take(self, chosen: NDArray[np.bool_]) -> Choices:
        """Those choices alone for which a mask, shape (choices,), is true."""
        return Choices(self.terms[np.repeat(chosen, self.sizes)], self.sizes[chosen])

    def only(self, columns: Numbers) -> Choices:
        """The same choices with some of the terms."""
        return Choices(self.terms[:, columns], self.sizes)


@dataclass(frozen=True, eq=False)
class Fit:
    """Weights of terms, and how sure they are.

    Attributes
    ----------
    weights : ndarray, shape (terms,)
        By how much one more of a term raises the logarithm of the odds of an option.
    errors : ndarray, shape (terms,)
        Standard errors, from the curvature of the likelihood.
    log_likelihood : float
        Mean over the choices that were fitted, in nats; that of chance is minus the mean of log(options).
    """

    weights: Values
    errors: Values
    log_likelihood: float


def fit_choices(
    choices: Choices, importance: Values | None = None, penalty: float = 1.0, around: Values | None = None
) -> Fit:
    """Fit weights of terms to choices.

    Parameters
    ----------
    choices : Choices
    importance : ndarray, shape (choices,), optional
        How much each choice counts; all count 1 by default.
    penalty : float
        Half of it times the square of each weight is taken off the log-likelihood: with 1, as if every weight were
        known to lie within about 1 of 0. It keeps weights finite where a term decides every choice.
    around : ndarray, shape (terms,), optional
        What the weights are expected to be, instead of 0: few choices change it a little, many choices a lot.

    Returns
    -------
    Fit

    Raises
    ------
    DiscoError
        If there is no choice, or a term is not a finite number.

    Examples
    --------
    >>> few = Choices(np.array([[1.0], [0.0], [1.0], [0.0], [0.0], [1.0]]), np.array([2, 2, 2]))
    >>> fit_choices(few, penalty=1e-9).weights.round(3)  # log odds of two against one
    array([0.693])
    """
    if not len(choices) or not np.isfinite(choices.terms).all():
        raise DiscoError("weights can only be fitted to one choice or more, with finite terms")
    if penalty <= 0:
        raise DiscoError(f"the penalty on weights must be above 0, not {penalty}")
    importance = np.ones(len(choices)) if importance is None else importance
    terms, starts, choice = choices.terms, choices.starts, choices.choice
    n = terms.shape[1]
    expected = np.zeros(n) if around is None else around
    weights, curvature = expected.copy(), np.eye(n)
    for _ in range(_MOST_STEPS):
        p = probabilities(choices, terms @ weights)
        mean = np.add.reduceat(p[:, None] * terms, starts)
        gradient = importance @ (terms[starts] - mean) - penalty * (weights - expected)
        centred = terms - mean[choice]
        curvature = (centred * (p * importance[choice])[:, None]).T @ centred + penalty * np.eye(n)
        step = np.linalg.solve(curvature, gradient)
        # Far from the best weights a whole step may go beyond them; half of it, again and again, does not.
        at = _penalised(choices, weights, importance, penalty, expected)
        while np.abs(step).max(initial=0) > _SMALL_STEP:
            if _penalised(choices, weights + step, importance, penalty, expected) >= at:
                break
            step = step / 2
        weights = weights + step
        if np.abs(step).max(initial=0) < _SMALL_STEP:
            break
    errors = np.sqrt(np.diag(np.linalg.inv(curvature)))
    found = log_likelihoods(choices, terms @ weights)
    return Fit(weights, errors, float(np.average(found, weights=importance)))


def _penalised(choices: Choices, weights: Values, importance: Values, penalty: float, expected: Values) -> float:
    """Log-likelihood less the penalty, which the weights that are fitted make greatest."""
    fit = importance @ log_likelihoods(choices, choices.terms @ weights)
    return float(fit - penalty * ((weights - expected) ** 2).sum() / 2)


def probabilities(choices: Choices, values: Values) -> Values:
    """Probability that each option is taken, shape (options,), by the values of the options.

    Examples
    --------
    >>> probabilities(Choices(np.zeros((3, 0)), np.array([2, 1])), np.array([0.0, 0.0, 7.0])).tolist()
    [0.5, 0.5, 1.0]
    """
    starts, choice = choices.starts, choices.choice
    powers = np.exp(values - np.maximum.reduceat(values, starts)[choice])
    return np.asarray(powers / np.add.reduceat(powers, starts)[choice])


def log_likelihoods(choices: Choices, values: Values) -> Values:
    """Logarithm of the probability of the option taken, shape (choices,)."""
    return np.asarray(np.log(np.maximum(probabilities(choices, values)[choices.starts], 1e-300)))


def held_out(
    choices: Choices,
    groups: Numbers,
    importance: Values | None = None,
    penalty: float = 1.0,
    folds: int = 10,
    around: Values | None = None,
) -> Values:
    """Weights for every choice that were fitted without its group, shape (choices, terms).

    Parameters
    ----------
    choices : Choices
    groups : ndarray of int, shape (choices,)
        What is left out as a whole: the set of each choice, or its DJ.
    importance, penalty, around
        As for `fit_choices`.
    folds : int
        Parts in which the groups are left out; the largest groups are dealt out first, so that each is in another
        part.

    Raises
    ------
    DiscoError
        If there are fewer than two groups.

    Examples
    --------
    >>> few = Choices(np.array([[1.0], [0.0], [1.0], [0.0]]), np.array([2, 2]))
    >>> held_out(few, np.array([0, 1])).round(3).tolist()
    [[0.401], [0.401]]
    """
    _, group, counts = np.unique(groups, return_inverse=True, return_counts=True)
    if len(counts) < 2:
        raise DiscoError("what is judged must be left out of the fit: two groups are needed at least")
    largest_first = np.argsort(-counts, kind="stable")
    part = np.empty(len(counts), dtype=np.intp)
    part[largest_first] = np.arange(len(counts)) % folds
    weights = np.zeros((len(choices), choices.terms.shape[1]))
    for fold in range(min(folds, len(counts))):
        out = part[group] == fold
        some = None if importance is None else importance[~out]
        weights[out] = fit_choices(choices.take(~out), some, penalty, around).weights
    return weights


def equal_importance(groups: Numbers, most: int) -> Values:
    """How much each choice counts so that no group counts more than `most` choices, shape (choices,).

    Examples
    --------
    >>> equal_importance(np.array([0, 0, 0, 0, 1]), most=2).tolist()
    [0.5, 0.5, 0.5, 0.5, 1.0]
    """
    _, group, counts = np.unique(groups, return_inverse=True, return_counts=True)
    return np.asarray(np.minimum(1, most / counts)[group])
