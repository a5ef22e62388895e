"""The README: its console blocks show what the commands print."""

from __future__ import annotations

import re
import shlex

import pytest

from tests.command import ROOT, call

BLOCK = re.compile(r"^```console\n\$ (?P<command>.+)\n(?P<output>(?:.*\n)*?)```$", re.MULTILINE)
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = [(match["command"], match["output"]) for match in BLOCK.finditer(README)]
SECONDS = re.compile(r"\(\d+ s\)")


def test_the_blocks_are_found() -> None:
    assert [command.split()[1] for command, _ in BLOCKS] == ["verify", "run"]


@pytest.mark.parametrize(("command", "output"), BLOCKS, ids=[command for command, _ in BLOCKS])
def test_a_block_shows_what_the_command_prints(command: str, output: str) -> None:
    program, *arguments = shlex.split(command)
    assert program == "archspec"
    assert SECONDS.sub("", call(*arguments).stdout) == SECONDS.sub("", output)
