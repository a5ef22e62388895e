"""The comparison with brute force can fail: for every kind, a fault in what it says it reads is found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from archspec import ArchspecError, Layer
from archspec.layers import AxisWindow, Mark, Phases, Reach, Window, registry
from tests.field_oracle import OutOfPatience
from tests.receptive_field.comparison import compare, network
from tests.strategies import layers

Change = Callable[[Phases], Phases]
WRONG_PLACE = Phases(1, 1, ((1,),))  # in place of everything


def shifted(reads: Phases) -> Phases:
    return Phases(reads.period, reads.step, tuple(tuple(tap + 1 for tap in taps) for taps in reads.taps))


def one_tap_less(reads: Phases) -> Phases:
    return Phases(reads.period, reads.step, (*reads.taps[:-1], reads.taps[-1][:-1]))


def wrong_step(reads: Phases) -> Phases:
    return Phases(reads.period, reads.step + 1, reads.taps)


def wrong_period(reads: Phases) -> Phases:
    return Phases(reads.period + 1, reads.step, (*reads.taps, reads.taps[0]))


def changed(window: Window, change: Change) -> Window:
    axes = (AxisWindow(axis, WRONG_PLACE if isinstance(reads, Reach) else change(reads)) for axis, reads in window.axes)
    return Window(tuple(axes), window.mark, window.unmarked and changed(window.unmarked, change))


def of_phases(change: Change) -> Callable[[Window], Window]:
    return lambda window: changed(window, change)


def wrong_mark(window: Window) -> Window:
    """What is left out without gates is not, and the other way round."""
    return Window(window.axes, None if window.mark else Mark.GATE)


FAULTS: dict[str, Callable[[Window], Window]] = {
    "shifted": of_phases(shifted),
    "one tap less": of_phases(one_tap_less),
    "wrong step": of_phases(wrong_step),
    "wrong period": of_phases(wrong_period),
    "wrong mark": wrong_mark,
}
MERGED: list[Any] = [["IDENTITY", "CONV3-4"], ["CONV3-4", "GAP"], ["CONV3-4 s2 p=same", "POOL2 ceil=yes"]]
INPUTS = st.sampled_from(["6x4", "4x4", "1x4", "4x6x4", "4x4x4", "1x1x4"])
RESHAPES = st.sampled_from(["RESHAPE to=4x6", "RESHAPE to=2x2x4", "RESHAPE to=4x4x4", "RESHAPE to=4x4"])
WITHOUT_NODE = {name for name, kind in registry.items() if kind.transparent or kind.absent}


def around(kind: type[Layer]) -> SearchStrategy[Any]:
    """Layers with one of a kind among them."""
    if kind.merge_key:
        return st.sampled_from([{kind.merge_key: branches} for branches in MERGED])
    return RESHAPES if kind is registry["RESHAPE"] else layers(kind).map(str)


def disagrees(shape: str, items: object) -> bool:
    """Whether the pass differs from brute force; what is no network, or too large, is passed over."""
    try:
        compare(network(shape, items), patience=3000)
    except (ArchspecError, OutOfPatience):
        return False
    except AssertionError:
        return True
    return False


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("kind", [kind for name, kind in registry.items() if name not in WITHOUT_NODE])
def test_a_fault_in_a_window_is_found(
    kind: type[Layer], fault: Callable[[Window], Window], monkeypatch: pytest.MonkeyPatch
) -> None:
    right = kind.window
    monkeypatch.setattr(kind, "window", lambda *arguments: tuple(map(fault, right(*arguments))))
    search = settings(
        max_examples=1000,
        phases=[Phase.generate],
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    find(st.tuples(INPUTS, around(kind)), lambda drawn: disagrees(*drawn), settings=search)


@pytest.mark.parametrize("name", sorted(WITHOUT_NODE))
def test_the_kinds_that_make_no_node(name: str) -> None:
    """Their windows are never read, so that no fault in them can show."""
    branches = ["CONV3-2", "IDENTITY" if name == "IDENTITY" else "RELU, NONE"]
    assert name not in {node.layer.kind for node in network("4x2", {"add": branches})}
