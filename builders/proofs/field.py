"""Receptive fields end to end: what units in the middle and at both ends of a map read of the inputs, by bisection.

A unit turns NaN when everything left of column x is NaN if and only if its field begins left of x.
The field is that of a position, whatever the channel: all channels are mixed between layers (see `probes`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from archspec.analysis.receptive_field import AxisField, ReceptiveField, receptive_field
from archspec.errors import ArchspecError
from archspec.graph import LayerGraph
from archspec.layers.shape import AXES
from archspec.nodes import Node
from builders.proofs.claim import Claim
from builders.proofs.places import Site, last_maps, site
from builders.proofs.probes import Probe, Spans, Unit, exact
from builders.proofs.slim import Slimmer, slimmer
from builders.proofs.walk import name
from builders.proofs.windows import FINITE, UNSOUND, blurs, copies

SHOWN = 4  # units in a claim
MOST_COLUMNS = 128  # a field of no more is asked column by column
Region = tuple[int, int] | None
Sets = tuple[frozenset[int], ...]


@dataclass(frozen=True)
class FieldProof:
    """The claims about one topology, and on which sizes and channels they were proved."""

    claims: tuple[Claim, ...]
    notes: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return all(claim.holds for claim in self.claims)


def prove_field(graph: LayerGraph) -> FieldProof:
    """Prove the fields of the last map before each output that slides over the inputs, on every input and axis."""
    fields, claims, notes = receptive_field(graph), list[Claim](), dict[str, None]()
    for end in last_maps(graph):
        thin = slimmer(graph, end)
        for start, field in fields[end].items():
            known = list[object]()
            for axis, along in enumerate(field.axes):
                figures = along.size, along.size_min, along.jump, along.padding, along.density, along.length
                proof = AxisProof(thin, end, start, axis, field, figures in known)
                claims += proof.claims()
                notes[proof.how] = None
                known.append(figures)
    return FieldProof(tuple(claims), tuple(notes) or ("receptive field: no map slides over an input",))


class AxisProof:
    """The field of one map along one axis of one input, stated for the spec's own sizes and measured on a site.

    `known` says that another axis has the same figures: then only the unit in the middle is asked.
    """

    def __init__(self, thin: Slimmer, end: Node, start: Node, axis: int, field: ReceptiveField, known: bool) -> None:
        self.field, self.axis, self.known = field, axis, known
        self.site = site(thin, end, start, axis, field)
        letter = AXES[start.shape.rank][axis]
        self.subject = f"{name(end)}, {letter} of {start.name}"
        sizes = " x ".join(map(str, self.site.start.shape.spatial))
        self.how = f"receptive field along {letter} of {start.name}: measured on {sizes}, {thin.slimming}"

    def claims(self) -> Iterator[Claim]:
        """With gates and statistics; where there are any, also without."""
        here = self.site.field
        try:
            yield from self._claims(self.field.axes[self.axis], here.axes[self.axis], True)
            if here.without_gates.axes and here.without_gates is not here:
                yield from self._claims(
                    self.field.without_gates.axes[self.axis], here.without_gates.axes[self.axis], False
                )
        except (ArchspecError, RuntimeError) as error:
            yield Claim(self.subject, "receptive field", "runs", str(error).split("\n")[0], self.how)

    def _claims(self, stated: AxisField, here: AxisField, gates: bool) -> Iterator[Claim]:
        what = "receptive field" if gates else "receptive field without gates"
        middle = self.site.units
        units = [middle[0]] if self.known else list(dict.fromkeys((*self.site.ends, *middle)))
        if any(copies(node.layer) for node in self.site.placed.graph):
            units = [unit for unit in middle if _inside(here, unit)]
        with exact():
            bisection = Measurement(self.site, gates)
            predicted = tuple(map(_positions, (here.region(*unit) for unit in units)))
            found, note = bisection.regions(units, predicted)
        yield self._regions(what, units, predicted, found, note)
        if found is not None and set(middle) <= set(units):
            regions = {unit: _ends(one) for unit, one in zip(units, found, strict=True)}
            yield from self._figures(what, stated, here, [regions[unit] for unit in middle])
        if middle[0] in units:
            yield from self._density(what, here, bisection)

    def _regions(self, what: str, units: Sequence[Unit], stated: Sets, found: Sets | None, note: str) -> Claim:
        """What is said of some units; shown are those that differ, or the first ones."""
        wrong = [place for place in range(len(units)) if found is not None and found[place] != stated[place]]
        shown = (wrong or range(len(units)))[:SHOWN]
        if not units:
            return Claim(self.subject, f"{what}: regions", "up to the borders", None, "padding holds copies")
        asked = f"units {', '.join(_place(units[place]) for place in shown)} of {len(units)} asked, {note}"
        given = None if found is None else _spans([found[place] for place in shown])
        return Claim(self.subject, f"{what}: regions", _spans([stated[place] for place in shown]), given, asked)

    def _figures(self, what: str, stated: AxisField, here: AxisField, regions: Sequence[Region]) -> Iterator[Claim]:
        """Size, jump and padding, where the fields of a whole turn of units are said to lie inside the input."""
        turn, units = self.site.phases, self.site.units
        moving = [axis for axis, _ in here.parts]
        said = [here.at(*unit) for unit in units]
        inside = all(one.low > 0 and one.high < here.length - 1 for one in said)
        if len(units) <= turn or not inside or len(moving) != 1 or moving[0] is None:
            return
        sizes = [one[1] - one[0] + 1 if one else 0 for one in regions]
        starts = [one[0] if one else 0 for one in regions]
        step = starts[turn] - starts[0]
        found = _figures(min(sizes), max(sizes), Fraction(step, turn), units[0][moving[0]] // turn * step - starts[0])
        if not all(one and one[0] > 0 and one[1] < here.length - 1 for one in regions):
            found = f"{max(sizes)} or more"
        predicted = _figures(stated.size_min, stated.size, stated.jump, stated.padding)
        yield Claim(self.subject, what, predicted, found, self.how)

    def _density(self, what: str, here: AxisField, measurement: Measurement) -> Iterator[Claim]:
        """Column by column, which of them the unit in the middle reads."""
        unit = self.site.units[0]
        stated = frozenset(here.inside(*unit).members())
        if stated and max(stated) - min(stated) < MOST_COLUMNS:
            with exact():
                found, note = measurement.columns(unit, stated)
            given = None if found is None else _shares(found)
            if found is not None and found != stated and given == _shares(stated):
                given = f"{given}, but not the same"
            yield Claim(self.subject, f"{what}: density", _shares(stated), given, f"unit {_place(unit)}: {note}")


class Measurement:
    """What units of a map read, by NaN, and where NaN shows more than is read by finite changes."""

    def __init__(self, place: Site, gates: bool) -> None:
        self._site = place
        self._probe = Probe(place.placed.graph, place.start, place.axis, gates)

    def regions(self, units: Sequence[Unit], stated: Sets) -> tuple[Sets | None, str]:
        """The positions from the first to the last that every unit reads; None where they cannot be told."""
        if self._confirmed(units, stated, False):
            return stated, "by NaN"
        if not self._probe.sound:
            return None, UNSOUND
        found = self._bisected(units, False)
        if not self._blurred:
            return found, "by NaN"
        if self._confirmed(units, stated, True):
            return stated, FINITE
        return _settled(stated, found, self._bisected(units, True))

    def columns(self, unit: Unit, stated: frozenset[int]) -> tuple[frozenset[int] | None, str]:
        """The positions that a unit reads near those that it should; None where they cannot be told."""
        columns = range(max(0, min(stated) - 1), min(self._probe.length, max(stated) + 2))
        found = self._columns(unit, columns, False)
        if found == stated or not self._blurred:
            return found, "by NaN"
        told, note = _settled((stated,), (found,), (self._columns(unit, columns, True),))
        return None if told is None else told[0], note

    @property
    def _blurred(self) -> bool:
        """Whether any layer passes NaN on where it reads nothing."""
        layers = {(node.layer, node.input_shapes) for node in self._site.placed.graph if node.inputs}
        return any(blurs(*layer) for layer in layers)

    def _columns(self, unit: Unit, columns: range, changed: bool) -> frozenset[int]:
        reached = self._probe.units([[(one, one + 1)] for one in columns], [unit] * len(columns), changed)
        return frozenset(one for one, found in zip(columns, reached, strict=True) if found)

    def _confirmed(self, units: Sequence[Unit], stated: Sets, changed: bool) -> bool:
        """Whether every unit reads both ends of what is stated, and nothing outside: what reaches a unit from a part
        of the positions reaches it from all."""
        samples, asked, wanted = list[Spans](), list[Unit](), list[bool]()
        for unit, one in zip(units, stated, strict=True):
            first, last = _ends(one) or (0, -1)
            for spans, reads in (
                ([(0, first), (last + 1, self._probe.length)], False),
                ([(first, first + 1)], True),
                ([(last, last + 1)], True),
            ):
                if not reads or one:
                    samples.append(spans)
                    asked.append(unit)
                    wanted.append(reads)
        return self._probe.units(samples, asked, changed) == wanted

    def _bisected(self, units: Sequence[Unit], changed: bool) -> Sets:
        """[0, x) reaches a unit from its first position + 1 on, [x, end) up to its last one: both ends of all at once.

        For every edge the largest x known to lie on its lower side and the smallest on its upper one.
        """
        length, count = self._probe.length, len(units)
        low, high = [0] * (2 * count), [length] * (2 * count)
        while any(end - start > 1 for start, end in zip(low, high, strict=True)):
            middle = [(start + end) // 2 for start, end in zip(low, high, strict=True)]
            samples = [[(0, x)] for x in middle[:count]] + [[(x, length)] for x in middle[count:]]
            reached = self._probe.units(samples, [*units, *units], changed)
            for place, x in enumerate(middle):
                below = reached[place] == (place >= count)
                (low if below else high)[place] = x
        read = self._probe.units([[(0, length)]] * count, units, changed)
        edges = zip(low[:count], low[count:], read, strict=True)
        return tuple(frozenset(range(first, last + 1)) if any_read else frozenset() for first, last, any_read in edges)


def _settled(stated: Sets, nan: Sets, changed: Sets) -> tuple[Sets | None, str]:
    """What is read lies between what a change showed and what NaN reached."""
    if stated == changed:
        return changed, FINITE
    between = all(low <= one <= high for low, one, high in zip(changed, stated, nan, strict=True))
    if between:
        return None, f"{FINITE}, and changes fade: it lies between {_spans(changed)} and {_spans(nan)}"
    return changed, FINITE


def _inside(field: AxisField, unit: Unit) -> bool:
    """Whether a unit reads nothing beside the input."""
    reads = field.at(*unit)
    return reads.low >= 0 and reads.high < field.length


def _positions(region: Region) -> frozenset[int]:
    return frozenset(range(region[0], region[1] + 1)) if region else frozenset()


def _ends(found: frozenset[int]) -> Region:
    return (min(found), max(found)) if found else None


def _spans(found: Sequence[frozenset[int]]) -> str:
    return ", ".join(f"{min(one)} to {max(one)}" if one else "nothing" for one in found)


def _shares(found: frozenset[int]) -> str:
    return f"{len(found)} of {max(found) - min(found) + 1}" if found else "nothing"


def _place(unit: Unit) -> str:
    return "x".join(map(str, unit)) or "alone"


def _figures(least: int, most: int, jump: Fraction | None, padding: int) -> str:
    """Size, jump and padding as in tables: 427/32/213."""
    return f"{most if least == most else f'{least}-{most}'}/{jump}/{padding}"
