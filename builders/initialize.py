"""`archspec.initialize`: the weights of a network drawn anew by a scheme."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from itertools import groupby
from math import isfinite, prod, sqrt

import torch
from torch import Tensor, nn

from archspec.errors import ArchspecError, did_you_mean
from archspec.layers import Family, Role, Weight
from archspec.nodes import Node
from archspec.spec import Spec
from archspec.tensors import SHORT, given
from builders.build import spec_of
from builders.files import numbers
from builders.initialization.draw import draw, generator, number, start
from builders.initialization.following import following
from builders.initialization.lsuv import scale
from builders.initialization.schemes import Scheme, parse_scheme
from builders.modules import module
from builders.network import Network
from builders.run import seeded
from builders.submodules import layer_modules
from builders.tensors import give_weights

__all__ = ["Drawn", "Scheme", "initialize", "parse_scheme"]
KEPT = "spec"  # in place of a scheme: the spec gives the weight


def finite(value: object) -> object:
    """A value for JSON, which has no infinity: as text."""
    return str(value) if isinstance(value, float) and not isfinite(value) else value


@dataclass(frozen=True)
class Drawn:
    """One weight: its shape, role and fans as its layer declares them, and how it was drawn.

    `scheme` is "spec" where the spec gives it, and a number where all of it has that value. `activation` is the one
    that it leads to. `asked` and `drawn` are standard deviations about the mean that was asked for; nothing is asked
    where torch or LSUV decides. `variance` is that of the layer's output under LSUV.
    """

    name: str
    shape: tuple[int, ...]
    role: Role
    fan_in: int
    fan_out: int
    scheme: str
    activation: str | None = None
    gain: float | None = None
    asked: float | None = None
    drawn: float = 0.0
    variance: float | None = None

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {name: finite(value) for name, value in asdict(self).items()}


@dataclass(frozen=True)
class Held:
    """A weight of a network: its name, what its layer says of it, and where it lies."""

    name: str
    short: str
    weight: Weight
    node: Node
    module: nn.Module
    tensor: Tensor
    given: bool


def initialize(
    model: Network,
    scheme: str | Scheme = "he-normal",
    seed: int = 0,
    overrides: Mapping[str, str] | None = None,
    *,
    batch: Tensor | Sequence[Tensor] | None = None,
) -> tuple[Drawn, ...]:
    """Draw the weights of a network anew, in place, and tell of each how; raises ArchspecError.

    Kernels are drawn by the scheme (docs/initialization.md), biases become 0, scales 1, running statistics those of an
    untrained network. `overrides` maps patterns of names to other schemes, of several that fit the last one counts:
    {"head.*": "normal(0.01)"}. Weights that the spec gives keep its numbers. A draw depends on the weight's name, shape
    and the seed alone. LSUV needs a `batch` of inputs (N, C, H, W), or of several inputs a list.

    >>> from builders.build import build
    >>> model = build("tutorial/cnn")
    >>> first = initialize(model, "he-normal", seed=1)[0]
    >>> first.name, first.fan_in, round(first.asked, 4)
    ('conv1.weight', 9, 0.4714)
    """
    chosen, origin = parse_scheme(scheme), seeded(seed)
    numbers(model)
    spec = spec_of(model)
    weights = list(held(model, spec))
    schemes = _schemes(weights, chosen, overrides or {})
    inputs = [batch] if isinstance(batch, Tensor) else list(batch or ())
    if "lsuv" in {one.name for one in schemes.values()} and not inputs:
        raise ArchspecError("no-batch", "LSUV scales weights by a batch of inputs, and none is given", hint="batch=...")
    with torch.no_grad():
        rows = [row for _, layer in groupby(weights, _place) for row in _draw([*layer], schemes, spec, origin)]
        give_weights(model, spec)
        scaled = _scaled(model, weights, schemes, inputs, origin)
    return tuple(
        replace(row, drawn=_spread(one), variance=scaled.get(one.name)) for row, one in zip(rows, weights, strict=True)
    )


def held(model: Network, spec: Spec) -> Iterator[Held]:
    """The weights that layers declare, each once, in the order of the network."""
    modules, tensors = layer_modules(model), [*model.named_parameters(), *model.named_buffers()]
    names = {id(tensor): name for name, tensor in tensors}
    kept = {
        id(modules[node.index].get_parameter(SHORT.get(field, field)))
        for node in spec.layers
        for field in (given(node.layer) if node.index in modules else ())
    }
    seen = set[int]()
    for node in spec.layers:
        part = modules.get(node.index)
        for short, weight in node.facts.weights.items() if part else ():
            assert part is not None
            tensor = part.get_parameter(short) if weight.trainable else part.get_buffer(short)
            if id(tensor) not in seen:
                seen.add(id(tensor))
                yield Held(names[id(tensor)], short, weight, node, part, tensor, id(tensor) in kept)


def _schemes(weights: Iterable[Held], chosen: Scheme, overrides: Mapping[str, str]) -> dict[str, Scheme]:
    """The scheme of each kernel; raises ArchspecError for a pattern that fits none."""
    found = {one.name: chosen for one in weights if one.weight.role is Role.KERNEL}
    for pattern, text in overrides.items():
        scheme = parse_scheme(text)
        fitting = [name for name in found if fnmatchcase(name, pattern)]
        if not fitting:
            some = ", ".join([*found][:3]) + (", ..." if len(found) > 3 else "")
            hint = did_you_mean(pattern, found) or f"kernels are called {some}"
            raise ArchspecError("unmatched-pattern", f"no kernel has a name like `{pattern}`", hint=hint)
        found |= dict.fromkeys(fitting, scheme)
    return found


def _place(one: Held) -> int:
    return one.node.index


def _draw(layer: Sequence[Held], schemes: Mapping[str, Scheme], spec: Spec, seed: int) -> Iterator[Drawn]:
    """Fill the weights of one layer; torch draws, as it makes the layer, what no other scheme is for."""
    named = {one.name: schemes[one.name] for one in layer if one.name in schemes}
    torchs = next((name for name, scheme in named.items() if scheme.name == "torch"), None)
    made = _made(layer[0].node, torchs, seed) if torchs else None
    reset = getattr(layer[0].module, "reset_running_stats", None)
    if reset is not None:
        reset()  # the number of batches seen, too
    after = following(spec.layers, layer[0].node) if named else None
    for one in layer:
        row = Drawn(one.name, one.weight.shape, one.weight.role, one.weight.fan_in, one.weight.fan_out, KEPT)
        if one.given:
            yield row
        elif one.name in named and named[one.name].name != "torch":
            yield _drawn(one, row, named[one.name], after, seed)
        elif made is not None:
            one.tensor.copy_(made.get_parameter(one.short) if one.weight.trainable else made.get_buffer(one.short))
            yield replace(row, scheme="torch", asked=_asked_by_torch(layer))
        else:
            one.tensor.fill_(start(one.weight))
            yield replace(row, scheme=f"{start(one.weight):g}", asked=0.0)


def _drawn(one: Held, row: Drawn, scheme: Scheme, after: Node | None, seed: int) -> Drawn:
    """Draw a kernel from its own generator."""
    gain = after.layer.gain if after else 1.0
    one.tensor.copy_(draw(one.weight, scheme, gain, generator(one.name, seed)))
    asked, used = scheme.deviation(one.weight, gain), scheme.gain(gain)
    return replace(row, scheme=str(scheme), activation=after.layer.kind if after else None, gain=used, asked=asked)


def _made(node: Node, kernel: str, seed: int) -> nn.Module:
    """A layer's module as its builder makes it, weights drawn by torch."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(number(kernel, seed))
        made = module(node.layer, *node.input_shapes)
    assert isinstance(made, nn.Module)  # it holds weights
    return made


