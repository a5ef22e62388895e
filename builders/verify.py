"""`archspec.verify`: every number that archspec states of a network, held against a run."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch

from archspec import report
from archspec.analysis import Analysis
from archspec.graph import LayerGraph
from archspec.spec import InputSize, Spec
from builders.build import build, opened
from builders.network import Network
from builders.proofs import counts, evaluation, training
from builders.proofs.claim import Claim
from builders.proofs.field import prove_field
from builders.proofs.slim import thinnest
from builders.proofs.windows import prove_window

BUDGET = 3 << 30  # bytes that a run on real numbers may take
TRAINED = (2, 1)  # examples of a training step: more than one where memory allows, as batch normalisation may need
REFUSED = "more than 1 value per channel"
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Verification:
    """What the runs made of a network: every claim, and what was proved how."""

    title: str
    claims: tuple[Claim, ...]
    notes: tuple[str, ...]
    seconds: float

    @property
    def held(self) -> int:
        """How many numbers were held against a run."""
        return sum(claim.decided for claim in self.claims)

    @property
    def failures(self) -> tuple[Claim, ...]:
        """The claims that a run contradicts."""
        return tuple(claim for claim in self.claims if not claim.holds)

    @property
    def holds(self) -> bool:
        return not self.failures

    def table(self) -> report.Table:
        """One row per quantity: what was stated and measured of the whole network, and over how many layers."""
        rows = [self._row(quantity) for quantity in dict.fromkeys(claim.quantity for claim in self.claims)]
        failed = [_failure(claim) for claim in self.failures]
        columns = ("quantity", "claims>", "predicted>", "measured>", "verdict")
        return report.listed(columns, rows, [*failed, *self.notes])

    def _row(self, quantity: str) -> tuple[str, ...]:
        claims = [claim for claim in self.claims if claim.quantity == quantity]
        whole = next((claim for claim in claims if claim.subject == "network"), None)
        shown = (_shown(whole.predicted), _shown(whole.measured)) if whole else ("", "")
        verdicts = {claim.verdict for claim in claims}
        failed = sum(not claim.holds for claim in claims)
        verdict = f"FAILS ({failed})" if failed else "holds" if "holds" in verdicts else verdicts.pop()
        if whole and not failed and whole.predicted is None:
            verdict = "holds where stated" if "holds" in verdicts else "measured only"
        return (quantity, f"{len(claims):,}", *shown, verdict)

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "name": self.title,
            "holds": self.holds,
            "held": self.held,
            "seconds": round(self.seconds, 3),
            "notes": list(self.notes),
            "claims": [claim.to_dict() for claim in self.claims],
        }

    def __str__(self) -> str:
        return report.plain_text(self.table(), self.title)


def _shown(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return "" if value is None else "yes" if value else "no"
    return f"{value:,}" if isinstance(value, (int, float)) else str(value)


def _failure(claim: Claim) -> str:
    how = f" ({claim.note})" if claim.note else ""
    return f"FAILS: {claim.subject}: {claim.quantity}: stated {claim.predicted}, measured {claim.measured}{how}"


def silent(stage: str) -> None:
    """Tells nobody."""


@dataclass
class Verifier:
    """Verifies networks one after the other; what they have in common is proved once.

    `budget` are the bytes that a run on real numbers may take; beyond it, and where `meta` asks for it, the device meta
    proves what it can.
    """

    budget: int = BUDGET
    meta: bool = False
    _proved: set[Hashable] = field(default_factory=set)

    def verify(self, spec: Spec, progress: Progress = silent) -> Verification:
        """Run every proof; `progress` is told of each stage before it begins."""
        start, claims, notes = time.perf_counter(), list[Claim](), list[str]()
        for stage, proof in self._stages(spec, notes):
            progress(stage)
            claims += proof
        return Verification(spec.title, tuple(claims), tuple(notes), time.perf_counter() - start)

    def _stages(self, spec: Spec, notes: list[str]) -> Iterator[tuple[str, Iterable[Claim]]]:
        analysis, light = spec.analyze(), build(spec, device="meta")
        yield "shapes and MACs", counts.shapes_and_macs(light, analysis, TRAINED[0])
        yield "parameters", counts.parameters(light, analysis)
        size = _bytes(spec, 0)
        if self.meta or size > self.budget:
            why = "as asked" if self.meta else f"a pass takes about {size / 2**30:.1f} GiB"
            notes.append(f"on meta alone ({why}): shapes, parameters, MACs and memory; no pass on real numbers")
            yield "evaluation", evaluation.evaluation(light, analysis, 1, "meta")
        else:
            yield from self._real(spec, notes)
        yield "windows", self._windows(spec.layers, notes)
        yield "receptive fields", self._fields(spec.layers, notes)

    def _real(self, spec: Spec, notes: list[str]) -> Iterator[tuple[str, Iterable[Claim]]]:
        """The proofs that need numbers."""
        analysis, network = spec.analyze(), build(spec)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            yield "evaluation", evaluation.evaluation(network, analysis, 1, "cpu")
            batch = next((size for size in TRAINED if _bytes(spec, size) <= self.budget), None)
            if batch is not None:
                yield "training step", _trained(network, analysis, batch, notes)
            else:
                notes.append(f"no training step: it takes about {_bytes(spec, 1) / 2**30:.1f} GiB")

    def _windows(self, graph: LayerGraph, notes: list[str]) -> Iterator[Claim]:
        """What every distinct layer reads of every distinct shape."""
        known = 0
        for node in graph:
            if not node.inputs or node not in graph.needed or not any(shape.rank for shape in node.input_shapes):
                continue
            key = thinnest(node.layer, node.input_shapes)  # what is read does not hang on the number of channels
            if key in self._proved:
                known += 1
                continue
            self._proved.add(key)
            yield from prove_window(node.layer, node.input_shapes)
        if known:
            notes.append(f"windows: {known} layers like others that are proved")

    def _fields(self, graph: LayerGraph, notes: list[str]) -> Iterator[Claim]:
        """The receptive fields of every distinct topology, end to end."""
        ends = tuple(node.index for node in (*graph.outputs.values(), *graph.training_outputs.values()))
        inputs = tuple(node.shape.spatial for node in graph.inputs.values())
        nodes = tuple((n.layer.kind, n.facts.windows, tuple(source.index for source in n.inputs)) for n in graph)
        key = (nodes, ends, inputs)
        if key in self._proved:
            notes.append("receptive fields: proved end to end on a network of the same topology")
            return
        self._proved.add(key)
        proof = prove_field(graph)
        notes.extend(proof.notes)
        yield from proof.claims


def _trained(network: Network, analysis: Analysis, batch: int, notes: list[str]) -> list[Claim]:
    """A training step; none where torch refuses to normalise the single value of a batch of one."""
    claims = list(training.step(network, analysis, batch))
    if batch == 1 and any(REFUSED in str(claim.measured) for claim in claims):
        notes.append("no training step: with one example torch has a single value to normalise")
        return []
    return claims


def _bytes(spec: Spec, trained: int) -> int:
    """About what a training step on some examples takes: weights, gradients, outputs with theirs; 0: an evaluation."""
    found = spec.analyze().memory(evaluation.DTYPE, max(1, trained))
    return found.weights + found.peak + (found.weights + 2 * found.activations if trained else 0)


def verify(
    spec: Spec | str | Path,
    /,
    *,
    variant: str | None = None,
    input: InputSize | Mapping[str, InputSize] | None = None,
    budget: int = BUDGET,
    **variables: object,
) -> Verification:
    """Build the torch module of a spec, run it, and hold every number of the static analysis against the run.

    Per layer and in total: output shapes, parameters, buffers, MACs, memory alive, bytes kept for the backward pass,
    gradients, receptive fields. Choices as in `archspec.build`. Raises ArchspecError for what is no spec.

    >>> found = verify("tutorial/cnn")
    >>> found.holds, found.failures
    (True, ())
    """
    return Verifier(budget).verify(opened(spec, variant, input, variables))
