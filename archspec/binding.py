"""From an item to its layer: the words of an item are matched with a kind's template once, then evaluated where it
stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from archspec.errors import ArchspecError, Findings, did_you_mean
from archspec.expressions import described
from archspec.layers import Layer, Option, Takes, registry
from archspec.scope import Frame, Text
from archspec.syntax import Operand, OptionWord, Place, Thing


@dataclass(frozen=True, slots=True)
class Setting:
    """One field of a layer as an item sets it: a constant, or an operand to evaluate; `option` is None for kernel and
    amount."""

    field: str
    place: Place
    operand: Operand | None
    constant: object = None
    option: Option | None = None

    @property
    def fixed(self) -> bool:
        """Whether its value is the same wherever the item stands."""
        if self.operand is None:
            return True
        if self.option and (self.option.takes or self.operand.word in self.option.words):
            return not self.option.takes
        return self.operand.constant


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """An item matched with its kind: what it sets, in the item and by default."""

    kind: type[Layer]
    place: Place
    own: tuple[Setting, ...]
    default: tuple[Setting, ...]

    @property
    def fixed(self) -> bool:
        """Whether the layer is the same wherever the item stands."""
        return all(one.fixed for one in (*self.own, *self.default))

    @property
    def takes(self) -> set[Takes]:
        """How its options name points."""
        taken = {one.option.takes for one in (*self.own, *self.default) if one.option}
        return {takes for takes in taken if takes in (Takes.POINT, Takes.SIZE_OF)}

    def named(self, takes: Takes) -> list[Place]:
        """The names that options such as `like=` give."""
        settings = [one for one in (*self.own, *self.default) if one.operand and one.operand.word != "none"]
        return [one.operand.place for one in settings if one.operand and one.option and one.option.takes is takes]

    def setting(self, field: str | None) -> Place:
        """Where a field is set; the item's name where it is not."""
        return next((s.place for s in (*self.own, *self.default) if s.field == field), self.place)


def match(thing: Thing, kind: type[Layer], kernel: Operand | None, defaults: Iterable[Thing]) -> Plan:
    """Match an item with its kind; raises ArchspecError for everything in it that the kind does not know."""
    findings, own = Findings(), []
    notation = kind.notation
    for what, operand, field in (("kernel", kernel, notation.kernel), ("amount", thing.amount, notation.amount)):
        with findings:
            if operand is not None and field is None:
                raise _unwanted(kind, what, operand)
            if operand is None and field is not None and notation.required(field):
                raise _lacking(thing, kind, what)
            if operand is not None and field is not None:
                own.append(Setting(field, operand.place, operand))
    for word in thing.options:
        with findings:
            own.append(setting(word, kind, own))
    findings.raise_any()
    default = [setting(word, kind, ()) for given in defaults if given.word == notation.name for word in given.options]
    return Plan(kind, thing.name, tuple(own), tuple(default))


def _unwanted(kind: type[Layer], what: str, operand: Operand) -> ArchspecError:
    message = f"{kind.notation.name} takes no {what}, found {operand.place.text}"
    return ArchspecError(f"{what}-not-allowed", message, operand.place.span, f"write {kind.notation.form}")


def _lacking(thing: Thing, kind: type[Layer], what: str) -> ArchspecError:
    letter = "k" if what == "kernel" else "n"
    form, example = f"{kind.notation.form}, where {letter} is the {what}", kind.notation.example
    message = f"{thing.word} lacks its {what}"
    return ArchspecError(f"{what}-missing", message, thing.name.span, f"write {form}: {example}")


def setting(word: OptionWord, kind: type[Layer], before: Iterable[Setting]) -> Setting:
    """What one option sets; raises ArchspecError for an unknown or repeated one."""
    options = kind.notation.options
    option = options.get(word.key)
    negated = option is None and word.value is None and word.key.startswith("no")
    if negated:
        option = options.get(word.key[2:])
    if option is None or (negated and not option.boolean):
        raise _unknown_option(word, kind)
    if any(s.field == option.field for s in before):
        raise ArchspecError("option-twice", f"{option.key} is set twice", word.place.span, "keep one of them")
    if word.value is None:
        if not option.boolean:
            raise ArchspecError(
                "option-value", f"{option.key} needs a value", word.place.span, f"write {_example(option)}"
            )
        return Setting(option.field, word.place, None, not negated, option)
    return Setting(option.field, word.place, word.value, None, option)


def _example(option: Option) -> str:
    if option.words:
        return " or ".join(f"{option.key}={word}" for word in sorted(option.words))
    return f"{option.key}2" if option.style == "letter" else f"{option.key}=2"


def _unknown_option(word: OptionWord, kind: type[Layer]) -> ArchspecError:
    options = kind.notation.options
    flags = [option.key for option in options.values() if option.boolean]
    known = [*options, *(f"no{flag}" for flag in flags)]
    hint = did_you_mean(word.key, known)
    field = next((o for o in options.values() if did_you_mean(word.key, [o.field])), None) if hint is None else None
    if field is not None:
        hint = f"the {field.field} is written {_example(field)}"
    if hint is None and (word.key.upper() in registry):
        hint = f"if the layer {word.key.upper()} is meant, put a comma before it and write it in capitals"
    if hint is None:
        hint = f"its options are {', '.join(options)}" if options else f"{kind.notation.name} has no options"
    return ArchspecError("unknown-option", f"{kind.notation.name} has no option `{word.key}`", word.place.span, hint)


