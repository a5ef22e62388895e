"""Arguments of a block, in either spelling: `conv(64, k=3)` and `conv3-64`."""

from __future__ import annotations

from archspec.declarations import Block
from archspec.errors import ArchspecError, did_you_mean
from archspec.expressions import Value, shown
from archspec.scope import Frame, Scope, Text
from archspec.syntax import Call, Operand, OptionWord, Place, Thing

Given = dict[str, Operand | bool]


def match_call(block: Block, call: Call) -> Given:
    """The arguments of a call by parameter; raises ArchspecError for missing, unknown and repeated ones."""
    given: Given = {}
    names = [parameter.name for parameter in block.parameters]
    for position, argument in enumerate(call.arguments):
        if argument.name is None and position >= len(names):
            most = f"{len(names)} argument{'s' if len(names) > 1 else ''}" if names else "no arguments"
            message = f"{block.name} takes {most}, and here is number {position + 1}"
            raise ArchspecError("argument", message, argument.place.span, f"write {signature(block)}")
        name = names[position] if argument.name is None else argument.name
        _give(block, given, name, argument.value, argument.place)
    return _complete(block, given, call.name)


def match_thing(block: Block, thing: Thing, kernel: Operand | None) -> Given:
    """The arguments in the layer spelling: the kernel is k, the amount the first parameter, options go by name."""
    given: Given = {}
    if kernel is not None:
        _give(block, given, "k", kernel, kernel.place)
    if thing.amount is not None:
        if not block.parameters:
            hint = f"define it as {block.name}(F), or leave the amount out"
            raise ArchspecError("argument", f"{block.name} takes no arguments", thing.amount.place.span, hint)
        _give(block, given, block.parameters[0].name, thing.amount, thing.amount.place)
    for option in thing.options:
        name, value = _option(block, option)
        _give(block, given, name, value, option.place)
    return _complete(block, given, thing.name)


def _option(block: Block, option: OptionWord) -> tuple[str, Operand | bool]:
    """A flag sets its parameter to yes, and no-flag to no; a parameter of exactly that name comes first."""
    names = {parameter.name for parameter in block.parameters}
    if option.value is not None:
        return option.key, option.value
    if option.key not in names and option.key.startswith("no") and option.key[2:] in names:
        return option.key[2:], False
    return option.key, True


def _give(block: Block, given: Given, name: str, value: Operand | bool, place: Place) -> None:
    names = [parameter.name for parameter in block.parameters]
    if name not in names:
        hint = did_you_mean(name, names) or f"write {signature(block)}"
        raise ArchspecError("unknown-parameter", f"{block.name} has no parameter `{name}`", place.span, hint)
    if name in given:
        raise ArchspecError("argument-twice", f"{name} is given twice", place.span, f"write {signature(block)}")
    given[name] = value


def signature(block: Block) -> str:
    """How a block is called: basic(F, s=1)."""
    parts = [p.name if p.default is None else f"{p.name}={p.default.place.text}" for p in block.parameters]
    return f"{block.name}({', '.join(parts)})" if parts else block.name


def _complete(block: Block, given: Given, place: Place) -> Given:
    missing = [p.name for p in block.parameters if p.name not in given and p.default is None]
    if missing:
        message = f"{block.name} lacks {' and '.join(missing)}"
        raise ArchspecError("argument-missing", message, place.span, f"write {signature(block)}")
    return given


def values(block: Block, given: Given, variables: Scope, frame: Frame) -> dict[str, Value]:
    """Arguments evaluated in the caller's frame, then defaults from left to right at the call point."""
    found = {name: _value(operand, frame) for name, operand in given.items()}
    for parameter in block.parameters:
        if parameter.default is not None and parameter.name not in found:
            found[parameter.name] = _value(parameter.default, frame.inner(Scope(found, variables)))
    return found


def _value(operand: Operand | bool, frame: Frame) -> Value:
    """The value of an argument; text that was computed is read in the scope of the call."""
    if isinstance(operand, bool):
        return operand
    return Text.computed(operand.evaluate(frame), operand.place, frame.scope)


def described(block: Block, given: Given, arguments: dict[str, Value]) -> str:
    """A call with the values it was given: bottleneck(64, s=2)."""
    first = block.parameters[0].name if block.parameters else None
    names = [parameter.name for parameter in block.parameters if parameter.name in given]
    parts = [shown(arguments[name]) if name == first else f"{name}={shown(arguments[name])}" for name in names]
    return f"{block.name}({', '.join(parts)})" if parts else block.name
