"""YAML text becomes values whose every character knows its place, with either of PyYAML's loaders."""

from __future__ import annotations

import gc
import itertools
import time
from collections.abc import Iterator
from unittest import mock

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from archspec import source
from archspec.errors import ArchspecError, Source
from archspec.source import Listing, Mapping, Scalar, Value, plain, read

LOADERS = [yaml.SafeLoader, *([yaml.CSafeLoader] if yaml.__with_libyaml__ else [])]
TAKES = "at the start of a text, YAML takes "
VARS = "; for a value that is used twice there are vars and blocks"
QUOTES = "put the whole text in quotes"
TABS = ("a tab stands where YAML reads only spaces", "indent and separate with spaces")
COLON = (
    "this `:` makes a key of what stands before it, and no key can stand there",
    "put text with `: ` inside it in quotes; give each key its own line, indented like its neighbours",
)
COMPLETE = ("nothing can follow here: the value before this is complete", f"{QUOTES}, or indent what belongs to it")
NEIGHBOUR = (
    "this line does not continue the entries that start in line 1, column 1",
    "indent it like its neighbours, and begin it as they do: `key: ` or `- `",
)
SINGLE = ("this ' opens a text that is never closed", "write ' where the text ends; one inside it is written twice")
BACKSLASH = "write a backslash twice, or use single quotes, in which it stands for itself"
BRACKETS = "put text with brackets, commas or `: ` inside it in quotes"
NO_VALUE = ("here a value should stand", "put a text that starts like this in quotes")
LINES = f"{TAKES}`|` for a block of lines, which start on the next line"
FOLDED = f"{TAKES}`>` for a block of folded lines, which start on the next line"

DIRECTIVE = f"{TAKES}`%` for a directive to the YAML reader"


@pytest.fixture(params=LOADERS, ids=lambda loader: loader.__name__)
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "LOADER", request.param)


either = pytest.mark.usefixtures("loader")


def scalars(value: Value) -> Iterator[Scalar]:
    if isinstance(value, Scalar):
        yield value
    elif isinstance(value, Listing):
        for item in value.items:
            yield from scalars(item)
    else:
        for key, item in value.items:
            yield key
            yield from scalars(item)


def only(text: str) -> Scalar:
    """The last scalar of a document."""
    *_, last = scalars(read(text))
    return last


def failure(text: str | bytes) -> tuple[str, int, int, str, str | None]:
    with pytest.raises(ArchspecError) as caught:
        read(text, "net.yaml")
    span = caught.value.span
    assert span is not None
    assert str(caught.value).startswith(f"{span}: error[{caught.value.code}]: ")
    return caught.value.code, span.line, span.column, caught.value.diagnostics[0].message, caught.value.hint


def places(scalar: Scalar) -> list[str]:
    """The source of each character of a scalar's text."""
    return [scalar.span(i, i + 1).text for i in range(len(scalar.text))]


def outline(value: Value) -> object:
    """Everything that is known of a value."""
    if isinstance(value, Scalar):
        return value.text, value.style, value.start, value.end
    if isinstance(value, Listing):
        return value.start, value.end, [outline(item) for item in value.items]
    return value.start, value.end, [(outline(key), outline(item)) for key, item in value.items]


# -- values ---------------------------------------------------------------------------------------------------------


@either
def test_a_document_becomes_plain_values() -> None:
    spec = read("name: x\nvars: {n: [3, 4.5, no], 1: ~}\nlayers:\n- CONV3-8\n-\n- 'yes'\n<<: true\n")
    assert plain(spec) == {
        "name": "x",
        "vars": {"n": [3, 4.5, "no"], "1": None},
        "layers": ["CONV3-8", None, "yes"],
        "<<": True,
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((text, None) for text in ("", "~", "null", "Null", "NULL")),
        *((text, True) for text in ("true", "True", "TRUE")),
        *((text, False) for text in ("false", "False", "FALSE")),
        *(("3", 3), ("-3", -3), ("+3", 3), ("010", 10), ("9" * 40, int("9" * 40))),
        *(("1e-6", 1e-6), (".5", 0.5), ("1.", 1.0), ("-1.5E+3", -1500.0), ("1e3", 1000.0), ("0.0", 0.0)),
    ],
)
def test_plain_scalars_follow_the_core_schema(text: str, value: object) -> None:
    found = Scalar.of(text).value
    assert found == value
    assert type(found) is type(value)


