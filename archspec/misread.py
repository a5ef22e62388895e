"""What YAML's own complaints mean for someone who writes a specification."""

from __future__ import annotations

import re

from archspec.errors import ArchspecError, Source, Span

LEADING = {
    "*": ("yaml-alias", "for an alias, and a spec has none"),
    "&": ("yaml-alias", "for an anchor, and a spec has none"),
    "!": ("yaml-tag", "for a tag, and a spec has none"),
    "|": ("yaml-syntax", "for a block of lines, which start on the next line"),
    ">": ("yaml-syntax", "for a block of folded lines, which start on the next line"),
    "%": ("yaml-syntax", "for a directive to the YAML reader"),
    "@": ("yaml-syntax", "for a character that it reserves"),
    "`": ("yaml-syntax", "for a character that it reserves"),
}
QUOTES = "put the whole text in quotes"
NO_COLON = "find expected ':'"
STRUCTURE = (
    (NO_COLON, "here a key should stand, but no `:` follows", "write `key: value`"),
    (
        "values are not allowed",
        "this `:` makes a key of what stands before it, and no key can stand there",
        "put text with `: ` inside it in quotes; give each key its own line, indented like its neighbours",
    ),
    ("entries are not allowed", "no list can start here", "put each `- item` on its own line, below the key"),
    ("keys are not allowed", "`?` cannot start a text here", QUOTES),
    ("node content", "here a value should stand", "put a text that starts like this in quotes"),
    ("unexpected ':'", "a `:` between brackets needs a space after it", "write `key: value`"),
    ("", "nothing can follow here: the value before this is complete", f"{QUOTES}, or indent what belongs to it"),
)
TOKEN = "alias|anchor|tag|block scalar|directive|start any token"
CLOSER = {"[": "]", "{": "}"}
ESCAPE = re.compile(r"\\(?:x\w{0,2}|u\w{0,4}|U\w{0,8}|[^\r\n])")
WORD = re.compile(r"[^\s,\[\]{}]+")
SAFE = re.compile(r"[^\r\n'\"#,\[\]{}]{1,40}(?=\r|\n|$)")  # text that may be shown in single quotes as it stands


def leading(origin: Source, start: int) -> ArchspecError:
    """The error for a text that starts with one of YAML's own characters."""
    char = origin.text[start]
    word = WORD.match(origin.text, start)
    code, meaning = LEADING[char]
    plain = SAFE.match(origin.text, start)
    hint = f"{QUOTES}: '{plain[0].rstrip()}'" if plain else QUOTES
    if code == "yaml-alias":
        hint += "; for a value that is used twice there are vars and blocks"
    span = Span(origin, start, word.end() if word else start + 1)
    return ArchspecError(code, f"at the start of a text, YAML takes `{char}` {meaning}", span, hint)


def escape(origin: Source, start: int) -> ArchspecError:
    """The error for a backslash in double quotes that no known escape follows."""
    found = ESCAPE.match(origin.text, start)
    end = found.end() if found else start + 1
    message = f"`{origin.text[start:end]}` is not an escape that double quotes know"
    hint = "write a backslash twice, or use single quotes, in which it stands for itself"
    return ArchspecError("yaml-syntax", message, Span(origin, start, end), hint)


def explain(origin: Source, problem: str, at: int, since: int) -> ArchspecError:
    """The error for YAML's complaint `problem` at one offset, about what it has been reading since another."""
    text = origin.text
    if re.search(r"quoted scalar.*(escape|hex)", problem):
        return escape(origin, text.rfind("\\", since, at + 1))
    if "quoted scalar" in problem:
        quote = text[since]
        hint = f"write {quote} where the text ends" + ("; one inside it is written twice" if quote == "'" else "")
        return _syntax(origin, since, f"this {quote} opens a text that is never closed", hint)
    if text[at : at + 1] == "\t":
        return _syntax(origin, at, "a tab stands where YAML reads only spaces", "indent and separate with spaces")
    if text[since : since + 1] in LEADING and re.search(TOKEN, problem):
        return leading(origin, since)
    percent = re.search(r"^%", text, re.MULTILINE)
    if percent and re.search(r"document start|incompatible", problem):
        return leading(origin, percent.start())
    return _structure(origin, problem, at, since)


def _structure(origin: Source, problem: str, at: int, since: int) -> ArchspecError:
    """The error for keys, items and brackets that do not fit together."""
    if "expected ',' or" in problem:
        return _bracket(origin, at, since)
    line, column = origin.position(at)
    first = not origin.line(line)[: column - 1].strip()
    if first and since < at and re.search("block mapping|block collection", problem):
        line, column = origin.position(since)
        message = f"this line does not continue the entries that start in line {line}, column {column}"
        return _syntax(origin, at, message, "indent it like its neighbours, and begin it as they do: `key: ` or `- `")
    pattern, message, hint = next(row for row in STRUCTURE if row[0] in problem)
    return _syntax(origin, since if pattern == NO_COLON else at, message, hint)


def unclosed(origin: Source, start: int) -> ArchspecError:
    """The error for a bracket that is still open where the text ends."""
    opener = origin.text[start]
    return _syntax(origin, start, f"this `{opener}` is never closed", f"write `{CLOSER[opener]}` where it ends")


def _bracket(origin: Source, at: int, since: int) -> ArchspecError:
    opener = origin.text[since]
    line, column = origin.position(since)
    message = f"here `,` or `{CLOSER[opener]}` should stand: `{opener}` is open since line {line}, column {column}"
    return _syntax(origin, at, message, "put text with brackets, commas or `: ` inside it in quotes")


def _syntax(origin: Source, at: int, message: str, hint: str) -> ArchspecError:
    return ArchspecError("yaml-syntax", message, Span(origin, at, min(at + 1, len(origin.text))), hint)
