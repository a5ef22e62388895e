"""Positions, diagnostics and the one error type: the only place that words an error; `drawing` draws it.

A `Source` is a named text, a `Span` a stretch of it, a `Diagnostic` one finding (error or warning) with everything a
person needs to mend it, and `ArchspecError` carries one or several of them.
"""

from __future__ import annotations

import difflib
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from archspec.drawing import clipped, excerpt, printable

MOST_SHOWN = 20  # findings
MOST_FINDINGS = 100  # after which no more is looked for
MOST_CANDIDATES = 200  # for `did you mean`
LONGEST_NAME = 40


@dataclass(frozen=True, eq=False)
class Source:
    """A named text. Offsets into it count characters from 0; lines and columns count from 1.

    >>> Source("net.yaml", "name: a\\ninput: 3").position(8)
    (2, 1)
    """

    name: str
    text: str = field(repr=False)

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(end.end() for end in re.finditer(r"\r\n|\r|\n", self.text))]

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def line(self, number: int) -> str:
        """Line `number` without its end."""
        stop = self._starts[number] if number < len(self._starts) else len(self.text)
        return self.text[self._starts[number - 1] : stop].rstrip("\r\n")


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` to `end` (exclusive) of a source.

    >>> print(Span(Source("net.yaml", "input: 3"), 7, 8))
    net.yaml:1:8
    """

    source: Source
    start: int
    end: int

    @property
    def line(self) -> int:
        return self.source.position(self.start)[0]

    @property
    def column(self) -> int:
        return self.source.position(self.start)[1]

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]

    def excerpt(self) -> Iterator[str]:
        """The source line with carets under it."""
        line, column = self.source.position(self.start)
        return excerpt(self.source.line(line), line, column, self.end - self.start)

    def __str__(self) -> str:
        return f"{self.source.name}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Trace:
    """Where an item was expanded from: its call site, and that call's own. A linked list, shared between nodes."""

    span: Span
    caller: Trace | None = None

    def __iter__(self) -> Iterator[Span]:
        at: Trace | None = self
        while at is not None:
            yield at.span
            at = at.caller


@dataclass(frozen=True)
class Diagnostic:
    """One finding: a stable code, what is wrong, where, the shape there, the calls that led there and the remedy."""

    code: str
    message: str
    span: Span | None = None
    hint: str | None = None
    shape: str | None = None
    trace: Trace | None = None
    severity: str = "error"

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        where = f"{self.span}: " if self.span else ""
        yield f"{where}{self.severity}[{self.code}]: {clipped(self.message)}"
        if self.span:
            yield from self.span.excerpt()
        if self.shape:
            yield f"  shape here: {self.shape}"
        yield from _calls(self.trace)
        if self.hint:
            first, *rest = map(clipped, self.hint.split("\n"))
            yield f"  help: {first}"
            yield from (f"        {line}" for line in rest)

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON: severity, code, message, file, line, column, hint, shape."""
        place = {"file": self.span.source.name, "line": self.span.line, "column": self.span.column} if self.span else {}
        return {"severity": self.severity, "code": self.code, "message": self.message, **place} | {
            "hint": self.hint,
            "shape": self.shape,
        }


class ArchspecError(Exception):
    """The error that archspec raises for anything a user can mend; it carries one diagnostic or several.

    `code`, `span` and `hint` are those of the first diagnostic. `str(error)` draws them, each with file:line:column and
    a caret under the word; of very many the first ones.
    """

    def __init__(self, code: str, message: str, span: Span | None = None, hint: str | None = None) -> None:
        self.diagnostics: tuple[Diagnostic, ...] = (Diagnostic(code, message, span, hint),)
        super().__init__(code, message)

    @classmethod
    def of(cls, diagnostics: Iterable[Diagnostic]) -> ArchspecError:
        """One error that carries several findings."""
        found = tuple(diagnostics)
        error = cls(found[0].code, found[0].message)
        error.diagnostics = found
        return error

    @property
    def code(self) -> str:
        return self.diagnostics[0].code

    @property
    def span(self) -> Span | None:
        return self.diagnostics[0].span

    @property
    def hint(self) -> str | None:
        return self.diagnostics[0].hint

    def __str__(self) -> str:
        return drawn(self.diagnostics)

    def at(self, span: Span | None, shape: str | None = None, trace: Trace | None = None) -> ArchspecError:
        """The same error; what its findings lack of place, shape and calls is filled in."""
        return ArchspecError.of(
            replace(d, span=d.span or span, shape=d.shape or shape, trace=d.trace or trace) for d in self.diagnostics
        )


def missing_package(what: str, error: ModuleNotFoundError, extra: str = "torch") -> ArchspecError:
    """The error for a back end whose libraries are not installed, and the extra that brings them."""
    message = f"{what} needs the package {error.name}, which is not installed"
    return ArchspecError("missing-package", message, hint=f"pip install 'archspec-nn[{extra}]'")


class Findings:
    """Collects independent errors: `with findings:` notes an ArchspecError and goes on; each finding is kept once.

    The last of MOST_FINDINGS raises them all: a text with so many mistakes is not looked at to its end.
    """

    def __init__(self) -> None:
        self._found: dict[object, Diagnostic] = {}

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, ArchspecError):
            return False
        self.add(*error.diagnostics)
        return True

    def add(self, *diagnostics: Diagnostic) -> None:
        """Note findings; of several at the same place the first one counts, wherever it was expanded from."""
        for diagnostic in diagnostics:
            self._found.setdefault(diagnostic.span or diagnostic.message, diagnostic)
            if len(self._found) >= MOST_FINDINGS:
                raise self.error()

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(self._found.values())

    def __len__(self) -> int:
        return len(self._found)

    def raise_any(self) -> None:
        """Raise what was found as one ArchspecError, in the order of the text; nothing where nothing was found."""
        if self._found:
            raise self.error()

    def error(self) -> ArchspecError:
        """Everything that was found as one error, in the order of the text."""
        return ArchspecError.of(sorted(self, key=lambda found: found.span.start if found.span else -1))


def drawn(diagnostics: Sequence[Diagnostic]) -> str:
    """Findings as text, an empty line between them; of more than MOST_SHOWN the first ones and how many there are."""
    shown = [str(diagnostic) for diagnostic in diagnostics[:MOST_SHOWN]]
    left = len(diagnostics) - len(shown)
    return "\n\n".join([*shown, f"... and {left} more"] if left else shown)


def did_you_mean(word: str, candidates: Iterable[str]) -> str | None:
    """`did you mean CONV?` for the nearest candidate, or None where nothing is near.

    Very long words are near to nothing, and among very many candidates those that begin alike are compared.

    >>> did_you_mean("CONVV", ["CONV", "FC"])
    'did you mean CONV?'
    """
    if len(word) > LONGEST_NAME:
        return None
    names = {name.casefold(): name for name in sorted(candidates, reverse=True) if len(name) <= LONGEST_NAME}
    if len(names) > MOST_CANDIDATES:
        alike = [name for name in names if name[:1] == word[:1].casefold()]
        names = {name: names[name] for name in alike[:MOST_CANDIDATES]}
    near = difflib.get_close_matches(word.casefold(), names, n=1, cutoff=0.6)
    return f"did you mean {names[near[0]]}?" if near else None


def _calls(trace: Trace | None, limit: int = 6) -> Iterator[str]:
    """The calls that led to a place, innermost first; of a long recursion the first ones and the last."""
    calls = list(trace) if trace else []
    shown = calls if len(calls) <= limit else [*calls[: limit - 1], calls[-1]]
    for number, span in enumerate(shown):
        if number == limit - 1 and len(calls) > limit:
            yield f"  ... {len(calls) - limit} more calls"
        yield f"  in expansion of `{printable(span.text)[:40]}` at {span}"
