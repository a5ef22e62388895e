"""What a network is in torch: one torch.fx.GraphModule that knows where in the spec each of its values comes from."""

from __future__ import annotations

import copy
import inspect
import pydoc
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NamedTuple

import torch
from torch import Tensor, fx, nn
from torch.fx.node import _get_qualified_name as qualified_name
from torch.fx.node import map_aggregate

from archspec.choices import Choices
from archspec.errors import ArchspecError, Source, Span, Trace
from archspec.layers import Shape

OURS = ("origins", "arguments", "source", "choices")  # never changed, so that copies share them
# What torch raises for wrong tensors. Anything else, such as a signal that a hook sends its caller, passes untouched.
FAULTS = (RuntimeError, TypeError, ValueError, LookupError, AttributeError, AssertionError)
PASSED_ON = (ArchspecError, torch.OutOfMemoryError)


class NetworkError(ArchspecError, RuntimeError):
    """A layer failed at run time, and the error stands where the spec has the layer; or the arguments were wrong."""


@dataclass(frozen=True)
class Origin:
    """Where a value of the module comes from: the layer with its number, the shapes it expects, its place."""

    index: int
    layer: str
    inputs: tuple[Shape, ...]
    span: Span
    trace: Trace | None


class Network(fx.GraphModule):
    """A network built from a spec.

    It takes the spec's inputs, by place or by name: tensors (N, C, H, W), or (N, L) of token ids. It gives the output,
    a tensor; where there are several outputs or training outputs a dict by name, in which training outputs are None in
    evaluation mode. `code` is what it runs, `origins` tells for each value in it the layer that it comes from, and
    `arguments` the shape of each input. A layer that fails raises NetworkError.
    """

    origins: Mapping[str, Origin]
    arguments: Mapping[str, Shape]
    source: Source
    choices: Choices

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if torch.compiler.is_compiling():
            return super().__call__(*args, **kwargs)
        try:
            return super().__call__(*args, **kwargs)
        except PASSED_ON:
            raise
        except FAULTS as error:
            explained = self._misused(args, kwargs) or self._failed(error)
            if explained is None:
                raise
            raise explained from error

    def _misused(self, args: Sequence[object], kwargs: Mapping[str, object]) -> NetworkError | None:
        """What is wrong where the arguments are too many, too few or of other names."""
        try:
            inspect.signature(self.forward).bind(*args, **kwargs)
        except TypeError as error:
            inputs = " and ".join(f"{name} {_layout(shape)}" for name, shape in self.arguments.items())
            hint = "give every input once, in this order or by name"
            return NetworkError("network-inputs", f"{error}; the network takes {inputs}", hint=hint)
        return None

    def _failed(self, error: Exception) -> NetworkError | None:
        """The error at the layer that failed; None where none did."""
        found = _failing(error.__traceback__, type(self).forward.__code__.co_filename)
        node = _node_at(self, found[0]) if found else None
        origin = self.origins.get(node.name) if node else None
        if found is None or node is None or origin is None:
            return None
        given = [_described(found[1].get(read.name)) for read in node.all_input_nodes]
        message = f"{origin.layer} cannot read {' and '.join(given)}: {_first_line(error)}"
        wanted = " and ".join(_layout(shape) for shape in origin.inputs)
        failure = NetworkError("run-time", message, origin.span, f"for the spec's input it would read {wanted}")
        failure.diagnostics = failure.at(None, trace=origin.trace).diagnostics
        return failure

    def __str__(self) -> str:
        """The tree of submodules; `code` is what runs them."""
        return repr(self)

    def recompile(self) -> fx.graph.PythonCode:
        """Write `code` anew after a change of the graph."""
        python = super().recompile()
        del type(self).__call__  # torch's wrapper prints every failure, and cuts its traceback off
        return python

    def __copy__(self) -> Network:
        copied = _empty(copy.deepcopy(self.graph))
        copied.__dict__.update(self._state())
        return copied

    def __deepcopy__(self, memo: dict[int, Any]) -> Network:
        memo[id(self)] = copied = _empty(copy.deepcopy(self.graph))
        memo |= {id(value): value for name in OURS if (value := self.__dict__.get(name)) is not None}
        copied.__dict__.update(copy.deepcopy(self._state(), memo))
        return copied

    def __reduce__(self) -> tuple[Any, ...]:
        """The graph and the state; torch would pickle the code, and trace it again with other arguments."""
        return _unpickled, ([_Row.of(node) for node in self.graph.nodes],), self._state()

    def _state(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_graph"}


@dataclass(frozen=True)
class _Value:
    """Stands for a value in pickled arguments."""

    name: str


def _value(node: fx.Node) -> Any:
    return _Value(node.name)


class _Row(NamedTuple):
    """A node of the graph as pickles hold it: functions by name, and so the values that it reads."""

    name: str
    operation: str
    target: str
    arguments: Any

    @classmethod
    def of(cls, node: fx.Node) -> _Row:
        target = node.target if isinstance(node.target, str) else qualified_name(node.target)
        return cls(node.name, node.op, target, fx.map_arg((node.args, node.kwargs), _value))


def _unpickled(rows: Iterable[_Row]) -> Network:
    """A network with the graph of these rows; pickle puts its state in."""
    graph, values = fx.Graph(), dict[str, fx.Node]()

    def read(one: Any) -> Any:
        return values[one.name] if isinstance(one, _Value) else one

    for row in rows:
        target = _located(row.target) if row.operation == "call_function" else row.target
        args, kwargs = map_aggregate(row.arguments, read)
        values[row.name] = graph.create_node(row.operation, target, args, kwargs, name=row.name)
    return _empty(graph)


def _located(function: str) -> Any:
    """The function of this dotted name."""
    found: Any = pydoc.locate(function)
    if found is None:
        raise ImportError(f"the network calls {function}, which cannot be imported")
    return found


def _empty(graph: fx.Graph) -> Network:
    """A network that runs this graph, its submodules still to come."""
    network = Network.__new__(Network)
    nn.Module.__init__(network)
    type(network).__name__ = "Network"
    network.graph = graph
    return network


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
    target = lines[line - 1].split("=")[0].strip() if 0 < line <= len(lines) else ""
    return next((node for node in network.graph.nodes if node.name == target), None)


def _described(value: object) -> str:
    """A tensor by its shape, dtype and device; anything else by its type."""
    if isinstance(value, torch.Size):
        return f"the size {_sizes(value)}"
    if not isinstance(value, Tensor):
        return f"a value of type {type(value).__name__}"
    return f"a tensor {_sizes(value.shape)} of {str(value.dtype).removeprefix('torch.')} on {value.device}"


def _layout(shape: Shape) -> str:
    """A shape in torch's order: (N, C, H, W)."""
    channels = () if shape.channels is None else (shape.channels,)
    return _sizes(("N", *channels, *shape.spatial))


def _sizes(sizes: Iterable[object]) -> str:
    return f"({', '.join(map(str, sizes))})"


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0] or type(error).__name__
