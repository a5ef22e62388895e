"""Hostile and oversized specs are refused or answered at once, in little memory, and in one screen of text."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("resource", reason="memory is measured by the operating system")

SECOND, MEMORY = 2.0, 200 * 2**20  # of the processor (half of it on an idle machine), bytes
LINES, COLUMNS = 260, 1000
HEAD = "name: net\ninput: 28x28x1\n"
MANY = 10**5
COLUMN_NAMES = " ".join(f"c{number}" for number in range(9000))
SERVER = """
import json, os, sys, traceback
from pathlib import Path
import archspec
from archspec.cli import main

archspec.parse("{name: warm, input: 28x28x1, layers: CONV3-10}")

def settle(path):
    try:
        archspec.parse(Path(path).read_bytes(), "net.yaml")
        print(json.dumps([None, True]))
    except archspec.ArchspecError as error:
        print(json.dumps([error.code, all(found.span for found in error.diagnostics)]))

def measured(run, output):
    pid = os.fork()
    if pid == 0:
        handle = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        code = 3
        try:
            run()
            code = 0
        except SystemExit as leaving:
            code = leaving.code
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code or 0)
    _, status, used = os.wait4(pid, 0)
    memory = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return [os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, memory]

for line in sys.stdin:
    path = line.strip()
    of_parse = measured(lambda: settle(path), path + ".parse")
    of_check = measured(lambda: main(["check", path]), path + ".check")
    print(json.dumps([of_parse, of_check]), flush=True)
