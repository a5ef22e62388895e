"""YAML text -> plain values that keep their places: scalars, listings and mappings.

Specs use nothing of YAML but its values: no aliases, anchors, tags or second documents. Size and depth are limited, and
each limit is checked before more is read.
"""

from __future__ import annotations

import gc
import math
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import yaml

from archspec.errors import ArchspecError, Source, Span
from archspec.misread import escape, explain, leading, unclosed
from archspec.offsets import Offsets

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # both give the same events; the first is ten times as fast
LARGEST = 4 * 2**20  # bytes
MOST_VALUES = 200_000
DEEPEST = 100
LONGEST_NUMBER = 40  # digits
SHORTER = "use blocks, repeats and tables"
BLOCKS = ("|", ">")

WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
INTEGER = re.compile(rf"[-+]?[0-9]{{1,{LONGEST_NUMBER}}}")
FLOAT = re.compile(rf"[-+]?(?:\.[0-9]+|[0-9]{{1,{LONGEST_NUMBER}}}(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
LONG_NUMBER = re.compile(rf"[0-9]{{{LONGEST_NUMBER + 1},}}")
SURROGATE = re.compile("[\ud800-\udfff]")
FORBIDDEN = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


class Scalar:
    """A text and where it stands: `text` is decoded, `origin.text[start:end]` is its source with quotes or indicator.

    `style` is "" (plain), "'", '"', "|" or ">".

    >>> Scalar.of("1e-6").value
    1e-06
    >>> print(Scalar.of("CONV3-8 s2", "argument").span(8, 10))
    argument:1:9
    """

    __slots__ = ("_offsets", "end", "origin", "start", "style", "text")

    def __init__(self, text: str, style: str, origin: Source, start: int, end: int) -> None:
        self.text, self.style, self.origin, self.start, self.end = text, style, origin, start, end
        self._offsets: Offsets | None = None

    @classmethod
    def of(cls, text: str, name: str = "<string>") -> Scalar:
        """A plain scalar outside any file, such as a command-line value; its text is taken as it is."""
        return cls(text, "", Source(name, text), 0, len(text))

    @property
    def plain(self) -> bool:
        return not self.style

    @property
    def value(self) -> bool | int | float | str | None:
        """A plain scalar by YAML 1.2's core schema in decimal notation and finite numbers; else the text."""
        text = self.text
        if self.style:
            return text
        if text in WORDS:
            return WORDS[text]
        if INTEGER.fullmatch(text):
            return int(text)
        if FLOAT.fullmatch(text) and math.isfinite(number := float(text)):
            return number
        return text

    def span(self, start: int = 0, end: int | None = None) -> Span:
        """The characters `start` to `end` (exclusive; None: the last) of `text`, where they stand in the source."""
        length = len(self.text)
        end = length if end is None else min(end, length)
        start = min(start, end)
        if not length:
            return Span(self.origin, self.start, self.end)
        quote = len(self.style)
        if self.end - self.start - 2 * quote == length and self.style not in BLOCKS:
            return Span(self.origin, self.start + quote + start, self.start + quote + end)
        if self._offsets is None:
            self._offsets = Offsets(self.origin.text, self.text, self.style, self.start, self.end)
        starts, ends = self._offsets.starts, self._offsets.ends
        first = starts[start] if start < length else ends[-1]
        return Span(self.origin, first, ends[end - 1] if start < end else first)


class Listing:
    """A YAML sequence."""

    __slots__ = ("end", "items", "origin", "start")

    def __init__(self, items: tuple[Value, ...], origin: Source, start: int, end: int) -> None:
        self.items, self.origin, self.start, self.end = items, origin, start, end

    def span(self) -> Span:
        """From the opening bracket or first dash to the closing bracket or the end of the last item."""
        return Span(self.origin, self.start, self.end)


class Mapping:
    """A YAML mapping with distinct scalars as keys, in the order of the source."""

    __slots__ = ("_values", "end", "items", "origin", "start")

    def __init__(self, items: tuple[tuple[Scalar, Value], ...], origin: Source, start: int, end: int) -> None:
        self.items, self.origin, self.start, self.end = items, origin, start, end
        self._values = {key.text: value for key, value in items}

    def get(self, key: str) -> Value | None:
        return self._values.get(key)

    def keys(self) -> tuple[str, ...]:
        return tuple(self._values)

    def span(self) -> Span:
        """From the opening brace or first key to the closing brace or the end of the last value."""
        return Span(self.origin, self.start, self.end)


Value = Scalar | Listing | Mapping


def read(text: str | bytes, name: str = "<string>") -> Value:
    """The one value of a YAML document; raises ArchspecError at the place of whatever is not YAML or not for specs.

    >>> spec = read("input: 28x28x1\\nlayers: [CONV3-10, POOL2]")
    >>> plain(spec)
    {'input': '28x28x1', 'layers': ['CONV3-10', 'POOL2']}
    >>> print(spec.get("layers").items[1].span())
    <string>:2:20
    """
    origin = Source(name, _decode(text, name))
    if found := FORBIDDEN.search(origin.text):
        raise _forbidden(origin, found.start())
    loader = LOADER(origin.text)
    reader = _Reader(origin)
    try:
        with collector_paused():
            while (event := loader.get_event()) is not None:
                reader.take(event, event.start_mark.index, event.end_mark.index)
    except yaml.MarkedYAMLError as error:
        raise reader.explain(error) from None
    except (ValueError, OverflowError):
        raise _refused(origin, loader.get_mark().index) from None
    return reader.result


@contextmanager
def collector_paused() -> Iterator[None]:
    """Keeps the garbage collector from going through new objects again and again, which doubles the time of `read`."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def plain(value: Value) -> object:
    """The value as nested Python dictionaries, lists and scalars."""
    if isinstance(value, Mapping):
        return {key.text: plain(item) for key, item in value.items}
    if isinstance(value, Listing):
        return [plain(item) for item in value.items]
    return value.value


def _decode(text: str | bytes, name: str) -> str:
    """The text without a byte order mark; raises ArchspecError where it is too large or not UTF-8."""
    size = len(text) if isinstance(text, bytes) or len(text) > LARGEST else len(text.encode(errors="replace"))
    if size > LARGEST:
        head = text[:200].decode(errors="replace") if isinstance(text, bytes) else text[:200]
        message = f"the text has {size:,} bytes; a spec may have {LARGEST:,}"
        raise ArchspecError("too-large", message, Span(Source(name, head), 0, 0), SHORTER)
    if isinstance(text, str):
        return text.removeprefix("\ufeff")
    try:
        return text.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        whole = text.decode(errors="replace").removeprefix("\ufeff")
        at = len(text[: error.start].decode().removeprefix("\ufeff"))
        found = "UTF-16" if text.startswith((b"\xff\xfe", b"\xfe\xff")) else "another encoding"
        message = f"byte 0x{text[error.start]:02X} is not UTF-8: the text seems to be in {found}"
        raise ArchspecError("encoding", message, Span(Source(name, whole), at, at + 1), "save it as UTF-8") from None


def _forbidden(origin: Source, at: int) -> ArchspecError:
    char = origin.text[at]
    half = SURROGATE.match(char)
    name = "half a character" if half else unicodedata.name(char, "a control character")
    escaped = f"\\x{ord(char):02x}" if ord(char) < 256 else f"\\u{ord(char):04x}"
    hint = "delete it" if half else f"delete it, or write {escaped} in double quotes"
    message = f"U+{ord(char):04X} ({name}) cannot stand in YAML"
    return ArchspecError("yaml-character", message, Span(origin, at, at + 1), hint)


def _refused(origin: Source, at: int) -> ArchspecError:
    """What Python itself refuses where PyYAML has no C: a character code in an escape, a version number."""
    if origin.text[at - 2] == "\\":
        return escape(origin, at - 2)
    return explain(origin, "directive", at, origin.text.rfind("%", 0, at))


class _Open:
    """A collection that is still being read; a mapping keeps its keys and values in turn."""

    __slots__ = ("keys", "start", "values")

    def __init__(self, start: int, keys: dict[str, Scalar] | None) -> None:
        self.start, self.keys = start, keys
        self.values: list[Value] = []

    def expects_key(self) -> bool:
        return self.keys is not None and len(self.values) % 2 == 0


class _Reader:
    """Puts values together from YAML's events, with a stack of its own instead of Python's."""

    def __init__(self, origin: Source) -> None:
        self.origin = origin
        self.stack = [_Open(0, None)]
        self.count = 0

    @property
    def result(self) -> Value:
        values = self.stack[0].values
        return values[0] if values else Scalar("", "", self.origin, 0, 0)

    def take(self, event: yaml.Event, start: int, end: int) -> None:
        """One event and its offsets; raises ArchspecError at what specs have no use for."""
        if isinstance(event, yaml.ScalarEvent):
            self._check(event, start)
            self._scalar(event.value, event.style or "", start, end)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._check(event, start)
            self._start(start, isinstance(event, yaml.MappingStartEvent))
        elif isinstance(event, yaml.CollectionEndEvent):
            self._end(end)
        elif isinstance(event, yaml.AliasEvent):
            raise leading(self.origin, start)
        elif isinstance(event, yaml.DocumentStartEvent) and self.stack[0].values:
            raise self._error("yaml-documents", "a second document starts here", start, "one file holds one spec")

    def _check(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent, start: int) -> None:
        """Refuses anchors, tags and one value too many."""
        if event.anchor is not None or event.tag is not None:
            raise leading(self.origin, start)
        self.count += 1
        if self.count > MOST_VALUES:
            message = f"here the values, keys included, pass {MOST_VALUES:,}"
            raise self._error("too-large", message, start, SHORTER)

    def _scalar(self, text: str, style: str, start: int, end: int) -> None:
        if style in BLOCKS:
            end = start + len(self.origin.text[start:end].rstrip(" \r\n"))
        scalar = Scalar(text, style, self.origin, start, end)
        if len(text) > LONGEST_NUMBER and not style and (found := LONG_NUMBER.search(text)):
            message = f"a number has {len(found[0])} digits here; it may have {LONGEST_NUMBER}"
            hint = "put text that is not a number in quotes"
            raise ArchspecError("long-number", message, scalar.span(*found.span()), hint)
        if style == '"' and (found := SURROGATE.search(text)):  # the C library refuses these by itself
            raise escape(self.origin, scalar.span(*found.span()).start)
        top = self.stack[-1]
        if top.keys is not None and top.expects_key():
            first = top.keys.setdefault(text, scalar)
            if first is not scalar:
                line, column = self.origin.position(first.start)
                key = " ".join(scalar.span().text.split())[:40]
                message = f"key `{key}` stands twice in one mapping: first in line {line}, column {column}"
                raise ArchspecError("duplicate-key", message, scalar.span(), "rename one of them or join their values")
        top.values.append(scalar)

    def _start(self, start: int, mapping: bool) -> None:
        if self.stack[-1].expects_key():
            what = "mapping" if mapping else "list"
            raise self._error("yaml-key", f"a key must be text, and here a {what} starts", start, "write it in quotes")
        if len(self.stack) > DEEPEST:
            message = f"lists and mappings stand more than {DEEPEST} deep in each other"
            raise self._error("too-deep", message, start, "make blocks of the inner parts")
        self.stack.append(_Open(start, {} if mapping else None))

    def _end(self, end: int) -> None:
        """Closes the innermost collection; YAML itself ends those without brackets only where the next value starts."""
        done = self.stack.pop()
        values = done.values
        if self.origin.text[done.start] not in "[{":
            end = values[-1].end
        if done.keys is None:
            value: Value = Listing(tuple(values), self.origin, done.start, end)
        else:
            pairs = tuple(zip(done.keys.values(), values[1::2], strict=True))
            value = Mapping(pairs, self.origin, done.start, end)
        self.stack[-1].values.append(value)

    def explain(self, error: yaml.MarkedYAMLError) -> ArchspecError:
        """YAML's own error, as one of ours."""
        at = error.problem_mark.index if error.problem_mark else 0
        since = error.context_mark.index if error.context_mark else at
        brackets = [top.start for top in self.stack[1:] if self.origin.text[top.start] in "[{"]
        if at >= len(self.origin.text) and brackets and "quoted" not in str(error.context):
            return unclosed(self.origin, brackets[-1])
        return explain(self.origin, f"{error.context}: {error.problem}", at, since)

    def _error(self, code: str, message: str, at: int, hint: str) -> ArchspecError:
        return ArchspecError(code, message, Span(self.origin, at, at + 1), hint)
