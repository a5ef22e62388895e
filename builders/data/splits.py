"""Stratified splits of exact sizes, made by a seed before anything is augmented."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import torch
from torch import Tensor

from archspec.errors import ArchspecError


def split(labels: Tensor, validation: float, test: float, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Indices of training, validation and test, each ascending; every class is spread over the parts in proportion.

    The sizes are the shares of all items, rounded by largest remainder. Raises ArchspecError where a part that is asked
    for would be empty.

    >>> [len(part) for part in split(torch.arange(1797) % 10, 0.2, 0.2, seed=0)]
    [1078, 360, 359]
    """
    for name, share in (("validation", validation), ("test", test)):
        if not isinstance(share, int | float) or not 0 <= share < 1:  # type: ignore[redundant-expr]  # from Python
            raise ArchspecError(
                "split", f"the share of {name} cannot be {share}", hint="give a number from 0 to below 1"
            )
    if validation + test >= 1:
        message = f"validation {validation} and test {test} leave nothing to train on"
        raise ArchspecError("split", message, hint="shares whose sum is below 1")
    count = len(labels)
    kept, checked, tested = sizes(count, (1 - validation - test, validation, test))
    if not kept or (validation and not checked) or (test and not tested):
        message = f"{count} items make parts of {kept}, {checked} and {tested}: train, validation, test"
        raise ArchspecError("split", message, hint="more items, or other shares")
    rest, held = cut(labels, torch.arange(count), tested, seed)
    train, validated = cut(labels, rest, checked, seed)
    return train, validated, held


def sizes(count: int, shares: Sequence[float]) -> tuple[int, ...]:
    """Whole numbers in these proportions whose sum is `count`: floors, and one more for the largest remainders.

    >>> sizes(10, (0.5, 0.25, 0.25))
    (5, 3, 2)
    """
    exact = [Fraction(share).limit_denominator(10**6) for share in shares]
    wanted = [count * share / sum(exact) for share in exact]
    found = [int(number) for number in wanted]
    ahead = sorted(range(len(shares)), key=lambda i: (found[i] - wanted[i], i))
    for i in ahead[: count - sum(found)]:
        found[i] += 1
    return tuple(found)


def cut(labels: Tensor, chosen: Tensor, size: int, seed: int) -> tuple[Tensor, Tensor]:
    """The items `chosen` in two, `size` of them in the second; of a class, its share rounded up or down.

    The items stand in a row, class by class, each class shuffled; item i is cut out where floor((i + 1) size / n) is
    one more than floor(i size / n).
    """
    if not len(chosen):
        return chosen, chosen
    generator = torch.Generator().manual_seed(seed)
    shuffled = chosen[torch.randperm(len(chosen), generator=generator)]
    row = shuffled[labels[shuffled].argsort(stable=True)]
    steps = torch.arange(len(row) + 1) * size // len(row)
    out = steps[1:] > steps[:-1]
    return row[~out].sort().values, row[out].sort().values