def _asked_by_torch(layer: Sequence[Held]) -> float | None:
    """torch draws kernels and biases from U(-b, b), b = 1 / sqrt(n), n the elements of one row of the kernel."""
    kernel = next(one for one in layer if one.weight.role is Role.KERNEL)
    if kernel.node.layer.family not in (Family.CONVOLUTION, Family.LINEAR):
        return None
    return 1 / sqrt(3 * prod(kernel.weight.shape[1:]))


def _spread(one: Held) -> float:
    """The standard deviation about the mean that was asked for: 0, or where nothing is drawn the value itself."""
    mean = 0.0 if one.weight.role is Role.KERNEL else start(one.weight)
    return float(torch.linalg.vector_norm(one.tensor.detach() - mean, dtype=torch.float64)) / sqrt(one.tensor.numel())


def _scaled(
    model: Network, weights: Sequence[Held], schemes: Mapping[str, Scheme], inputs: Sequence[Tensor], seed: int
) -> dict[str, float]:
    """Scale the kernels that LSUV is for; the variance of the output of each."""
    wanted = [one for one in weights if one.name in schemes and schemes[one.name].name == "lsuv" and not one.given]
    if not wanted:
        return {}
    parts = {one.module: [other.tensor for other in wanted if other.module is one.module] for one in wanted}
    found = scale(model, parts, inputs, seed)
    for one in weights:
        if not one.weight.trainable:
            one.tensor.fill_(start(one.weight))
        reset = getattr(one.module, "reset_running_stats", None)
        if reset is not None:
            reset()
    return {one.name: found[one.module] for one in wanted if one.module in found}