TEXTS = "yes no on off y n nULL tRUE 0o17 0x1F 1_000 1:30 2001-01-01 .inf -.Inf .nan . - e3 1e 1.e 1e999 1,5 ٣ 3x ++3"


@pytest.mark.parametrize("text", [*TEXTS.split(), "9" * 41, "9" * 9999, "9" * 50 + ".5", "1 ", "1\n"])
def test_other_plain_scalars_are_text(text: str) -> None:
    assert Scalar.of(text).value == text


@either
@pytest.mark.parametrize("text", ["'1'", '"1"', "|-\n  1", ">-\n  1"])
def test_a_scalar_with_a_style_is_text(text: str) -> None:
    scalar = only(text)
    assert (scalar.value, scalar.plain, scalar.style) == ("1", False, text[0])


@either
@pytest.mark.parametrize("text", ["", "# nothing\n", "\ufeff", "---\n", b""])
def test_an_empty_document_is_an_empty_scalar(text: str | bytes) -> None:
    scalar = read(text)
    assert isinstance(scalar, Scalar)
    assert (scalar.text, scalar.value, scalar.plain) == ("", None, True)
    assert scalar.span().text == ""


def test_a_free_standing_scalar_is_its_own_source() -> None:
    scalar = Scalar.of("a: 'b\n  c'", "--set")
    assert (scalar.text, str(scalar.span(6, 8)), scalar.span(6, 8).text) == ("a: 'b\n  c'", "--set:2:1", "  ")
    assert scalar != Scalar.of("a: 'b\n  c'", "--set")


@either
def test_a_mapping_finds_its_values() -> None:
    spec = read("a: 1\n'b c': [2]\n")
    assert isinstance(spec, Mapping)
    assert spec.keys() == ("a", "b c")
    assert spec.get("c") is None
    assert spec.get("b c") is spec.items[1][1]


# -- places ---------------------------------------------------------------------------------------------------------


@either
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_places_count_characters_whatever_the_line_ends(end: str, mark: str) -> None:
    text = f"é: 😀x{end}# 😀{end}list:{end}- 'a'{end}- |{end}  b{end}{end}-{end}"
    for document in (mark + text, (mark + text).encode()):
        spec = read(document, "net.yaml")
        assert isinstance(spec, Mapping)
        listing = spec.items[1][1]
        assert isinstance(listing, Listing)
        assert [str(scalar.span()) for scalar in scalars(spec)] == [
            f"net.yaml:{place}" for place in ("1:1", "1:4", "3:1", "4:4", "6:3", "8:2")
        ]
        assert [scalar.origin.text[scalar.start : scalar.end] for scalar in scalars(spec)] == [
            *("é", "😀x", "list", "'a'", f"|{end}  b", "")
        ]
        assert listing.span().text == f"- 'a'{end}- |{end}  b{end}{end}-"


@either
@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("a: [b , {c: d } ] # x\n", ["a: [b , {c: d } ]", "[b , {c: d } ]", "{c: d }"]),
        ("a:\n- - b\n  - c\n# x\n\n- d: e\n\n", ["a:\n- - b\n  - c\n# x\n\n- d: e", "- - b\n  - c\n# x\n\n- d: e"]),
        ("[a: b , c]", ["[a: b , c]", "a: b"]),
        ("{a}", ["{a}"]),
        ("[]", ["[]"]),
        ("{}", ["{}"]),
    ],
)
def test_collections_end_where_their_text_ends(text: str, spans: list[str]) -> None:
    found, pending = [], [read(text)]
    while pending:
        value = pending.pop(0)
        if isinstance(value, Scalar):
            continue
        found.append(value.span().text)
        pending += value.items if isinstance(value, Listing) else [item for _, item in value.items]
    assert found[: len(spans)] == spans


