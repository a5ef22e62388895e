"""The proof of a single layer's window: it holds for every kind, and names every fault planted in a declaration."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from archspec import (
    ArchspecError,
    AxisWindow,
    Call,
    Elementwise,
    Family,
    Layer,
    Phases,
    Reach,
    Shape,
    Window,
    builder,
    pointwise,
)
from archspec.layers import registry, whole
from archspec.layers.activation import HardSigmoid, HardSwish, Relu, Relu6, Softmax
from archspec.layers.convolution import Conv, UpConv
from archspec.layers.merge import Mul
from archspec.layers.normalization import GroupNorm
from archspec.layers.regularization import Dropout
from archspec.layers.reshape import Identity, Part, Reshape, Shuffle, Transpose
from archspec.layers.resize import Crop, Resize, Upsample
from builders.proofs.probes import exact
from builders.proofs.slim import Inputs, thinnest
from builders.proofs.windows import blurs, prove_window
from tests.builders.faulty import Fails, Late
from tests.receptive_field.test_faults import changed, one_tap_less, shifted
from tests.strategies import layers

SPATIAL = st.sampled_from([(), (7,), (9, 7), (7, 8), (1, 1), (4, 5, 3)])
KINDS = [kind for name, kind in registry.items() if name not in ("INPUT", "NONE")]
WEIGHTED = (1, 4, 8)
RESHAPES = st.sampled_from([Reshape(to=(7, 4)), Reshape(to=(9, 7, 4)), Reshape(to=(63, 4)), Reshape(to=(7, 8))])


def drawn(kind: type[Layer]) -> SearchStrategy[tuple[Layer, Inputs]]:
    """A layer of a kind, and shapes that it may or may not read."""
    shape = st.builds(Shape, SPATIAL, st.sampled_from(WEIGHTED))
    if kind.merge_key == "mul":
        gates = st.builds(lambda one, size: (one, Shape((size,) * one.rank, one.channels)), shape, st.sampled_from([1]))
        return st.tuples(layers(kind), gates | shape.map(lambda one: (one, one)))
    if kind.merge_key:
        return st.tuples(layers(kind), shape.map(lambda one: (one, one)))
    if "like" in kind.model_fields:
        sized = layers(kind).filter(lambda layer: dict(layer)["like"] is None)
        return st.tuples(sized, st.tuples(shape))
    return st.tuples(RESHAPES if kind is Reshape else layers(kind), st.tuples(shape))


def proofs(layer: Layer, inputs: Inputs) -> list[str]:
    """The verdicts on a layer; none where it cannot read the shapes."""
    try:
        layer.output_shape(*inputs)
    except ArchspecError:
        return []
    return [claim.verdict for claim in prove_window(layer, inputs)]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=10, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_kind_reads_what_it_declares(kind: type[Layer], data: st.DataObject) -> None:
    layer, inputs = data.draw(drawn(kind))
    nan = getattr(layer, "eps", 1) == 0 or getattr(layer, "alpha", 1) <= 0 or getattr(layer, "k", 1) <= 0  # NaN anyway
    assert set(proofs(layer, inputs)) <= ({"holds", "not measured"} if nan else {"holds"})


def one_tap_more(reads: Phases) -> Phases:
    last = reads.taps[-1]
    return Phases(reads.period, reads.step, (*reads.taps[:-1], (*last, last[-1] + 1 if last else 0)))


@pytest.mark.parametrize("fault", [shifted, one_tap_less, one_tap_more])
@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_declaration_is_named(kind: type[Layer], fault: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that is read as a whole is declared as a single wrong position instead."""
    right = kind.window
    monkeypatch.setattr(kind, "window", lambda *given: tuple(changed(one, fault) for one in right(*given)))
    search = settings(
        max_examples=300,
        phases=[Phase.generate],
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    layer, inputs = find(drawn(kind), lambda found: "FAILS" in proofs(*found), settings=search)
    wrong = next(claim for claim in prove_window(layer, inputs) if not claim.holds)
    assert str(layer) in wrong.subject
    assert "reads position" in str(wrong.measured) or "does not read" in str(wrong.measured)


@pytest.mark.parametrize("layer", [Relu(), Dropout(p=0.5), Part(index=0, of=2), Identity(), Crop(to=(4,))])
def test_a_view_or_a_layer_in_place_that_says_it_reads_everything_is_caught(
    layer: Layer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert proofs(layer, (Shape((6, 5), 4),)) == ["holds", "holds"]
    monkeypatch.setattr(type(layer), "window", lambda self, *given: (whole(given[0].rank),))  # noqa: ARG005
    assert proofs(layer, (Shape((6, 5), 4),)) == ["FAILS", "FAILS"]


def test_the_claim_names_the_unit_and_the_position(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, shape = Conv(kernel=(3,), filters=8, stride=(2,)), Shape((30, 7), 4)
    rows, columns = prove_window(layer, (shape,))
    assert rows.subject == "CONV3-8 s2 on 30 x 7 x 4, H"
    assert (rows.quantity, rows.predicted) == ("window", "-1 0 1 + 2 for every 1")
    assert rows.note == "18 of 30 positions, by NaN, channels as in 30 x 7 x 2"
    assert columns.note == "7 of 7 positions, by NaN, channels as in 30 x 7 x 2"
    right = Conv.window
    monkeypatch.setattr(Conv, "window", lambda *given: tuple(changed(one, one_tap_less) for one in right(*given)))
    assert prove_window(layer, (shape,))[0].measured == "unit 0, 0 also reads position 1"


@pytest.mark.parametrize("layer", [HardSwish(), HardSigmoid(), Relu6(), Softmax(), Dropout(p=0.5)])
def test_what_saturates_or_drops_still_shows_what_it_reads(layer: Layer) -> None:
    assert proofs(layer, (Shape((9, 4), 3),)) == ["holds", "holds"]


def test_zero_factors_pass_nan_on_and_no_change() -> None:
    up, shape = Upsample(factor=2, mode="bilinear"), Shape((6, 5), 8)
    assert {claim.verdict for claim in prove_window(up, (shape,))} == {"holds"}
    assert "finite changes" in prove_window(up, (shape,))[0].note
    assert blurs(up, (shape,))
    assert not blurs(Upsample(factor=2), (shape,))
    odd = Resize(to=(9, 15), mode="bilinear")
    assert proofs(odd, (Shape((3, 5), 2),)) == ["holds", "holds"]


def test_gates_and_statistics_are_read_as_a_whole() -> None:
    image, gate = Shape((7, 9), 16), Shape((1, 1), 16)
    stated = [claim.predicted for claim in prove_window(Mul(), (image, gate))]
    assert stated == ["0 + 1 for every 1"] * 2 + ["everything"] * 2
    assert proofs(Mul(), (gate, image)) == ["holds"] * 4
    (claim,) = prove_window(GroupNorm(groups=4), (Shape((9,), 16),))
    assert (claim.predicted, claim.verdict) == ("everything and its own place", "holds")


def test_a_view_that_moves_numbers_is_only_bounded() -> None:
    """Of RESHAPE's units only some hold a number of the position."""
    assert proofs(Reshape(to=(4, 6)), (Shape((6,), 4),)) == ["holds"]
    assert proofs(Transpose(), (Shape((6,), 4),)) == ["holds"]


def test_token_ids_are_changed() -> None:
    assert proofs(Identity(), (Shape((9,), None),)) == ["holds"]


class Running(Elementwise):
    """A running sum, which reads everything up to here."""

    template = "RUNNING"
    family = Family.RECURRENT

    def window(self, *inputs: Shape) -> tuple[Window, ...]:  # noqa: ARG002
        return (Window((AxisWindow(0, Reach.PREFIX),)),)


@builder(Running)
def _(layer: Running, shape: Shape) -> Call:  # noqa: ARG001
    return Call(torch.cumsum, {"dim": 2})


def test_kinds_of_a_users_own() -> None:
    sequence = (Shape((12,), 6),)
    (running,) = prove_window(Running(), sequence)
    assert (running.predicted, running.verdict) == ("everything up to here", "holds")
    (neighbour,) = prove_window(Late(), sequence)
    assert (neighbour.verdict, neighbour.measured) == ("FAILS", "unit 0 does not read position 0")
    (broken,) = prove_window(Fails(), sequence)
    assert broken.verdict == "FAILS"
    assert "imension out of range" in str(broken.measured)


def test_a_prefix_is_told_from_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in (Window((AxisWindow(None, Reach.ALL),)), pointwise(1)):
        monkeypatch.setattr(Running, "window", lambda *given, wrong=wrong: (wrong,))  # noqa: ARG005
        assert proofs(Running(), (Shape((12,), 6),)) == ["FAILS"]


@pytest.mark.parametrize(
    ("layer", "channels", "slim", "left"),
    [
        (Conv(kernel=(3,), filters=128), 64, Conv(kernel=(3,), filters=2), 2),
        (Conv(kernel=(3,), filters=64, groups=64), 64, Conv(kernel=(3,), filters=2, groups=2), 2),
        (UpConv(kernel=(2,), filters=32, groups=4), 64, UpConv(kernel=(2,), filters=2, groups=2), 2),
        (Shuffle(groups=8), 64, Shuffle(groups=2), 2),
        (Part(index=1, of=4), 64, Part(index=1, of=4), 4),
    ],
)
def test_the_thinnest_layer_that_reads_alike(layer: Layer, channels: int, slim: Layer, left: int) -> None:
    assert thinnest(layer, (Shape((8, 8), channels),)) == (slim, (Shape((8, 8), left),))


def test_a_proof_leaves_torch_as_it_was() -> None:
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    mkldnn: Any = torch.backends.mkldnn
    enabled = mkldnn.enabled
    with exact():
        assert not mkldnn.enabled
        assert not torch.is_grad_enabled()
    threads = torch.get_num_threads()
    prove_window(Conv(kernel=(3,), filters=2), (Shape((8, 8), 3),))
    assert torch.get_num_threads() == threads
    assert mkldnn.enabled is enabled
    assert torch.equal(torch.rand(3), wanted)
