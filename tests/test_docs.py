"""The documentation: its examples run, and its tables name what the program has, no more and no less."""

from __future__ import annotations

import doctest
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic_core import PydanticUndefined

from archspec import elaborate, placing, source, structure
from archspec import notation as notation_
from archspec import rows as row_limits
from archspec.checking import check_spec
from archspec.cli import main
from archspec.document import Document
from archspec.expectations import METRICS
from archspec.expressions import parser, values
from archspec.expressions.functions import FUNCTIONS
from archspec.layers import Layer, registry

DOCS = Path(__file__).resolve().parent.parent / "docs"
FENCE = re.compile(r"^```yaml(?P<part> part)?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
HEADER = "name: example\ninput: 32x32x4\n"
CODE = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)")


def text(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def examples() -> Iterator[tuple[str, str]]:
    """Every example with its line; one that is marked as a part gets a name and an input."""
    for path in sorted(DOCS.rglob("*.md")):
        page = path.read_text(encoding="utf-8")
        for found in FENCE.finditer(page):
            line = page.count("\n", 0, found.start()) + 1
            yield f"{path.name}:{line}", (HEADER if found["part"] else "") + found["text"]


EXAMPLES = dict(examples())


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
def test_examples_are_right_and_what_they_expect_holds(example: str) -> None:
    verdicts = list(check_spec(example.encode(), "example"))
    assert [str(one) for verdict in verdicts for one in (*verdict.errors, *verdict.warnings)] == []


def test_the_page_on_weights_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = doctest.testfile(str(DOCS / "weights.md"), module_relative=False)
    assert (result.failed, result.attempted > 10) == (0, True)


def test_the_reference_has_an_example_of_every_key() -> None:
    whole = "\n".join(example for name, example in EXAMPLES.items() if name.startswith("language.md"))
    keys = {match[1] for match in re.finditer(r"^(\w+):", whole, re.MULTILINE)}
    assert set(Document.model_fields) - keys == {"source", "defaults"}


def test_an_example_that_is_wrong_would_be_noticed() -> None:
    (verdict,) = check_spec((HEADER + "layers: CONV3-8\nexpect: {parameters: 1}").encode(), "example")
    assert [one.code for one in verdict.errors] == ["expectation-failed"]


def rows(page: str, columns: int) -> list[list[str]]:
    """The rows of the tables with so many columns, headings and rules left out."""
    lines = [line.strip("|").split(" | ") for line in text(page).splitlines() if line.startswith("| ")]
    return [cells for cells in lines if len(cells) == columns and CODE.search(cells[0])]


def test_the_reference_names_every_key_metric_and_function() -> None:
    named = set(CODE.findall(re.sub(r"^```.*?^```", "", text("language.md"), flags=re.MULTILINE | re.DOTALL)))
    words = {word for code in named for word in re.findall(r"\w+", code)}
    assert set(Document.model_fields) <= named
    assert set(METRICS) <= named
    assert set(FUNCTIONS) <= words


def test_the_reference_states_the_limits() -> None:
    section = text("language.md").split("## Limits", 1)[1]
    numbers = {int(number.replace(" ", "")) for number in re.findall(r"\d+(?: \d{3})*", section)}
    assert numbers == {
        source.LARGEST // 2**20,
        *(source.MOST_VALUES, source.DEEPEST, structure.MOST_ENTRIES, notation_.LONGEST_TEXT, notation_.DEEPEST),
        *(parser.LONGEST, values.INT_BITS, values.LIST_LIMIT, values.TEXT_LIMIT),
        *(placing.MOST_NODES, elaborate.DEEPEST, row_limits.MOST_ROWS),
    }


# -- layers ------------------------------------------------------------------------------------------------------------


def notation(kind: type[Layer]) -> str:
    """A kind as docs/layers.md writes it: every option with its default; `-n` is an amount that must be given."""
    template = kind.notation
    if kind.merge_key:
        return f"{kind.merge_key}: [...]"
    parts = [template.name + ("k" if template.kernel else "")]
    if template.amount:
        parts[0] += f"-{value(template.fields[template.amount].default) or 'n'}"
    for option in template.options.values():
        default = template.fields[option.field].default
        if option.style == "flag":
            parts.append(option.key if default else f"no{option.key}")
        else:
            parts.append(option.key + ("" if option.style == "letter" else "=") + value(default))
    return " ".join(parts)


def value(default: object) -> str:
    if default is None or default is PydanticUndefined:
        return ""
    if isinstance(default, bool):
        return "yes" if default else "no"
    return "x".join(map(str, default)) if isinstance(default, tuple) else str(default)


def test_every_kind_has_exactly_one_row_with_its_options_and_their_defaults() -> None:
    written = [re.sub(r"-[A-Za-z]\b", "-n", CODE.findall(row[0])[0]) for row in rows("layers.md", 6)]
    assert sorted(written) == sorted(map(notation, registry.values()))


def test_every_row_says_what_a_layer_does_and_where_it_comes_from() -> None:
    assert [row[0] for row in rows("layers.md", 6) if not all(cell.strip() for cell in row)] == []


# -- JSON --------------------------------------------------------------------------------------------------------------

TYPES = {str: "text", int: "integer", float: "number", type(None): "null", dict: "object"}
EVERYTHING = """
name: everything
input: 8x8x4
vars: {unused: 1}
variants: {one: {}}
blocks: {unused: RELU}
layers:
  - CONV3-4 d2 share t as end, BN, CONV3-4 d2 share t as aux
  - from end, TANH
  - from end
  - mul: [RELU, [GAP, RELU]]
  - GAP
training_outputs: aux
"""


def described(page: str, title: str) -> dict[str, str]:
    """Key -> type, as the section of that title documents them."""
    section = text(page).split(f"## `{title}`", 1)[1].split("\n## ", 1)[0]
    lines = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    return {CODE.findall(key)[0]: kind for key, kind, _ in lines}


def produced(found: object, at: str = "") -> Iterator[tuple[str, str]]:
    """Every key below a JSON value with the type of what stands there."""
    if isinstance(found, dict):
        for key, inner in found.items():
            name = "<name>" if at in ("inputs", "outputs") else key
            path = f"{at}.{name}" if at else name
            yield path, kind(inner)
            yield from produced(inner, path)
    elif isinstance(found, list):
        for inner in found:
            if isinstance(inner, dict):
                yield from produced(inner, f"{at}[]")


def kind(found: object) -> str:
    if isinstance(found, list):
        inner = {kind(one) for one in found}
        plural = {"list of integers": "lists of integers"}
        return f"list of {plural.get(one, one + 's')}" if len(inner) == 1 and (one := inner.pop()) else "list"
    return TYPES[type(found)]


def fits(found: str, documented: str) -> bool:
    """Whether a value is of the documented type; one that is empty, mixed or of nulls is a list of anything."""
    numbers = documented == "list of numbers" and found == "list of integers"
    return found == documented or numbers or (found in ("list", "list of nulls") and documented.startswith("list of "))


def agrees(documented: dict[str, str], found: list[tuple[str, str]]) -> None:
    """Both name the same keys; every value has a documented type, and every such type but null is seen."""
    assert set(documented) == {path for path, _ in found}
    for path, allowed in documented.items():
        types, seen = allowed.split(" or "), {what for at, what in found if at == path}
        assert [what for what in seen if not any(fits(what, one) for one in types)] == [], path
        assert [one for one in types if one != "null" and not any(fits(what, one) for what in seen)] == [], path


def test_the_json_of_a_spec_has_the_documented_keys_and_types(tmp_path: Path) -> None:
    path = tmp_path / "everything.yaml"
    path.write_text(EVERYTHING, encoding="utf-8")
    found: list[tuple[str, str]] = []
    for options in ([], ["--variant", "one"]):
        result = CliRunner().invoke(main, ["table", str(path), "--format", "json", *options])
        found += produced(json.loads(result.stdout))
    agrees(described("json.md", "archspec table SPEC --format json"), found)


def test_the_json_of_the_list_has_the_documented_keys_and_types() -> None:
    result = CliRunner().invoke(main, ["list", "--format", "json"])
    agrees(described("json.md", "archspec list --format json"), list(produced(json.loads(result.stdout))))


def test_the_json_of_a_field_has_the_documented_keys_and_types() -> None:
    """What stands below a field or a note is documented with `archspec table`."""
    text = "{name: a, input: 4x4x1, variants: {b: {}}, layers: [CONV3-4 p9 as end, CONV3-4 x3, GAP, FLATTEN]}"
    found: list[tuple[str, str]] = []
    for options in ([], ["--layer", "end", "--unit", "9,9"], ["--variant", "b", "--layer", "end", "--unit", "9,0"]):
        result = CliRunner().invoke(main, ["rf", "-", "--format", "json", *options], input=text)
        found += produced(json.loads(result.stdout))
    own = [(path, what) for path, what in found if "receptive_field." not in path and "notes[]." not in path]
    agrees(described("json.md", "archspec rf SPEC --format json"), own)


# -- links -------------------------------------------------------------------------------------------------------------


def test_links_between_pages_lead_somewhere() -> None:
    for path in sorted(DOCS.rglob("*.md")):
        for page, heading in LINK.findall(path.read_text(encoding="utf-8")):
            target = path.parent / page if page else path
            assert target.is_file(), f"{path.name}: {page}"
            text = target.read_text(encoding="utf-8") if target.suffix == ".md" else ""
            titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
            anchors = {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}
            assert not heading or heading in anchors, f"{path.name}: {page}#{heading}"