@either
@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("CONV3-8, RELU", list("CONV3-8, RELU")),
        ("'CONV3-8'", list("CONV3-8")),
        ('"CONV3-8"', list("CONV3-8")),
        ("'it''s'", ["i", "t", "''", "s"]),
        ("a: b\n  c \n\n\n  d\n", ["b", "\n", "c", "\n", "\n", "d"]),
        ("a: b  \r\n  c", ["b", "\r\n", "c"]),
        ("' a\n  b\n\n  c '", [" ", "a", "\n", "b", "\n", "c", " "]),
        (r'"\x41\u00e9\U0001F600\n\\\""', [r"\x41", r"\u00e9", r"\U0001F600", r"\n", r"\\", r"\""]),
        ('"a \\\n   b\\  \n  c"', ["a", " ", "b", "\\ ", "\n", "c"]),
        ('"a\\\n\n\n  b"', ["a", "\n", "\n", "b"]),
        ('"\n a\n"', ["\n", "a", "\n"]),
        ("|\n  a\n   b\n", ["a", "\n", " ", "b", "\n"]),
        ("|-  # why\n\n  a\n\n  b\n\n", ["\n", "a", "\n", "\n", "b"]),
        ("|+\n  a\n\n \n", ["a", "\n", "\n", "\n"]),
        ("|+\n\n\n", ["\n", "\n"]),
        ("|\n  a", ["a"]),
        ("|\n  a\n   \n  b", ["a", "\n", " ", "\n", "b"]),
        ("|1\n   a\n b\n", [" ", " ", "a", "\n", "b", "\n"]),
        ("- |2+\n    a\n   b\n\n", [" ", " ", "a", "\n", " ", "b", "\n", "\n"]),
        ("a:\n  b: |1\n     \n    c\n", [" ", " ", "\n", " ", "c", "\n"]),
        (">\n  a\n  b\n\n  c\n   d\n   e\n\n  f\n", [*"a\nb\nc\n", *" d\n", *" e\n\n", *"f\n"]),
        (">-\n\n  a\n  \tb\n  c\n", ["\n", "a", "\n", "\t", "b", "\n", "c"]),
        (">+\r\n  a\r\n  b\r\n\r\n", ["a", "\r\n", "b", "\r\n", "\r\n"]),
    ],
)
def test_each_character_knows_its_place(document: str, expected: list[str]) -> None:
    scalar = only(document)
    assert places(scalar) == expected
    starts = [scalar.span(i, i + 1).start for i in range(len(scalar.text))]
    assert starts == sorted(set(starts))
    assert scalar.span() == scalar.span(0, len(expected))
    assert scalar.span(0, 99) == scalar.span()
    assert scalar.span(1, 1).text == scalar.span(99).text == ""


@either
def test_lines_and_columns_in_folded_text() -> None:
    spec = read("layers: >-\n  CONV3-8,\n\n  RELU\nname: a\n  b")
    folded, name = [scalar for scalar in scalars(spec) if " " in scalar.text or "\n" in scalar.text]
    assert str(folded.span(folded.text.index("RELU"))) == "<string>:4:3"
    assert str(name.span(2, 3)) == "<string>:6:3"


@either
@pytest.mark.parametrize("document", ["''", '"\\\n"', "|\n", ">-\n\n"])
def test_an_empty_text_stands_in_all_of_its_scalar(document: str) -> None:
    scalar = only(document)
    assert scalar.text == ""
    assert scalar.span().text == scalar.span(0, 3).text == document.rstrip("\n")


def test_a_text_that_does_not_fit_its_source_stands_in_all_of_it() -> None:
    for style, text in itertools.product(("", "'", '"', "|", ">"), ("a", "abcde", "\n\n\nabcd")):
        whole = f"x{style}a\n b{style}"
        scalar = Scalar(text, style, Source("net.yaml", whole), 1, len(whole))
        assert scalar.span(0, 1).text == whole[1:]


