"""How the numbers of one example lie in memory: the stride of every axis, in the order of torch's axes, C before H.

The batch axis is left out. It stays where it is, and no axis is merged with it, so that its stride decides nothing.
"""

from archspec.layers.shape import Shape

Strides = tuple[int, ...]


def stored(shape: Shape) -> tuple[int, ...]:
    """The sizes in the order of torch's axes: C, H, W; L alone of token ids."""
    return shape.spatial if shape.channels is None else (shape.channels, *shape.spatial)


def packed(shape: Shape) -> Strides:
    """The strides of numbers that lie without gaps, the last axis fastest.

    >>> packed(Shape((7, 5), 3))
    (35, 5, 1)
    """
    strides = [1]
    for size in reversed(stored(shape)[1:]):
        strides.append(strides[-1] * size)
    return tuple(reversed(strides))


def viewed(strides: Strides, shape: Shape, wanted: Shape) -> Strides | None:
    """The strides with which the same numbers are seen in another shape, or None where torch has to copy them.

    Neighbouring axes form a run if one step along the slower is a whole pass through the faster. Every new axis has to
    lie inside one run; axes of size 1 lie anywhere.

    >>> viewed((35, 5, 1), Shape((7, 5), 3), Shape((), 105))
    (1,)
    >>> viewed((35, 5, 1), Shape((6, 5), 3), Shape((30,), 3)), viewed((35, 5, 1), Shape((6, 5), 3), Shape((), 90))
    ((35, 1), None)
    """
    runs: list[tuple[int, int]] = []  # how many numbers and how far apart, the slowest run first
    for size, stride in zip(stored(shape), strides, strict=True):
        if runs and size > 1 and runs[-1][1] == size * stride:
            runs[-1] = runs[-1][0] * size, stride
        elif size > 1:
            runs.append((size, stride))
    seen: list[int] = []
    left, step = 1, 1
    for size in reversed(stored(wanted)):
        if left == 1 < size:
            left, step = runs.pop()
        if left % size:
            return None
        seen.append(step)
        left, step = left // size, step * size
    return tuple(reversed(seen))
