"""Random networks as trees, and two ways to write one: with blocks, repeats, rows and variables, or flat.

The flat writer is the oracle of expansion: it knows nothing but substitution.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeAlias

import yaml

Env = Mapping[str, int | str]
Yaml: TypeAlias = "str | int | list[Yaml] | dict[str, Yaml]"
Body: TypeAlias = "tuple[Part, ...]"
HOLE = re.compile(r"\{(\w+)\}")
TEXTS = ("act",)  # the variables that hold text


@dataclass(frozen=True)
class Item:
    """One or several layers; `{F}` stands for the value of F."""

    text: str


@dataclass(frozen=True)
class Repeat:
    """Items, or one call, several times."""

    body: tuple[Item, ...] | Call
    times: str


@dataclass(frozen=True)
class Shared:
    """An item under a share tag."""

    item: Item
    tag: str


@dataclass(frozen=True)
class Block:
    """A block; a parameter is None where it has no default."""

    name: str
    parameters: Mapping[str, int | None]
    body: Body
    level: int


@dataclass(frozen=True)
class Call:
    """One use of a block, in the layer spelling or as a call."""

    block: Block
    arguments: Mapping[str, str]
    as_layer: bool


@dataclass(frozen=True)
class Each:
    """The body once per row."""

    columns: Mapping[str, tuple[int, ...] | str]
    body: Body
    as_table: bool


@dataclass(frozen=True)
class Above:
    """`name > least`."""

    name: str
    least: int

    def holds(self, env: Env) -> bool:
        return int(env[self.name]) > self.least

    def __str__(self) -> str:
        return f"{self.name} > {self.least}"


@dataclass(frozen=True)
class Choice:
    """One of two bodies; the second may be empty."""

    test: Above
    then: Body
    otherwise: Body


@dataclass(frozen=True)
class Merge:
    """Branches, one per row where they are an Each; `doubtful` adds an IDENTITY that a false test leaves out."""

    key: str
    branches: tuple[Body, ...] | Each
    doubtful: Above | None = None


@dataclass(frozen=True)
class Skip:
    """A body around which a named point is added."""

    label: str
    start: Item
    body: Body


@dataclass(frozen=True)
class Stages:
    """Named bodies in order."""

    stages: Mapping[str, Body]


Part: TypeAlias = Item | Repeat | Shared | Call | Each | Choice | Merge | Skip | Stages


@dataclass(frozen=True)
class Tree:
    """A whole network."""

    input: str
    variables: Mapping[str, int | str]
    blocks: tuple[Block, ...]
    layers: Body
    outputs: Mapping[str, list[str]] = field(default_factory=dict)
    flow: bool | None = None

    def structured(self) -> str:
        """The network as a person would write it."""
        blocks: dict[str, Yaml] = {_signature(block): _list(block.body) for block in self.blocks}
        named: dict[str, Yaml] = {"vars": dict(self.variables)}
        named |= {"blocks": blocks} if blocks else {}
        return self._dump(named, _list(self.layers))

    def flat(self) -> str:
        """The same network without any of blocks, repeats, rows, choices, stages and variables."""
        flattener = Flattener()
        return self._dump({}, flattener.body(self.layers, _values(self.variables), "0") or ["IDENTITY"])

    def _dump(self, named: dict[str, Yaml], layers: list[Yaml]) -> str:
        spec = {"name": "drawn", "input": {"image": self.input}, **named, "layers": layers, **self.outputs}
        return str(yaml.dump(spec, Dumper=_Plain, sort_keys=False, default_flow_style=self.flow, width=70))


class _Plain(yaml.SafeDumper):
    """Writes equal values twice instead of by alias."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


# -- as a person would write it ----------------------------------------------------------------------------------------


def _list(body: Body) -> list[Yaml]:
    return [value for part in body for value in _written(part)]


def _words(text: str) -> str:
    """A template with names: text variables and amounts bare, the rest in parentheses."""
    named = HOLE.sub(lambda hole: hole[1] if hole[1] in TEXTS else f"({hole[1]})", text)
    return named.replace("-(F)", "-F")


def _signature(block: Block) -> str:
    parts = [name if default is None else f"{name}={default}" for name, default in block.parameters.items()]
    return f"{block.name}({', '.join(parts)})" if parts else block.name


def _called(call: Call) -> str:
    arguments = {name: _words(value) for name, value in call.arguments.items()}
    if not call.as_layer:
        given = [f"{name}={value}" for name, value in arguments.items()]
        return f"{call.block.name}({', '.join(given)})" if given else call.block.name
    kernel, amount = arguments.pop("k", ""), arguments.pop("F", None)
    rest = [f" {name}={value}" for name, value in arguments.items()]
    return f"{call.block.name}{kernel}{'' if amount is None else f'-{amount}'}{''.join(rest)}"


