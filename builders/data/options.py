"""Options as they are written: `shift=1,flip,noise=0.1`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

from archspec.errors import ArchspecError, did_you_mean


@dataclass(frozen=True)
class Option:
    """What an option takes: a number from `low` to `high`, whole where `whole`; `default` where none is written."""

    low: float
    high: float
    whole: bool = False
    default: float | None = None

    @property
    def wanted(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        return f"{kind} from {self.low:g}" + (f" to {self.high:g}" if isfinite(self.high) else "")


FLAG = Option(1, 1, whole=True, default=1)  # is written without a number


def options(text: str, known: Mapping[str, Option], code: str) -> dict[str, float]:
    """The options of a text, in its order; raises ArchspecError with this code.

    >>> options("shift=2,flip", {"shift": Option(1, 8, whole=True), "flip": FLAG}, "augment")
    {'shift': 2, 'flip': 1}
    """
    found: dict[str, float] = {}
    for part in text.split(","):
        name, equals, number = (word.strip() for word in part.partition("="))
        if name not in known:
            hint = did_you_mean(name, known) or f"the names are {', '.join(known)}"
            raise ArchspecError(code, f"there is no {name!r} in {text!r}", hint=hint)
        if name in found:
            raise ArchspecError(code, f"{name} stands twice in {text!r}", hint="write it once")
        found[name] = _number(name, number if equals else None, known[name], code)
    return found


def _number(name: str, text: str | None, option: Option, code: str) -> float:
    if text is None and option.default is not None:
        return option.default
    try:
        number = (int if option.whole else float)(text or "")
    except ValueError:
        number = float("nan")
    if not option.low <= number <= option.high or not isfinite(number):
        given = f"{name}={text}" if text is not None else f"{name} without a number"
        hint = f"write {name}" if option is FLAG else f"write {name}= and {option.wanted}"
        raise ArchspecError(code, f"{given} is not possible", hint=hint)
    return number