"""


@pytest.fixture(scope="module")
def server() -> Iterator[subprocess.Popen[str]]:
    """A process that knows archspec, and forks for each spec whose path it reads: time and memory are that spec's."""
    command = [sys.executable, "-c", SERVER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        assert process.stdin
        process.stdin.close()


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
    "a list of a gigabyte": ("too-large", f"{HEAD}vars:\n  v: =[1]*10**9\nlayers: RELU"),
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
    "a wide table": (None, layers(f"\n  each: |\n    {COLUMN_NAMES}\n    {'1 ' * 9000}\n  layers: RELU")),
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
    "many unknown keys": ("unknown-key", layers("RELU\n") + "".join(f"k{number}: 1\n" for number in range(50_000))),
    "many unknown points": ("unknown-point", lines("layers", lambda number: f"- from p{number}", 10_000)),
    "many bad variables": ("unknown-name", lines("vars", lambda n: f"k{n}: =q{n}", 10_000) + "layers: RELU"),
    "many bad blocks": ("unknown-block", lines("blocks", lambda n: f"b{n}: q{n}", 7_000) + "layers: RELU"),
    "many unused blocks": (None, lines("blocks", lambda n: f"b{n}: RELU", 9000) + "layers: RELU"),
    "a kernel as large as a long input": ("size", "name: a\ninput: 20000001x3\nlayers: CONV20000001-3"),
    "a transposed convolution of large stride": (None, layers("UPCONV20000-3 s19999 p0")),
    "a huge factor": ("size", layers("UPSAMPLE-1000000")),
    "a large factor": (None, layers("UPSAMPLE-60000")),
    "very many parts": ("too-large", layers("POOL to=3000017")),
    "co-prime sizes": ("too-large", "name: a\ninput: 1000003x3\nlayers: RESIZE to=999983"),
    "a chain behind co-prime sizes": (
        None,
        "name: a\ninput: 5003x1\nlayers: RESIZE to=4999 mode=linear, (CONV3-1) x400",
    ),
    "deep stages": (None, layers(nest("{s#: @}", 97))),
    "deep merges": (None, layers(nest("{add: [@, CONV3-8]}", 48, "CONV3-8"))),
    "deep stages in a recursion": (
        None,
        f"{HEAD}blocks:\n  b(n):\n  - {nest('{s#: [@]}', 45, 'b(n-1) if n > 0')}\nlayers: b(60)",
    ),
    "a chain of variables": (
        None,
        lines("vars", lambda n: f"v{n}: =v{n + 1}", 5000) + "  v5000: 1\nlayers: RELU x(v0)",
    ),
    "a cycle of variables": ("cycle", lines("vars", lambda n: f"v{n}: =v{(n + 1) % 5000}", 5000) + "layers: RELU"),
    "doubling variables": (
        "too-large",
        lines("vars", lambda n: f"v{n}: =[v{n + 1},v{n + 1}]", 60) + "  v60: 1\nlayers: RELU",
    ),
    "doubling texts": (
        "too-large",
        lines("vars", lambda n: f"t{n}: t{n + 1}, t{n + 1}", 60) + "  t60: RELU\nlayers: t0",
    ),
    "text that reads itself": ("too-deep", f"{HEAD}vars: {{t: u, u: t}}\nlayers: t"),
    "text that doubles itself": ("too-deep", f"{HEAD}vars: {{t: '(t, t)'}}\nlayers: t"),
    "text that calls its block": ("too-deep", f"{HEAD}blocks: {{b(t): t}}\nvars: {{u: \"b('u')\"}}\nlayers: u"),
    "a long word": ("too-long", layers("A" * 90_000)),
    "a long number": ("long-number", layers("CONV3-" + "9" * MANY)),
    "a size of forty digits": ("too-large", layers("CONV3-" + "9" * 39)),
    "sizes that grow": ("too-large", layers("((UPSAMPLE-60000) x1000) x50")),
    "channels that double": (
        "too-large",
        layers("\n  each: {j: =range(9000)}\n  layers:\n    concat: [IDENTITY, IDENTITY]"),
    ),
    "a long block name": ("too-long", f"{HEAD}blocks:\n  ? {'b' * 90_000}\n  : RELU\nlayers: {'b' * 90_000}"),
    "a long parameter": ("argument-missing", f"{HEAD}blocks:\n  ? b({'p' * MANY})\n  : RELU\nlayers: b"),
    "long points": ("unknown-point", layers(f"RELU as {'p' * 49_000}, from {'q' * 49_000}")),
    "a long stage": (None, layers(f"\n  ? {'s' * MANY}\n  : RELU")),
    "a long key": ("unknown-key", layers(f"RELU\n? {'k' * MANY}\n: 1")),
    "a long option": ("unknown-option", layers(f"CONV3-8 {'o' * 90_000}")),
    "a long input": ("input", f"name: net\ninput: {'x'.join('3' * 20_000)}\nlayers: RELU"),
    "a chain of alternatives": ("too-deep", layers("RELU if no else " * 6000 + "RELU")),
    "blank lines before an error": ("unknown-layer", layers("|\n" + "\n" * 90_000 + "  CONVV3-8")),
}  # fmt: skip


def settled(server: subprocess.Popen[str], path: Path) -> list[list[float]]:
    """Exit code, processor seconds and bytes of parse and check: up to three tries, as a busy neighbour slows one."""
    assert server.stdin
    assert server.stdout
    for _ in range(3):
        print(path, file=server.stdin, flush=True)
        runs: list[list[float]] = json.loads(server.stdout.readline())
        if max(run[1] for run in runs) < SECOND:
            break
    return runs


@pytest.mark.parametrize(("code", "text"), CASES.values(), ids=CASES)
def test_settled_at_once(code: str | None, text: str | bytes, server: subprocess.Popen[str], tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    of_parse, of_check = settled(server, path)
    said, shown = (Path(f"{path}.{run}").read_text(encoding="utf-8") for run in ("parse", "check"))
    assert said == json.dumps([code, True]) + "\n"
    assert of_parse[0] == 0
    assert of_check[0] == (0 if code is None else 1), shown
    assert "Traceback" not in shown
    assert max(of_parse[1], of_check[1]) < SECOND
    assert max(of_parse[2], of_check[2]) < MEMORY
    assert shown.count("\n") <= LINES
    assert max(map(len, shown.split("\n"))) < COLUMNS
