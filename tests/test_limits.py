"""Hostile and oversized specs are refused or answered at once, in little memory, and in one screen of text."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("resource", reason="memory is measured by the operating system")

SECOND, MEGABYTE = 1.0, 2**20
HEAD = "name: net\ninput: 28x28x1\n"
MANY = 10**5
PROBE = """
import json, resource, sys, time
from pathlib import Path
import archspec
from archspec.checking import check_spec
from archspec.cli import main

archspec.parse("{name: warm, input: 28x28x1, layers: CONV3-10}")
unit = 1 if sys.platform == "darwin" else 1024
before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
code, placed = None, True
try:
    archspec.parse(Path(sys.argv[1]).read_bytes(), "net.yaml")
except archspec.ArchspecError as error:
    code, placed = error.code, all(found.span for found in error.diagnostics)
seconds = time.process_time() - start
memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit
print(json.dumps([code, placed, seconds, memory]), flush=True)
main(["check", sys.argv[1]])
"""


def layers(text: str) -> str:
    return f"{HEAD}layers: {text}"


def lines(key: str, line: Callable[[int], str], count: int = MANY) -> str:
    return f"{HEAD}{key}:\n" + "".join(f"  {line(number)}\n" for number in range(count))


def nest(form: str, depth: int, inner: str = "RELU") -> str:
    for level in range(depth):
        inner = form.replace("@", inner).replace("#", str(level))
    return inner


CASES: dict[str, tuple[str | None, str | bytes]] = {
    "alias bomb": ("yaml-alias", "a: &a [x, x, x]\nb: &b [*a, *a, *a]\n" + layers("*b")),
    "brackets": ("too-deep", layers("[" * MANY)),
    "closed brackets": ("too-deep", layers("[" * MANY + "]" * MANY)),
    "braces": ("yaml-key", layers("{" * MANY)),
    "parentheses": ("too-large", layers("(" * MANY + "RELU" + ")" * MANY)),
    "parentheses just short enough": ("too-deep", layers("(" * 49_000 + "RELU" + ")" * 49_000)),
    "open parentheses": ("unbalanced", layers("(" * (MANY - 1))),
    "deep parentheses side by side": (None, layers(", ".join(["(" * 49 + "RELU" + ")" * 49] * 900))),
    "parentheses of an expression": ("too-deep", layers("RELU x" + "(" * 49_000 + "1" + ")" * 49_000)),
    "parentheses of a kernel": ("too-deep", layers("CONV" + "(" * 49_000 + "1" + ")" * 49_000 + "-3")),
    "brackets of an argument": ("too-deep", layers("'b(" + "[" * 49_000 + "]" * 49_000 + ")'")),
    "open calls": ("unbalanced", layers("'" + "b(" * 49_000 + "'")),
    "a repeat of a billion": ("too-large", layers("RELU x1000000000")),
    "a tower of powers": ("too-large", layers("RELU x(2**2**2**99)")),
    "a text of a gigabyte": ("too-large", layers("RELU x(len('a'*10**9))")),
    "a list of a gigabyte": ("too-large", f"{HEAD}vars: {{v: '=[1] * 10**9', w: =[1]*10**9}}\nlayers: RELU"),
    "linear recursion": ("too-deep", f"{HEAD}blocks: {{r: 'CONV3-8, r'}}\nlayers: r"),
    "binary recursion": ("too-deep", f"{HEAD}blocks: {{r: 'CONV3-8, r, r'}}\nlayers: r"),
    "empty binary recursion": ("too-deep", f"{HEAD}blocks: {{r: 'r, r'}}\nlayers: r"),
    "doubling recursion": (
        "too-large",
        f"{HEAD}blocks:\n  r(n): (RELU if n == 0 else (r(n-1), r(n-1)))\nlayers: r(50)",
    ),
    "growing argument": ("too-large", f"{HEAD}blocks:\n  r(t): r(t+t)\nlayers: r('RELU')"),
    "nested repeats": ("too-large", layers("((RELU x1000) x1000) x1000")),
    "nested repeats of nothing": ("too-large", layers("(((IDENTITY) x100000) x100000) x100000")),
    "nested repeats of nothing within the limit": ("too-large", layers("(((IDENTITY) x50000) x50000) x50000")),
    "rows of a billion": ("too-large", layers("\n  each: {F: =range(10**9)}\n  layers: RELU")),
    "rows of rows": (
        "too-large",
        layers("\n  each: {F: =range(10000)}\n  layers:\n    each: {G: =range(10000)}\n    layers: IDENTITY"),
    ),
    "a wide table": (None, layers(f"\n  each: |\n    {' '.join(f'c{n}' for n in range(9000))}\n    {'1 ' * 9000}\n  layers: RELU")),
    "all points in every row": (
        "too-large",
        layers("\n  each: {k: =range(10000)}\n  layers:\n  - RELU as f\n  - add: [from f*]"),
    ),
    "invalid UTF-8": ("encoding", layers("").encode() + b"\xff\xfe"),
    "five megabytes": ("too-large", layers("RELU, " * 800_000)),
    "almost four megabytes": ("too-large", layers("RELU, " * 690_000)),
    "many errors in one text": ("too-large", layers("CONVV3-8, " * MANY)),
    "many errors in a shorter text": ("unknown-layer", layers("CONVV3-8, " * 9900)),
    "many errors in a list": ("too-large", lines("layers", lambda number: f"- conv{number}-8")),
    "many different errors": ("unknown-block", lines("layers", lambda number: f"- conv{number}-8", 10_000)),
    "many shape errors": ("repeat", lines("layers", lambda _: "- RELU x(-1)", 10_000)),
    "many unknown keys": ("unknown-key", layers("RELU\n") + "".join(f"k{number}: 1\n" for number in range(90_000))),
    "many unknown points": ("unknown-point", lines("layers", lambda number: f"- from p{number}", 10_000)),
    "many bad variables": ("unknown-name", lines("vars", lambda n: f"k{n}: =q{n}", 10_000) + "layers: RELU"),
    "many bad blocks": ("unknown-block", lines("blocks", lambda n: f"b{n}: q{n}", 10_000) + "layers: RELU"),
    "many unused blocks": (None, lines("blocks", lambda n: f"b{n}: RELU", 9000) + "layers: RELU"),
    "deep stages": (None, layers(nest("{s#: @}", 97))),
    "deep merges": (None, layers(nest("{add: [@, CONV3-8]}", 48, "CONV3-8"))),
    "deep stages in a recursion": (
        None,
        f"{HEAD}blocks:\n  b(n):\n  - {nest('{s#: [@]}', 45, 'b(n-1) if n > 0')}\nlayers: b(60)",
    ),
    "a chain of variables": (None, lines("vars", lambda n: f"v{n}: =v{n + 1}", 5000) + "  v5000: 1\nlayers: RELU x(v0)"),
    "a cycle of variables": ("cycle", lines("vars", lambda n: f"v{n}: =v{(n + 1) % 5000}", 5000) + "layers: RELU"),
    "doubling variables": ("too-large", lines("vars", lambda n: f"v{n}: =[v{n + 1},v{n + 1}]", 60) + "  v60: 1\nlayers: RELU"),
    "doubling texts": ("too-large", lines("vars", lambda n: f"t{n}: t{n + 1}, t{n + 1}", 60) + "  t60: RELU\nlayers: t0"),
    "text that reads itself": ("too-deep", f"{HEAD}vars: {{t: u, u: t}}\nlayers: t"),
    "text that doubles itself": ("too-deep", f"{HEAD}vars: {{t: '(t, t)'}}\nlayers: t"),
    "text that calls its block": ("too-deep", f"{HEAD}blocks: {{b(t): t}}\nvars: {{u: \"b('u')\"}}\nlayers: u"),
    "a long word": ("too-long", layers("A" * 90_000)),
    "a long number": ("long-number", layers("CONV3-" + "9" * MANY)),
    "a size of forty digits": ("too-large", layers("CONV3-" + "9" * 39)),
    "sizes that grow": ("too-large", layers("((UPSAMPLE-9999999999) x1000) x50")),
    "channels that double": ("too-large", layers("\n  each: {j: =range(9000)}\n  layers:\n    concat: [IDENTITY, IDENTITY]")),
    "a long block name": ("too-long", f"{HEAD}blocks:\n  ? {'b' * 90_000}\n  : RELU\nlayers: {'b' * 90_000}"),
    "a long parameter": ("argument-missing", f"{HEAD}blocks:\n  ? b({'p' * MANY})\n  : RELU\nlayers: b"),
    "long points": ("unknown-point", layers(f"RELU as {'p' * 49_000}, from {'q' * 49_000}")),
    "a long stage": (None, layers(f"\n  ? {'s' * MANY}\n  : RELU")),
    "a long key": ("unknown-key", layers(f"RELU\n? {'k' * MANY}\n: 1")),
    "a long option": ("unknown-option", layers(f"CONV3-8 {'o' * 90_000}")),
    "a long input": ("input", f"name: net\ninput: {'x'.join('3' * 40_000)}\nlayers: RELU"),
    "a chain of alternatives": ("too-deep", layers("RELU if no else " * 6000 + "RELU")),
    "blank lines before an error": ("unknown-layer", layers("|\n" + "\n" * 90_000 + "  CONVV3-8")),
}  # fmt: skip


@pytest.mark.parametrize(("code", "text"), CASES.values(), ids=CASES)
def test_settled_at_once(code: str | None, text: str | bytes, tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    run = subprocess.run([sys.executable, "-c", PROBE, path], capture_output=True, text=True, timeout=60, check=False)
    assert run.stdout, run.stderr
    measured, *shown = (run.stdout + run.stderr).splitlines()
    found, placed, seconds, memory = json.loads(measured)
    assert (found, placed) == (code, True)
    assert seconds < SECOND
    assert memory < 200 * MEGABYTE
    assert run.returncode == (0 if code is None else 1)
    assert "Traceback" not in run.stderr
    assert len(shown) <= 260
    assert max(map(len, shown)) < 1000
