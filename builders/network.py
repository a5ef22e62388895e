"""What a network is in torch: one torch.fx.GraphModule that knows where in the spec each of its values comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, fx

from archspec.choices import Choices
from archspec.errors import ArchspecError, Source, Span, Trace
from archspec.layers import Shape

OURS = ("origins", "source", "choices")  # attributes that torch does not copy


class NetworkError(ArchspecError, RuntimeError):
    """A layer failed at run time; the error stands where the spec has the layer."""


@dataclass(frozen=True)
class Origin:
    """Where a value of the module comes from: the layer's number and text, the shapes it expects, its place."""

    index: int
    layer: str
    inputs: tuple[Shape, ...]
    span: Span
    trace: Trace | None


class Network(fx.GraphModule):
    """A network built from a spec.

    It takes the spec's inputs in their order, tensors (N, C, H, W), or (N, L) of token ids, and gives the output: a
    tensor, or where there are several outputs or training outputs a dict by name, in which training outputs are None
    in evaluation mode. `origins` tells for every value of its code the layer that it comes from.
    """

    origins: Mapping[str, Origin]
    source: Source
    choices: Choices

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if torch.compiler.is_compiling():
            return super().__call__(*args, **kwargs)
        try:
            return super().__call__(*args, **kwargs)
        except ArchspecError:
            raise
        except Exception as error:
            raise self._explained(error) from error

    def _explained(self, error: Exception) -> Exception:
        """The error at the layer that failed; the error itself where none did."""
        found = _failing(error.__traceback__, type(self).forward.__code__.co_filename)
        if found is None:
            return error
        line, values = found
        node = _node_at(self, line)
        origin = self.origins.get(node.name) if node else None
        if node is None or origin is None:
            return error
        given = [_described(values.get(read.name)) for read in node.all_input_nodes]
        wanted = " and ".join(map(str, origin.inputs)) or "nothing"
        message = f"{origin.layer} cannot read {' and '.join(given)}: {_first_line(error)}"
        hint = f"the spec gives it {wanted}; torch puts the batch first and channels before the spatial sizes"
        failure = NetworkError("run-time", message, hint=hint)
        failure.diagnostics = failure.at(origin.span, trace=origin.trace).diagnostics
        return failure

    def __deepcopy__(self, memo: dict[int, Any]) -> Network:
        copied = super().__deepcopy__(memo)
        assert isinstance(copied, Network)
        copied.__dict__.update(self._ours())
        return copied

    def _ours(self) -> dict[str, object]:
        """What torch's own copies leave out."""
        return {name: self.__dict__[name] for name in OURS if name in self.__dict__}

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (super().__reduce__(), [node.name for node in self.graph.nodes])


def _restored(reduced: tuple[Callable[..., fx.GraphModule], tuple[Any, ...]], names: Sequence[str]) -> Network:
    """A pickled network: torch traces its code again; the names of its values and what else is ours come back."""
    restore, arguments = reduced
    plain = restore(*arguments)
    for node, name in zip(plain.graph.nodes, names, strict=True):
        node._rename(name)
    found = Network(plain, plain.graph, class_name="Network")
    found.__dict__.update({name: plain.__dict__[name] for name in OURS if name in plain.__dict__})
    return found


def _failing(traceback: TracebackType | None, file: str) -> tuple[int, Mapping[str, Any]] | None:
    """The line of the generated code that failed, and the values that it had at hand."""
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == file:
            return traceback.tb_lineno, traceback.tb_frame.f_locals
        traceback = traceback.tb_next
    return None


def _node_at(network: Network, line: int) -> fx.Node | None:
    """The node that a line of the generated code computes: the one whose name it assigns."""
    lines = network.code.splitlines()
    target = lines[line - 1].split("=")[0].split(":")[0].strip() if 0 < line <= len(lines) else ""
    return next((node for node in network.graph.nodes if node.name == target), None)


def _described(value: object) -> str:
    """A tensor by its shape and dtype; anything else by its type."""
    if not isinstance(value, Tensor):
        return type(value).__name__
    sizes = " x ".join(map(str, value.shape))
    return f"a tensor of {sizes or 'no axes'} ({str(value.dtype).removeprefix('torch.')}, {value.device})"


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0] or type(error).__name__