WORDS = st.text(st.sampled_from("ab é😀,-'\"\\:#\t"), max_size=6)
LINES_OF_TEXT = st.lists(WORDS, min_size=1, max_size=6).map("\n".join)


@given(
    text=LINES_OF_TEXT,
    style=st.sampled_from([None, "'", '"', "|", ">"]),
    width=st.sampled_from([4, 20, 1000]),
    indent=st.sampled_from([2, 3, 7]),
    nested=st.integers(0, 2),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_characters_of_emitted_scalars(
    text: str, style: str | None, width: int, indent: int, nested: int, end: str
) -> None:
    value: object = text
    for _ in range(nested):
        value = {"k": [value]}
    document = yaml.dump(
        value,
        default_style=style,
        width=width,
        indent=indent,
        allow_unicode=True,
        line_break=end,
        Dumper=yaml.SafeDumper,
    )
    outlines = []
    for loader in LOADERS:
        with mock.patch.object(source, "LOADER", loader):
            spec = read(document)
        outlines.append(outline(spec))
        scalar = list(scalars(spec))[-1]
        assert scalar.text == text
        check_places(scalar)
    assert outlines[0] == outlines[-1]


def check_places(scalar: Scalar) -> None:
    """Every character of the text is its own source, a line break or an escape, and they stand in order."""
    at = scalar.start
    for i, char in enumerate(scalar.text):
        span = scalar.span(i, i + 1)
        assert span.start >= at
        at = span.end
        if span.text in ("\n", "\r\n", "\r"):
            assert char in " \n"
        elif scalar.style == '"' and span.text.startswith("\\"):
            assert yaml.safe_load(f'"{span.text}"') == char
        elif scalar.style == "'" and span.text == "''":
            assert char == "'"
        else:
            assert span.text == char


PIECES = [
    *(
        "a",
        "b: ",
        "x ",
        "- ",
        ", ",
        "{",
        "}",
        "[",
        "]",
        "'",
        "''",
        '"',
        "|",
        "> ",
        "|-",
        ">+",
        "|2",
        "#",
        " #",
        ": ",
        "?",
    ),
    *("& ", "*", "!", "%", "@", "`", "~", "12", "\\", "\\x41", "\\ud800", "\\UFFFFFFFF", "---", "...", "é", "😀"),
    *("\n", "\n ", "\n  ", "\r\n", " ", "\t"),
]


def attempt(text: str | bytes) -> Value | ArchspecError:
    try:
        return read(text)
    except ArchspecError as error:
        return error


@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_any_text_is_read_alike_or_refused(text: str) -> None:
    outlines = []
    for loader in LOADERS:
        with mock.patch.object(source, "LOADER", loader):
            found = attempt(text)
        if isinstance(found, ArchspecError):
            assert found.span is not None
            assert found.hint
        else:
            outlines.append(outline(found))
            for scalar in scalars(found):
                check_places(scalar)
    assert all(found == outlines[0] for found in outlines)


@given(st.binary(max_size=30))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    found = attempt(data)
    assert isinstance(found, Value) or found.span is not None


# -- errors ---------------------------------------------------------------------------------------------------------

ERRORS = [
    ("mul: *three", "yaml-alias", 1, 6, f"{TAKES}`*` for an alias, and a spec has none", f"{QUOTES}: '*three'{VARS}"),
    ("- x\n- * 3", "yaml-alias", 2, 3, f"{TAKES}`*` for an alias, and a spec has none", f"{QUOTES}: '* 3'{VARS}"),
    ("a: &b x", "yaml-alias", 1, 4, f"{TAKES}`&` for an anchor, and a spec has none", f"{QUOTES}: '&b x'{VARS}"),
    ("&a [b]", "yaml-alias", 1, 1, f"{TAKES}`&` for an anchor, and a spec has none", f"{QUOTES}{VARS}"),
    ("a: !x y", "yaml-tag", 1, 4, f"{TAKES}`!` for a tag, and a spec has none", f"{QUOTES}: '!x y'"),
    ("a: !x!y z", "yaml-tag", 1, 4, f"{TAKES}`!` for a tag, and a spec has none", f"{QUOTES}: '!x!y z'"),
    ("a: ! y", "yaml-tag", 1, 4, f"{TAKES}`!` for a tag, and a spec has none", f"{QUOTES}: '! y'"),
    ("a: !!str {}", "yaml-tag", 1, 4, f"{TAKES}`!` for a tag, and a spec has none", QUOTES),
    ("expect: {parameters: >= 5M}", "yaml-syntax", 1, 22, FOLDED, QUOTES),
    ("expect:\n  parameters: >= 5M\n", "yaml-syntax", 2, 15, FOLDED, f"{QUOTES}: '>= 5M'"),
    ("a: | b", "yaml-syntax", 1, 4, LINES, f"{QUOTES}: '| b'"),
    ("a: |0\n b", "yaml-syntax", 1, 4, LINES, f"{QUOTES}: '|0'"),
    ("a: %b", "yaml-syntax", 1, 4, DIRECTIVE, f"{QUOTES}: '%b'"),
    ("%b", "yaml-syntax", 1, 1, DIRECTIVE, f"{QUOTES}: '%b'"),
    (
        "%YAML 2.0\n---\na",
        "yaml-syntax",
        1,
        1,
        DIRECTIVE,
        f"{QUOTES}: '%YAML 2.0'",
    ),
    (f"%YAML 1.{'9' * 5000}\n", "yaml-syntax", 1, 1, DIRECTIVE, QUOTES),
    ("a: @b", "yaml-syntax", 1, 4, f"{TAKES}`@` for a character that it reserves", f"{QUOTES}: '@b'"),
    ("a: `b`", "yaml-syntax", 1, 4, f"{TAKES}``` for a character that it reserves", f"{QUOTES}: '`b`'"),
    ("a: 'b\nc: d", "yaml-syntax", 1, 4, *SINGLE),
    ("[a, 'b", "yaml-syntax", 1, 5, *SINGLE),
    ("a: 'b\n---\nc'", "yaml-syntax", 1, 4, *SINGLE),
    ('a: "b', "yaml-syntax", 1, 4, 'this " opens a text that is never closed', 'write " where the text ends'),
    (r'a: "\d"', "yaml-syntax", 1, 5, r"`\d` is not an escape that double quotes know", BACKSLASH),
    (r'a: "b \x4"', "yaml-syntax", 1, 7, r"`\x4` is not an escape that double quotes know", BACKSLASH),
    (r'a: "b\ud800"', "yaml-syntax", 1, 6, r"`\ud800` is not an escape that double quotes know", BACKSLASH),
    (r'a: "\U00110000"', "yaml-syntax", 1, 5, r"`\U00110000` is not an escape that double quotes know", BACKSLASH),
    (r'a: "\UFFFFFFFF"', "yaml-syntax", 1, 5, r"`\UFFFFFFFF` is not an escape that double quotes know", BACKSLASH),
    ("a:\n\tb: c", "yaml-syntax", 2, 1, *TABS),
    ("a: |\n\tb", "yaml-syntax", 2, 1, *TABS),
    ("a: b\n\tc", "yaml-syntax", 2, 1, *TABS),
    ("a: [b, c\n", "yaml-syntax", 1, 4, "this `[` is never closed", "write `]` where it ends"),
    ("a: {b: [c, d]\n", "yaml-syntax", 1, 4, "this `{` is never closed", "write `}` where it ends"),
    ("a: [b,\n", "yaml-syntax", 1, 4, "this `[` is never closed", "write `]` where it ends"),
    ("a: [b, c: d", "yaml-syntax", 1, 4, "this `[` is never closed", "write `]` where it ends"),
    (
        *("a: [b, c\nd: e", "yaml-syntax", 2, 2),
        *("here `,` or `]` should stand: `[` is open since line 1, column 4", BRACKETS),
    ),
    ("{b: [c}", "yaml-syntax", 1, 7, "here `,` or `]` should stand: `[` is open since line 1, column 5", BRACKETS),
    ("{a: b c: d}", "yaml-syntax", 1, 8, "here `,` or `}` should stand: `{` is open since line 1, column 1", BRACKETS),
    ("a: b: c", "yaml-syntax", 1, 5, *COLON),
    ("a: b\n c: d", "yaml-syntax", 2, 3, *COLON),
    ("a: 1\nb\nc: 2", "yaml-syntax", 2, 1, "here a key should stand, but no `:` follows", "write `key: value`"),
    ("a: - b", "yaml-syntax", 1, 4, "no list can start here", "put each `- item` on its own line, below the key"),
    ("a: 'b' ? c", "yaml-syntax", 1, 8, "`?` cannot start a text here", QUOTES),
    ("a: [b] c", "yaml-syntax", 1, 8, *COMPLETE),
    ("{a: b}}", "yaml-syntax", 1, 7, *COMPLETE),
    ("- a\n- 'b' c", "yaml-syntax", 2, 7, *COMPLETE),
    ("a:\n  b: c\n d: e", "yaml-syntax", 3, 2, *NEIGHBOUR),
    ("- a\nb: c", "yaml-syntax", 2, 1, *NEIGHBOUR),
    ("a: ,b", "yaml-syntax", 1, 4, *NO_VALUE),
    ("[a, , b]", "yaml-syntax", 1, 5, *NO_VALUE),
    ("a: b\n---\nc: d", "yaml-documents", 2, 1, "a second document starts here", "one file holds one spec"),
    ("[a, b]: c", "yaml-key", 1, 1, "a key must be text, and here a list starts", "write it in quotes"),
    ("? {a: b}\n: c", "yaml-key", 1, 3, "a key must be text, and here a mapping starts", "write it in quotes"),
    (
        *("a: 1\nb: {a: 1}\n'a': 3", "duplicate-key", 3, 2),
        *("key `a` stands twice in one mapping: first in line 1, column 1", "rename one of them or join their values"),
    ),
    (
        *("a: CONV3-" + "1" * 41, "long-number", 1, 10),
        *("a number has 41 digits here; it may have 40", "put text that is not a number in quotes"),
    ),
    (
        *("a: x\n  y " + "1" * 50, "long-number", 2, 5),
        *("a number has 50 digits here; it may have 40", "put text that is not a number in quotes"),
    ),
    (
        *("a: b\x07", "yaml-character", 1, 5),
        *("U+0007 (a control character) cannot stand in YAML", r"delete it, or write \x07 in double quotes"),
    ),
    (
        *("a: b\n\u2028", "yaml-character", 2, 1),
        *("U+2028 (LINE SEPARATOR) cannot stand in YAML", r"delete it, or write \u2028 in double quotes"),
    ),
    ("a: \ud800", "yaml-character", 1, 4, "U+D800 (half a character) cannot stand in YAML", "delete it"),
    (
        *(b"\xef\xbb\xbfa: \xc3\xa9\r\nb: \xe9", "encoding", 2, 4),
        *("byte 0xE9 is not UTF-8: the text seems to be in another encoding", "save it as UTF-8"),
    ),
    (
        *("a: b".encode("utf-16"), "encoding", 1, 1),
        *("byte 0xFF is not UTF-8: the text seems to be in UTF-16", "save it as UTF-8"),
    ),
]


@either
@pytest.mark.parametrize(
    ("text", "code", "line", "column", "message", "hint"), ERRORS, ids=lambda value: ascii(value)[:30]
)
def test_errors(text: str | bytes, code: str, line: int, column: int, message: str, hint: str) -> None:
    assert failure(text) == (code, line, column, message, hint)


@pytest.mark.skipif(not yaml.__with_libyaml__, reason="the other loader reads this")
@pytest.mark.parametrize("text", ["{a:}", "[a:[b]]"])
def test_a_colon_without_a_space_between_brackets(text: str) -> None:
    message = "a `:` between brackets needs a space after it"
    assert failure(text) == ("yaml-syntax", 1, 3, message, "write `key: value`")


@either
def test_an_error_underlines_the_word_in_the_source() -> None:
    with pytest.raises(ArchspecError) as caught:
        read("layers:\n- CONV3-8\n- *stem\n", "net.yaml")
    assert str(caught.value).split("\n") == [
        "net.yaml:3:3: error[yaml-alias]: at the start of a text, YAML takes `*` for an alias, and a spec has none",
        "  3 | - *stem",
        "    |   ^^^^^",
        "  help: put the whole text in quotes: '*stem'; for a value that is used twice there are vars and blocks",
    ]


# -- limits ---------------------------------------------------------------------------------------------------------

BLOCKS = "use blocks, repeats and tables"
DEEP = ("lists and mappings stand more than 100 deep in each other", "make blocks of the inner parts")


@either
@pytest.mark.parametrize(
    ("text", "code", "line", "column", "message", "hint"),
    [
        ("[" * 100_000, "too-deep", 1, 101, *DEEP),
        ("{a: " * 100_000, "too-deep", 1, 401, *DEEP),
        ("- " * 100_000, "too-deep", 1, 201, *DEEP),
        ("[\n" * 100_000, "too-deep", 101, 1, *DEEP),
        ("? " * 100_000, "yaml-key", 1, 3, "a key must be text, and here a mapping starts", "write it in quotes"),
        ("x" * (4 * 2**20 + 1), "too-large", 1, 1, "the text has 4,194,305 bytes; a spec may have 4,194,304", BLOCKS),
        ("é" * 2_097_153, "too-large", 1, 1, "the text has 4,194,306 bytes; a spec may have 4,194,304", BLOCKS),
        (b"\xff" * 5_000_000, "too-large", 1, 1, "the text has 5,000,000 bytes; a spec may have 4,194,304", BLOCKS),
    ],
    ids=lambda value: ascii(value)[:12],
)
def test_limits_are_noticed_at_once(
    text: str | bytes, code: str, line: int, column: int, message: str, hint: str
) -> None:
    start = time.process_time()
    assert failure(text) == (code, line, column, message, hint)
    assert time.process_time() - start < (5 if source.LOADER is yaml.SafeLoader else 1)


@either
def test_a_hundred_levels_are_allowed() -> None:
    value = plain(read("[" * 100 + "]" * 100))
    for _ in range(99):
        assert isinstance(value, list)
        (value,) = value
    assert value == []


def test_two_hundred_thousand_values_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert source.MOST_VALUES == 200_000
    monkeypatch.setattr(source, "MOST_VALUES", 5)
    assert plain(read("a: [1, 2]")) == {"a": [1, 2]}
    message = "here the values, keys included, pass 5"
    assert failure("a: [1, 2, 3]") == ("too-large", 1, 11, message, BLOCKS)


@either
def test_an_alias_bomb_is_refused_at_its_first_anchor() -> None:
    levels = "".join(f"x{i + 1}: &x{i + 1} [{', '.join([f'*x{i}'] * 9)}]\n" for i in range(9))
    assert failure(f"x0: &x0 lol\n{levels}")[:3] == ("yaml-alias", 1, 5)


@pytest.mark.skipif(not yaml.__with_libyaml__, reason="PyYAML without C takes ten times as long")
@pytest.mark.parametrize(
    "text", [" " * 2**20, '"' + " " * 2**20 + '"', "|\n " + " \n" * 2**19, "'" + "\n" * 2**20 + "'"]
)
def test_places_in_a_long_scalar_take_linear_time(text: str) -> None:
    start = time.process_time()
    scalar = only(text)
    scalar.span(len(scalar.text) // 2)
    assert time.process_time() - start < 3


@pytest.mark.parametrize("enabled", [True, False])
def test_the_garbage_collector_is_left_as_it_was(enabled: bool) -> None:
    before = gc.isenabled()
    (gc.enable if enabled else gc.disable)()
    try:
        failure("'")
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if before else gc.disable)()
