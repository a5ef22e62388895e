"""The one check, here and in CI: `python tests/check.py` stops at the first step that fails, with its exit code.

The tools are those installed beside the Python that runs this file, so no environment needs to be activated.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = [name for name in ("archspec", "builders", "studies", "visualize") if (ROOT / name).is_dir()]
STEPS = [
    ["ruff", "check", "."],
    ["ruff", "format", "--check", "."],
    ["mypy", *PACKAGES, "tests", "benchmarks", "docs"],
    ["lint-imports", "--no-logo"],
    ["deptry", *PACKAGES],
    ["pytest", "-n", "2", "--durations=5"],
]


def run(step: list[str]) -> int:
    """Runs one step in the repository's root and returns its exit code."""
    tool = Path(sysconfig.get_path("scripts"), step[0])
    if not tool.exists():
        print(f"{step[0]} is not installed beside {sys.executable}: pip install -e '.[dev]'", flush=True)
        return 1
    print(f"\n$ {' '.join(step)}", flush=True)
    start = time.perf_counter()
    code = subprocess.run([tool, *step[1:]], cwd=ROOT, check=False).returncode
    print(f"{'ok' if code == 0 else 'FAILED'}: {' '.join(step)} ({time.perf_counter() - start:.1f} s)", flush=True)
    return code


def main() -> int:
    return next((code for code in map(run, STEPS) if code), 0)


if __name__ == "__main__":
    sys.exit(main())