def fields_of(plan: Plan, frame: Frame, tensors: Mapping[str, object]) -> dict[str, object]:
    """The fields that an item and the defaults set, evaluated here; one that is none counts as absent.

    Defaults see the variables alone, wherever the item stands.
    """
    found: dict[str, object] = {}
    outside = frame.inner(frame.scope.outermost()) if plan.default else frame
    for settings, at in ((plan.own, frame), (plan.default, outside)):
        for one in settings:
            if one.field not in found:
                value = _evaluate(one, at, tensors)
                if value is not None:
                    found[one.field] = value
    return found


def _evaluate(one: Setting, frame: Frame, tensors: Mapping[str, object]) -> object:
    if one.operand is None:
        return one.constant
    option, word = one.option, one.operand.word
    if word == "none":
        return None
    if option and word in option.words:
        return word
    if option and option.words and word and word not in frame.scope.known():
        raise unknown_word(option, one.operand)
    if option and option.takes is Takes.TENSOR:
        return _tensor(one, frame, tensors)
    if option and option.takes:
        return word or one.operand.place.text
    value = one.operand.evaluate(frame)
    if isinstance(value, bool) != (option is not None and option.boolean) and value is not None:
        raise _wrong_value(one, value)
    if not _is_size(value):
        message = f"{one.option.key if one.option else one.field} cannot be {described(value)}"
        raise ArchspecError("option-value", message, one.place.span, "write a number, or sizes such as 1x7")
    return str(value) if isinstance(value, Text) else value


def _is_size(value: object) -> bool:
    """Whether a value is one that a field can hold: a number, a word, or sizes with numbers in them."""
    if isinstance(value, tuple):
        return all(_is_size(part) and not isinstance(part, str) for part in value)
    return value is None or isinstance(value, (bool, int, float, str))


def _wrong_value(one: Setting, value: object) -> ArchspecError:
    what = one.option.key if one.option else one.field
    if isinstance(value, bool):
        return ArchspecError(
            "option-value", f"{what} needs a number, found {'yes' if value else 'no'}", one.place.span, "write a number"
        )
    return ArchspecError(
        "option-value", f"{what} is yes or no, found {value}", one.place.span, f"write {what} or no{what}"
    )


def _tensor(one: Setting, frame: Frame, tensors: Mapping[str, object]) -> str:
    """The name of a tensor, or the name that a parameter holds."""
    assert one.operand is not None
    name = one.operand.word or one.operand.place.text
    if name not in tensors:
        held = one.operand.evaluate(frame) if one.operand.word and name in set(frame.scope.known()) else None
        if not isinstance(held, str) or held not in tensors:
            hint = did_you_mean(name, tensors) or "define it under `tensors:`"
            raise ArchspecError("unknown-tensor", f"there is no tensor `{name}`", one.operand.place.span, hint)
        name = str(held)
    return name


def create(plan: Plan, fields: dict[str, Any]) -> Layer:
    """The layer; raises ArchspecError where a value is out of its bounds or of the wrong kind."""
    missing = [name for name, info in plan.kind.model_fields.items() if info.is_required() and name not in fields]
    if missing:
        raise _unset(plan, missing[0])
    try:
        return plan.kind(**fields)
    except ValidationError as error:
        raise ArchspecError.of(
            d for problem in error.errors(include_url=False) for d in _problem(plan, problem).diagnostics
        ) from None


def _unset(plan: Plan, field: str) -> ArchspecError:
    """The error for a field that nothing sets: an option that is not written, or a value that is none."""
    notation, place = plan.kind.notation, plan.setting(field)
    option = next((option for option in notation.options.values() if option.field == field), None)
    if option is None:
        what = "kernel" if field == notation.kernel else "amount"
        message = f"the {what} of {notation.name} is none"
        return ArchspecError(f"{what}-missing", message, place.span, f"write {plan.kind.notation.form}")
    message = f"{notation.name} lacks its option {option.key}"
    return ArchspecError("option-missing", message, place.span, f"write {plan.kind.notation.form} {_example(option)}")


def _problem(plan: Plan, problem: Any) -> ArchspecError:
    """One of pydantic's findings in the notation's words."""
    field = str(problem["loc"][0]) if problem["loc"] else None
    one = next((s for s in (*plan.own, *plan.default) if s.field == field), None)
    what = one.option.key if one and one.option else field or plan.kind.notation.name
    bounds = problem.get("ctx", {})
    found = _shown(problem["input"])
    wanted = {
        "greater_than_equal": f"must be at least {bounds.get('ge')}",
        "less_than_equal": f"must be at most {bounds.get('le')}",
        "int_from_float": "must be a whole number",
        "int_type": "must be a whole number",
        "int_parsing": "must be a whole number",
        "float_type": "must be a number",
        "float_parsing": "must be a number",
        "literal_error": f"must be {bounds.get('expected')}",
        "value_error": str(bounds.get("error", "")),
    }.get(problem["type"], problem["msg"])
    code = "option-value" if one is None or one.option else "size"
    return ArchspecError(
        code, f"{what} {wanted}, found {found}", plan.setting(field).span, _remedy(one, bounds.get("ge"))
    )


def _remedy(one: Setting | None, least: object) -> str | None:
    if one and one.option and one.option.words:
        return f"write {_example(one.option)}"
    if one and one.option and least is not None:
        return f"write {one.option.key}{'' if one.option.style == 'letter' else '='}{least} or more"
    return None if least is None else f"write {least} or more"


def unknown_word(option: Option, operand: Operand) -> ArchspecError:
    """The error for a word that an option does not know."""
    word = operand.place.text
    hint = did_you_mean(word, option.words) or f"write {_example(option)}"
    return ArchspecError("option-value", f"{option.key} knows no `{word}`", operand.place.span, hint)


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return "x".join(map(str, value))
    return str(value)[:40]
