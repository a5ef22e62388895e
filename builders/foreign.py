"""`archspec.load_weights`: weights from elsewhere put into a network, and its outputs held against theirs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from archspec.errors import ArchspecError
from builders.build import spec_of
from builders.files import numbers, sizes
from builders.matching import NAME, match
from builders.network import Network
from builders.proofs.walk import examples
from builders.run import seeded
from builders.sources import own, read

# how far outputs may differ, as a part of their largest magnitude
TOLERANCES = {torch.float64: 1e-10, torch.float32: 1e-5, torch.float16: 1e-2, torch.bfloat16: 5e-2}
TELLING = 10  # tolerances by which the outputs of two examples differ, where comparing them shows anything


@dataclass(frozen=True)
class Pair:
    """A weight of the network, the tensor that it took, and what matched them: `name` or `order`."""

    ours: str
    theirs: str
    how: str


@dataclass(frozen=True)
class Loaded:
    """What was loaded. `difference` is the largest one between outputs, as a part of their largest magnitude.

    `compared` says that outputs were compared and that they depend on the input, so that agreement means something.
    """

    pairs: tuple[Pair, ...]
    ignored: tuple[str, ...]
    compared: bool
    difference: float | None

    def __str__(self) -> str:
        named = sum(pair.how == NAME for pair in self.pairs)
        counts = f"{named} by name, {len(self.pairs) - named} by role and shape in order; {len(self.ignored)} ignored"
        if self.compared:
            verdict = f"the outputs agree with the reference's, the largest difference is {self.difference:.1e} of them"
        elif self.difference is not None:
            verdict = (
                "NOT verified: the outputs agree with the reference's, and hardly depend on the input; give inputs="
            )
        else:
            verdict = (
                "NOT verified: no outputs were compared, and equal shapes that are used in another order than they are "
                "listed go unnoticed; give the module that the weights come from as reference="
            )
        return f"{len(self.pairs)} tensors put in place: {counts}\n{verdict}"


def load_weights(
    model: Network,
    source: nn.Module | Mapping[str, Tensor],
    *,
    order: Sequence[str] = (),
    rename: Mapping[str, str] | None = None,
    ignore: Sequence[str] = (),
    reference: nn.Module | None = None,
    inputs: Tensor | Sequence[Tensor] | None = None,
    seed: int = 0,
) -> Loaded:
    """Put the weights of a torch module, or of tensors by name, into a network; all of them, or none and ArchspecError.

    Equal names with equal shapes go together; the rest goes by role (kernel, bias, scale, running mean, ...) and shape
    without unit axes, the first with the first, ours in the order in which layers run. Where a source lists its parts
    in another order, `order` names children of one parent in the order of their use. `rename` maps names, or regular
    expressions, to what the source's names shall be; names that match one of `ignore` are left out, and so is
    `num_batches_tracked`.

    Shapes cannot tell whether equal ones are interchanged, so the outputs are compared, in evaluation mode on two
    random examples (or on `inputs`), with those of `reference`, or of the source where that is a module.

    >>> from archspec import build, parse
    >>> torch.manual_seed(0).seed() and None
    >>> model = build(parse("{name: a, input: 8x8x3, layers: [CONV3-4, RELU, GAP, FLATTEN, FC-2]}"))
    >>> theirs = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    >>> theirs.append(nn.Linear(4, 2)) and None
    >>> load_weights(model, theirs).pairs[0]
    Pair(ours='conv1.weight', theirs='0.weight', how='order')
    """
    numbers(model)
    _check_reference(reference)
    spec = spec_of(model)
    theirs, names, ignored = read(source, order, {} if rename is None else rename, ignore)
    ours = own(model, spec)
    fixed = {held.name for held, name in zip(theirs, names, strict=True) if held.name != name}
    matches = match(ours, theirs, fixed)
    old = dict(zip((held.name for held in theirs), names, strict=True))
    state = {pair.ours.name: _fitted(pair.theirs.tensor, pair.ours.tensor) for pair in matches}
    reference = source if reference is None and isinstance(source, nn.Module) else reference
    compared, difference = False, None
    if reference is not None:
        given = examples(spec.layers, batch=2, seed=seeded(seed)) if inputs is None else inputs
        given = (given,) if isinstance(given, Tensor) else given
        compared, difference = _compared(model, state, reference, given)
    with torch.no_grad():
        for pair in matches:
            pair.ours.tensor.copy_(state[pair.ours.name])
    pairs = tuple(Pair(pair.ours.name, old[pair.theirs.name], pair.how) for pair in matches)
    return Loaded(pairs, tuple(ignored), compared, difference)


def _check_reference(reference: object) -> None:
    """Raise ArchspecError unless it is a module, or None."""
    if reference is not None and not isinstance(reference, nn.Module):
        message = f"a reference is a torch module, and here is {type(reference).__name__}"
        raise ArchspecError("reference", message, hint="the module that the weights come from; or leave it out")


def _fitted(given: Tensor, wanted: Tensor) -> Tensor:
    """A tensor with the shape, dtype and device of another."""
    return given.detach().to(wanted).reshape(wanted.shape)


def _compared(
    model: Network, state: Mapping[str, Tensor], reference: nn.Module, inputs: Sequence[Tensor]
) -> tuple[bool, float]:
    """Whether the outputs with these weights tell examples apart, and how far they are from those of the reference.

    Raises ArchspecError where that is further than rounding explains.
    """
    with _evaluated(model, reference), torch.no_grad():
        ours = functional_call(model, dict(state), _like(model, inputs))
        try:
            theirs = reference(*_like(reference, inputs))
        except Exception as error:
            message = f"the reference cannot read the network's inputs: {type(error).__name__}: {error}"
            hint = "give inputs= that both can read"
            raise ArchspecError("reference", message, hint=hint) from None
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping) and ours.keys() == theirs.keys():
        theirs = {name: theirs[name] for name in ours}
    got, want = _tensors(ours), _tensors(theirs)
    shapes = [[sizes(tensor.shape) for tensor in each] for each in (got, want)]
    if shapes[0] != shapes[1]:
        message = f"the outputs are {' and '.join(shapes[0])}, those of the reference {' and '.join(shapes[1])}"
        raise ArchspecError("weights-differ", message, hint="the reference is another network")
    tolerance = max(TOLERANCES.get(tensor.dtype, 0.0) for tensor in (*got, *want))
    pairs = [(one.to("cpu", torch.float64), two.to("cpu", torch.float64)) for one, two in zip(got, want, strict=True)]
    difference = max(_relative(one - two, two) for one, two in pairs)
    if not difference <= tolerance:  # and where it is not a number
        message = f"the outputs differ from the reference's by {difference:.1e} of their size, more than rounding"
        hint = "order= names children in the order of their use where the source lists them in another"
        raise ArchspecError("weights-differ", message, hint=hint)
    spread = max(_relative(two - two[:1], two) for _, two in pairs)
    return spread > TELLING * tolerance, difference


def _relative(part: Tensor, whole: Tensor) -> float:
    """The largest magnitude of one tensor over that of another."""
    largest = part.abs().max().item() if part.numel() else 0.0
    return largest and float(largest / whole.abs().max().clamp(min=torch.finfo(torch.float64).tiny))


def _tensors(result: Any) -> list[Tensor]:
    """The tensors of a module's result in their order; None is left out."""
    found, pending = [], [result]
    while pending:
        value = pending.pop()
        if isinstance(value, Tensor):
            found.append(value)
        elif isinstance(value, Mapping):
            pending += reversed(list(value.values()))
        elif isinstance(value, (list, tuple)):
            pending += reversed(value)
    return found


def _like(module: nn.Module, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Inputs on the device and of the dtype of a module; token ids stay whole numbers."""
    own = next((tensor for tensor in module.parameters() if tensor.is_floating_point()), torch.empty(0))
    return tuple(value.to(own if value.is_floating_point() else own.device) for value in inputs)


@contextmanager
def _evaluated(*modules: nn.Module) -> Iterator[None]:
    """Modules in evaluation mode; afterwards each of their parts is in the mode that it was in."""
    modes = [(part, part.training) for module in modules for part in module.modules()]
    for module in modules:
        module.eval()
    try:
        yield
    finally:
        for part, training in modes:
            part.training = training
