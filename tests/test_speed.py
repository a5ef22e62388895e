"""How long a command takes, against its libraries in the same run."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from tests.command import COMMAND, environment

LIBRARIES = [sys.executable, "-c", "import yaml, pydantic, networkx, click"]
MOST = 2.0
ROUNDS = 9


def seconds(command: list[str], surroundings: dict[str, str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, env=surroundings, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def ratio(surroundings: dict[str, str]) -> float:
    """The whole command's time over that of importing its libraries: the least of several rounds, taken in turn."""
    commands = (LIBRARIES, [*COMMAND, "table", "resnet50"])
    times = [[seconds(command, surroundings) for command in commands] for _ in range(ROUNDS)]
    libraries, table = min(first for first, _ in times), min(second for _, second in times)
    print(f"libraries {libraries:.3f} s, archspec table resnet50 {table:.3f} s: {table / libraries:.2f} times")
    return table / libraries


def test_a_table_takes_at_most_twice_the_time_of_importing_the_libraries(tmp_path: Path) -> None:
    surroundings = environment(PYTHONPYCACHEPREFIX=str(tmp_path))
    surroundings.pop("PYTHONDONTWRITEBYTECODE", None)
    for command in (LIBRARIES, [*COMMAND, "table", "resnet50"]):
        seconds(command, surroundings)  # writes the bytecode
    assert ratio(surroundings) <= MOST or ratio(surroundings) <= MOST  # once more, for the noise
