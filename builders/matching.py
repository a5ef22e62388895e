"""Which tensor of a source belongs to which weight of a network: by name, else by role and shape in order."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from archspec.errors import ArchspecError, Diagnostic
from builders.files import sizes
from builders.sources import Held

Key = tuple[object, ...]
NAME, ORDER = "name", "order"


@dataclass(frozen=True, eq=False)
class Match:
    """A weight of the network, the tensor that it takes, and what matched them: name or order."""

    ours: Held
    theirs: Held
    how: str


def match(ours: Sequence[Held], theirs: Sequence[Held], fixed: Collection[str] = ()) -> list[Match]:
    """Pair all weights of a network with all tensors of a source; raises ArchspecError with all that does not fit.

    Equal names go together where the shapes are equal but for unit axes. The rest goes by role and shape without unit
    axes, the first with the first. A name in `fixed` goes with nothing but its equal.
    """
    named = {held.name: held for held in theirs}
    known = {held.name for held in ours}
    equal = {one.name for one in ours if one.name in named and one.bare == named[one.name].bare}
    bound = equal | {name for name in fixed if name in known}

    def key(held: Held) -> Key:
        return (held.bare, held.name) if held.name in bound else (held.bare, held.role, held.tensor.is_floating_point())

    findings = list(_findings(ours, theirs, [key(one) for one in ours], [key(one) for one in theirs]))
    if findings:
        raise ArchspecError.of(findings)
    waiting: defaultdict[Key, deque[Held]] = defaultdict(deque)
    for held in theirs:
        waiting[key(held)].append(held)
    return [Match(one, waiting[key(one)].popleft(), NAME if one.name in bound else ORDER) for one in ours]


def _findings(
    ours: Sequence[Held], theirs: Sequence[Held], our_keys: list[Key], their_keys: list[Key]
) -> Iterator[Diagnostic]:
    """What stands on one side alone: pairs that differ in their sizes, what is missing, what is left over."""
    have, given = Counter(our_keys), Counter(their_keys)
    if have == given:
        return
    blocks = SequenceMatcher(None, our_keys, their_keys, autojunk=False).get_matching_blocks()
    aligned = [{start + step for start, _, size in blocks for step in range(size)}]
    aligned.append({start + step for _, start, size in blocks for step in range(size)})
    missing = [ours[place] for place in _surplus(our_keys, have - given, aligned[0])]
    left = [theirs[place] for place in _surplus(their_keys, given - have, aligned[1])]
    counts = {held: (have[key], given[key]) for held, key in zip((*ours, *theirs), our_keys + their_keys, strict=True)}
    paired = set[Held]()
    for held in missing:
        near = _nearest(held, left)
        if near is not None and (near.name == held.name or _alike(held, near)):
            left.remove(near)
            paired.add(held)
            yield _unequal(held, near)
        else:
            yield _missing(held, near, *counts[held])
    lacking = [held for held in missing if held not in paired]
    for held in left:
        yield _left(held, _nearest(held, lacking), *counts[held])


def _surplus(keys: list[Key], counts: Counter[Key], aligned: set[int]) -> list[int]:
    """As many places of every key as it has too many, those that align with nothing first."""
    found, open_ = [], Counter(counts)
    for place in sorted(range(len(keys)), key=lambda place: place in aligned):
        if open_[keys[place]] > 0:
            open_[keys[place]] -= 1
            found.append(place)
    return sorted(found)


def _nearest(held: Held, others: Sequence[Held]) -> Held | None:
    """The one of the same name, else of the same role with the most sizes in common."""

    def nearness(other: Held) -> tuple[bool, bool, int]:
        pairs = zip(held.tensor.shape, other.tensor.shape, strict=False)
        same = sum(one == two for one, two in pairs)
        return other.name == held.name, _alike(held, other), same

    alike = [other for other in others if other.role is held.role or other.name == held.name]
    return max(alike, key=nearness, default=None)


def _alike(one: Held, other: Held) -> bool:
    """Whether two tensors have as many axes, or have where those of one element are left out."""
    return one.tensor.ndim == other.tensor.ndim or len(one.bare) == len(other.bare)


def _unequal(held: Held, near: Held) -> Diagnostic:
    message = f"{held.name} is {sizes(held.tensor.shape)}, and {near.name} of the source {sizes(near.tensor.shape)}"
    if not near.tensor.is_floating_point():
        message += f" of {str(near.tensor.dtype).removeprefix('torch.')}"
    return _finding("weights-shape", message, held, "build the network with the sizes of the source")


def _missing(held: Held, near: Held | None, have: int, given: int) -> Diagnostic:
    message = f"the source has nothing for {held.described}: the network has {have} such tensors, the source {given}"
    hint = f"the nearest that is left over is {near.described}" if near else "nothing of that role is left over"
    return _finding("weights-missing", message, held, hint)


def _left(held: Held, near: Held | None, have: int, given: int) -> Diagnostic:
    message = f"{held.described} of the source has no place: the source has {given} such tensors, the network {have}"
    nearest = f"; the nearest weight that is missing is {near.described}" if near else ""
    return _finding("weights-left", message, held, f"ignore= leaves it out{nearest}")


def _finding(code: str, message: str, held: Held, hint: str) -> Diagnostic:
    span, trace = (held.node.span, held.node.trace) if held.node else (None, None)
    return Diagnostic(code, message, span, hint, trace=trace)
