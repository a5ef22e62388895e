"""Every error and warning as its reader sees it: code, place, excerpt, shape, calls and help.

tests/errors/ holds the cases, a file for each room: a title, a spec, and after `>>>` all that is said of it. A spec
without an input gets a name and an input below its text.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import archspec
from archspec.analysis.memory import itemsize
from archspec.errors import ArchspecError, Diagnostic, Findings, Source, Span, did_you_mean, drawn

ROOT = Path(__file__).resolve().parent.parent
CASES = re.compile(r"^=== (?P<title>.+)\n(?P<spec>(?:.*\n)*?)>>>\n(?P<said>(?:.*\n)*?)(?=\n=== |\Z)", re.MULTILINE)
REST = "name: net\ninput: 28x28x1\n"
RAISING = {"ArchspecError", "ShapeError", "LimitError", "Diagnostic", "fail", "error", "_error", "_syntax"}


def cases() -> Iterator[object]:
    for path in sorted((ROOT / "tests" / "errors").glob("*.txt")):
        for case in CASES.finditer(path.read_text(encoding="utf-8")):
            yield pytest.param(case["spec"], case["said"].rstrip("\n"), id=f"{path.stem}: {case['title']}")


def said_of(spec: str) -> str:
    """The drawn errors of a spec, or where it has none its warnings."""
    text = spec if re.search(r"^(- )?input\b", spec, re.MULTILINE) else spec + REST
    try:
        return drawn(archspec.parse(text, "net.yaml").warnings)
    except ArchspecError as error:
        return str(error)


@pytest.mark.parametrize(("spec", "said"), tuple(cases()))
def test_what_is_said(spec: str, said: str) -> None:
    assert said_of(spec) == said


def test_every_case_is_read() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "errors").glob("*.txt")]
    assert len(list(cases())) == sum(len(re.findall("^=== ", text, re.MULTILINE)) for text in texts) > 100


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_places_with_every_line_end(end: str) -> None:
    text = f"{REST}layers: >\n  CONV3-8,\n\n  POOL2, CONVX3-8\n".replace("\n", end)
    with pytest.raises(ArchspecError) as caught:
        archspec.parse(text, "net.yaml")
    assert str(caught.value) == (
        "net.yaml:6:10: error[unknown-layer]: there is no layer `CONVX3`\n"
        "  6 |   POOL2, CONVX3-8\n"
        "    |          ^^^^^^\n"
        "  help: did you mean CONV?"
    )


def test_a_tab_and_a_wide_character_keep_the_caret_below_its_word() -> None:
    with pytest.raises(ArchspecError) as caught:
        archspec.parse(f"{REST}layers: [RELU,\tCONVX3-8] # 層\n", "net.yaml")
    line, caret = str(caught.value).split("\n")[1:3]
    assert line.index("CONVX3") == caret.index("^^^^^^")


def test_an_error_of_a_request_has_no_place() -> None:
    with pytest.raises(ArchspecError) as caught:
        itemsize("flaot32")
    assert str(caught.value) == "error[unknown-dtype]: there is no dtype `flaot32`\n  help: did you mean float32?"


# -- many and long findings ------------------------------------------------------------------------------------------


def finding(number: int) -> Diagnostic:
    source = Source("net.yaml", "x" * 200)
    return Diagnostic("repeat", f"finding {number}", Span(source, number, number + 1))


def test_of_many_findings_the_first_are_drawn() -> None:
    found = drawn([finding(number) for number in range(30)])
    assert found.count("error[repeat]") == 20
    assert "finding 19\n" in found
    assert found.endswith("\n\n... and 10 more")
    assert not drawn([finding(number) for number in range(20)]).endswith("more")


def test_the_hundredth_finding_ends_the_search() -> None:
    findings = Findings()
    findings.add(*(finding(number) for number in reversed(range(99))))
    with pytest.raises(ArchspecError) as caught, findings:
        raise ArchspecError("repeat", "the last one", finding(99).span)
    assert [found.message for found in caught.value.diagnostics] == [
        *(f"finding {number}" for number in range(99)),
        "the last one",
    ]


def test_a_long_message_is_cut() -> None:
    first = str(Diagnostic("name", "a" * 1000, hint="b" * 1000)).split("\n")
    assert first == [f"error[name]: {'a' * 400} ...", f"  help: {'b' * 400} ..."]


def test_a_near_name_is_found_among_many() -> None:
    names = [f"block{number}" for number in range(1000)] + ["stem"]
    assert did_you_mean("sten", names) == "did you mean stem?"
    assert did_you_mean("s" * 41, ["s" * 40]) is None


# -- codes -----------------------------------------------------------------------------------------------------------


def codes() -> set[str]:
    """Every code that is written in the source as a call's first argument; `*` stands for what is computed."""
    found: set[str] = set()
    for path in (ROOT / "archspec").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "id", None) or getattr(node.func, "attr", None)
            if name in RAISING:
                found |= set(_written(node.args[0]))
    return found


def _written(node: ast.expr) -> Iterator[str]:
    parts = node.values if isinstance(node, ast.JoinedStr) else [node] if isinstance(node, ast.Constant) else []
    text = "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in parts)
    if re.fullmatch(r"[a-z*]+(-[a-z*]+)*", text):
        yield text


def explained() -> list[str]:
    text = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    return re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE)


def test_every_code_is_explained() -> None:
    patterns = [code.replace("*", "[a-z]+") for code in codes()]
    assert [pattern for pattern in patterns if not any(re.fullmatch(pattern, code) for code in explained())] == []


def test_every_explained_code_is_explained_once_and_asserted_in_a_test() -> None:
    files = [*(ROOT / "tests").rglob("test_*.py"), *(ROOT / "tests" / "errors").glob("*.txt")]
    tests = "\n".join(path.read_text(encoding="utf-8") for path in files)
    assert sorted(explained()) == sorted(set(explained()))
    assert [code for code in explained() if not re.search(rf"\[{code}\]|\"{code}\"", tests)] == []