def _rows(each: Each) -> dict[str, Yaml]:
    lists = [values for values in each.columns.values() if not isinstance(values, str)]
    columns: Yaml
    if each.as_table and len(lists) == len(each.columns):
        rows = (" ".join(map(str, row)) for row in zip(*lists, strict=True))
        columns = "\n".join([" | ".join(each.columns), "-----", *rows])
    else:
        columns = {n: HOLE.sub(r"\1", v) if isinstance(v, str) else list(v) for n, v in each.columns.items()}
    return {"each": columns, "layers": _list(each.body)}


def _written(part: Part) -> list[Yaml]:
    match part:
        case Item(text):
            return [_words(text)]
        case Shared(item, tag):
            return [f"{_words(item.text)} share {tag}"]
        case Call():
            return [_called(part)]
        case Repeat(Call() as call, times):
            return [f"{_called(call)} x{_words(times)}"]
        case Repeat(body, times):
            return [f"({', '.join(_words(item.text) for item in body)}) x{_words(times)}"]  # type: ignore[union-attr]
        case Each():
            return [_rows(part)]
        case Choice(test, then, otherwise):
            rest: dict[str, Yaml] = {"else": _list(otherwise)} if otherwise else {}
            return [{"if": str(test), "then": _list(then), **rest}]
        case Merge(key, Each() as each, _):
            return [{key: _rows(each)}]
        case Merge(key, branches, doubtful):
            extra: list[Yaml] = [f"IDENTITY if {doubtful} else NONE"] if doubtful else []
            return [{key: [*map(_list, branches), *extra]}]  # type: ignore[arg-type]
        case Skip(label, start, body):
            return [f"{_words(start.text)} as {label}", *_list(body), {"add": ["IDENTITY", f"from {label}"]}]
        case Stages(stages):
            return [{name: _list(body) for name, body in stages.items()}]


# -- flat --------------------------------------------------------------------------------------------------------------


def _values(variables: Mapping[str, int | str]) -> dict[str, int | str]:
    """The variables, where text such as `=b+1` is one more than b."""
    found = dict(variables)
    for name, value in variables.items():
        if isinstance(value, str) and value.startswith("="):
            found[name] = int(found[value[1:-2]]) + 1
    return found


def _filled(text: str, env: Env) -> str:
    return HOLE.sub(lambda hole: str(env[hole[1]]), text)


class Flattener:
    """Writes bodies out; every expansion of a point or share tag gets a name of its own."""

    def __init__(self) -> None:
        self.numbers: Iterator[int] = count(1)
        self.network: Env = {}

    def body(self, body: Body, env: Env, instance: str) -> list[Yaml]:
        if not self.network:
            self.network = env
        return [value for part in body for value in self.part(part, env, instance)]

    def rows(self, each: Each, env: Env, instance: str) -> list[list[Yaml]]:
        columns = {n: int(_filled(v, env)) if isinstance(v, str) else v for n, v in each.columns.items()}
        length = max((len(values) for values in columns.values() if not isinstance(values, int)), default=1)
        rows = [{n: v if isinstance(v, int) else v[row] for n, v in columns.items()} for row in range(length)]
        return [self.body(each.body, {**env, **row}, instance) for row in rows]

    def call(self, call: Call, env: Env) -> list[Yaml]:
        defaults = {name: value for name, value in call.block.parameters.items() if value is not None}
        given = {name: int(_filled(value, env)) for name, value in call.arguments.items()}
        return self.body(call.block.body, {**self.network, **defaults, **given}, str(next(self.numbers)))

    def part(self, part: Part, env: Env, instance: str) -> list[Yaml]:
        match part:
            case Item(text):
                return [_filled(text, env)]
            case Shared(item, tag):
                return [f"({_filled(item.text, env)}) share {tag}_{instance}"]
            case Call():
                return self.call(part, env)
            case Repeat(Call() as call, times):
                return [value for _ in range(int(_filled(times, env))) for value in self.call(call, env)]
            case Repeat(body, times):
                return self.body(body * int(_filled(times, env)), env, instance)  # type: ignore[operator, arg-type]
            case Each():
                return [value for row in self.rows(part, env, instance) for value in row]
            case Choice(test, then, otherwise):
                return self.body(then if test.holds(env) else otherwise, env, instance)
            case Merge(key, Each() as each, _):
                return [{key: [row or ["IDENTITY"] for row in self.rows(each, env, instance)]}]
            case Merge(key, branches, doubtful):
                ends = [self.body(branch, env, instance) or ["IDENTITY"] for branch in branches]  # type: ignore[union-attr]
                return [{key: [*ends, *([["IDENTITY"]] if doubtful and doubtful.holds(env) else [])]}]  # type: ignore[list-item]
            case Skip(label, start, body):
                label = f"{label}_{next(self.numbers)}"
                inner = self.body(body, env, instance)
                return [f"{_filled(start.text, env)} as {label}", *inner, {"add": ["IDENTITY", f"from {label}"]}]
            case Stages(stages):
                named = ((name, self.body(body, env, instance)) for name, body in stages.items())
                return [value for name, values in named for value in (*values, *self.point(name, instance))]

    def point(self, name: str, instance: str) -> list[Yaml]:
        """The end of a stage of the network, which the outputs may name."""
        return [f"IDENTITY as {name}"] if instance == "0" and name.startswith("stage") else []
