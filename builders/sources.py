"""Tensors by name, of a network and of elsewhere, with their roles and in an order: what `matching` pairs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from archspec.errors import ArchspecError, did_you_mean
from archspec.layers import Role
from archspec.nodes import Node
from archspec.spec import Spec
from builders.files import identity, sizes
from builders.network import Network
from builders.submodules import layer_modules

COUNTERS = r"num_batches_tracked$"  # torch counts batches there, and computes nothing with them unless momentum is None
SUFFIXES = {
    r"(running|moving)_mean$": Role.RUNNING_MEAN,
    r"(running|moving)_var(iance)?$": Role.RUNNING_VARIANCE,
    r"(^|_)(bias|beta)(_|$)": Role.BIAS,
}


@dataclass(frozen=True, eq=False)
class Held:
    """One tensor: its name, what it does, and where it comes from (a layer of the spec, or elsewhere)."""

    name: str
    role: Role
    tensor: Tensor
    node: Node | None = None

    @property
    def bare(self) -> tuple[int, ...]:
        """The shape without unit axes, by which a 1x1 convolution is a matrix."""
        return tuple(size for size in self.tensor.shape if size != 1)

    @property
    def described(self) -> str:
        return f"{self.name} ({self.role}, {sizes(self.tensor.shape)})"


def own(network: Network, spec: Spec) -> list[Held]:
    """The weights of a network, each once, in the order in which its layers run."""
    state, nodes = network.state_dict(keep_vars=True), list(spec)
    names = {id(tensor): name for name, tensor in reversed(state.items())}
    found: dict[int, Held] = {}
    for index, part in layer_modules(network).items():
        tensors = part.state_dict(keep_vars=True)
        for name, weight in nodes[index].facts.weights.items():
            role = Role.SCALE if weight.role is Role.SLOPE else weight.role  # a name does not tell them apart
            key = id(tensors[name])
            found.setdefault(key, Held(names[key], role, tensors[name].detach(), nodes[index]))
    return list(found.values())


def read(
    source: nn.Module | Mapping[str, Tensor], order: Sequence[str], rename: Mapping[str, str], ignore: Iterable[str]
) -> tuple[list[Held], list[str], list[str]]:
    """The tensors of a source by their new names and in order, each once; the names that they had; what is ignored."""
    _check_options(order, rename, ignore)
    state = _checked(source.state_dict() if isinstance(source, nn.Module) else source)
    patterns = [_compiled("ignore", pattern) for pattern in (COUNTERS, *ignore)]
    kept: dict[object, Held] = {}
    for name, tensor in state.items():
        if not any(pattern.search(name) for pattern in patterns):
            kept.setdefault(identity(name, tensor), Held(name, role(name, tensor), tensor))
    names = [held.name for held in kept.values()]
    new = _renamed(names, rename)
    held = {each.name: replace(each, name=new[each.name]) for each in kept.values()}
    ordered = _ordered(names, order) if order else names
    ignored = [name for name in state if any(pattern.search(name) for pattern in patterns)]
    return [held[name] for name in ordered], ordered, ignored


def role(name: str, tensor: Tensor) -> Role:
    """What a tensor does, by the end of its name and its axes.

    >>> role("conv1.weight", torch.zeros(8, 3, 3, 3)), role("bn1.weight", torch.zeros(8))
    (<Role.KERNEL: 'kernel'>, <Role.SCALE: 'scale'>)
    """
    last, axes = name.rpartition(".")[2], sum(size != 1 for size in tensor.shape)
    named = next((found for pattern, found in SUFFIXES.items() if re.search(pattern, last)), None)
    if named is not None and axes < 2:
        return named
    kernel = tensor.ndim > 1 if last.startswith("weight") else axes > 1
    return Role.KERNEL if kernel else Role.SCALE


def _checked(source: object) -> dict[str, Tensor]:
    """A mapping of names to dense tensors with numbers; raises ArchspecError for anything else."""
    if not isinstance(source, Mapping):
        message = f"weights come from a module or a mapping of names to tensors, and here is {type(source).__name__}"
        raise ArchspecError("not-weights", message, hint="a file is read by safetensors.torch.load_file first")
    for name, tensor in source.items():
        if not isinstance(name, str) or not isinstance(tensor, Tensor) or tensor.layout is not torch.strided:
            message = f"weights are dense tensors by name, and {str(name)!r} is {type(tensor).__name__}"
            hint = f"give source[{name!r}]" if isinstance(tensor, Mapping) else "leave it out"
            raise ArchspecError("not-weights", message, hint=hint)
        if tensor.is_meta:
            message = f"{name} is on the device meta, where weights have no numbers"
            raise ArchspecError("on-meta", message, hint="load the weights on cpu")
    return dict(source)


def _check_options(order: object, rename: object, ignore: object) -> None:
    """Raise ArchspecError unless these are texts in lists, and in a mapping; one text would be read by its letters."""
    for option, value in (("order", order), ("ignore", ignore)):
        listed = value if isinstance(value, Sequence) and not isinstance(value, str) else [None]
        if not all(isinstance(name, str) for name in listed):
            message = f"{option}= is a list of names, and here is {value!r}"
            hint = f"{option}=[{value!r}]" if isinstance(value, str) else f'{option}=["conv1"]'
            raise ArchspecError("weights-name", message, hint=hint)
    if not isinstance(rename, Mapping) or not all(isinstance(name, str) for pair in rename.items() for name in pair):
        message = f"rename= maps names to new ones, and here is {rename!r}"
        raise ArchspecError("weights-name", message, hint='rename={"old.weight": "new.weight"}')


def _compiled(what: str, pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        message = f"`{pattern}` under {what}= is no regular expression: {error}"
        raise ArchspecError("weights-name", message, hint=f"the name as it stands: {re.escape(pattern)}") from None


def _renamed(names: list[str], rename: Mapping[str, str]) -> dict[str, str]:
    """Every name with its new one: a key that is a name stands for itself, any other is a regular expression."""
    new = {name: rename.get(name, name) for name in names}
    for key in (key for key in rename if key not in new):
        pattern = _compiled("rename", key)
        if not any(map(pattern.search, names)):
            hint = did_you_mean(key, names) or f"its names are like {', '.join(names[:3])}"
            raise ArchspecError("weights-name", f"nothing in the source is called `{key}`", hint=hint)
    for key, text in rename.items():
        for name in names if key not in new else ():
            new[name] = _substituted(key, text, new[name])
    seen: dict[str, str] = {}
    for name, found in new.items():
        if seen.setdefault(found, name) != name:
            message = f"rename= calls both {seen[found]} and {name} `{found}`"
            raise ArchspecError("weights-name", message, hint="every tensor needs a name of its own")
    return new


def _substituted(pattern: str, text: str, name: str) -> str:
    try:
        return re.sub(pattern, text, name)
    except (re.error, IndexError) as error:
        message = f"`{text}` cannot replace `{pattern}`: {error}"
        raise ArchspecError("weights-name", message, hint=r"groups are written \1, \2, ...") from None


def _ordered(names: list[str], order: Sequence[str]) -> list[str]:
    """Names in an order in which, below each parent, the children that `order` lists stand in its order.

    >>> _ordered(["a.norm.weight", "a.fc.weight", "a.attn.weight"], ["attn", "norm"])
    ['a.attn.weight', 'a.fc.weight', 'a.norm.weight']
    """
    wanted = {child: place for place, child in enumerate(order)}
    children: dict[str, dict[str, int]] = {}
    for name in names:
        for parent, child in _steps(name):
            siblings = children.setdefault(parent, {})
            siblings.setdefault(child, len(siblings))
    for siblings in children.values():
        listed = [child for child in siblings if child in wanted]
        places = sorted(siblings[child] for child in listed)
        siblings.update(zip(sorted(listed, key=wanted.__getitem__), places, strict=True))
    unknown = [child for child in order if not any(child in siblings for siblings in children.values())]
    if unknown:
        every = {child for siblings in children.values() for child in siblings}
        hint = did_you_mean(unknown[0], every)
        raise ArchspecError("weights-name", f"no part of the source is called `{unknown[0]}`", hint=hint)
    return sorted(names, key=lambda name: [children[parent][child] for parent, child in _steps(name)])


def _steps(name: str) -> Iterator[tuple[str, str]]:
    """Every parent with its child, along a dotted name."""
    parts = name.split(".")
    return ((".".join(parts[:depth]), part) for depth, part in enumerate(parts))
