"""What autograd keeps of a layer: as declared beside its builder, and as torch's own hooks see it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import Tensor, nn

from archspec.layers import Layer, Shape, registry
from archspec.layers.merge import Mul
from archspec.layers.normalization import BatchNorm
from archspec.layers.regularization import Dropout, DropPath, Noise
from archspec.layers.resize import Resize
from builders.modules import Saved, saved
from tests.builders.cases import Case, cases, every_kind, some

Kept = tuple[set[int], bool, int]  # slots of kept inputs, whether the output is kept, bytes besides


def place(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def measured(case: Case, needs: tuple[bool, ...], batch: int, dtype: torch.dtype) -> Kept:
    """What saved_tensors_hooks sees of one layer in training: distinct storages, weights and empty ones left out."""
    built = case.built(dtype=dtype)
    weights = [*built.parameters(), *built.buffers()] if isinstance(built, nn.Module) else []
    tensors = [x.requires_grad_(need) for x, need in zip(case.tensors(batch, dtype=dtype), needs, strict=True)]
    kept: dict[int, Tensor] = {}

    def keep(tensor: Tensor) -> Tensor:
        return kept.setdefault(place(tensor), tensor)

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        output = case.run(built, tensors, train=True)
    own = {place(weight) for weight in weights}
    slots = {slot for slot, x in enumerate(tensors) if place(x) in kept}
    rest = kept.keys() - own - {place(x) for x in tensors}
    extra = sum(kept[at].untyped_storage().nbytes() for at in rest - {place(output)})
    return slots, place(output) in rest, extra


def declared(keeps: Saved, batch: int, itemsize: int) -> Kept:
    extra = keeps.numbers * batch * itemsize + keeps.bytes * batch + keeps.fixed * itemsize
    return set(keeps.inputs), keeps.output, extra


def agree(case: Case, needs: tuple[bool, ...], batch: int, dtype: torch.dtype) -> bool:
    """Whether something is declared; it must be what is measured."""
    keeps = saved(case.layer, *case.shapes, needs=needs)
    if keeps is not None:
        assert declared(keeps, batch, dtype.itemsize) == measured(case, needs, batch, dtype)
    return keeps is not None


@every_kind
@some
@given(st.data())
def test_what_autograd_keeps_is_what_is_declared(kind: type[Layer], data: st.DataObject) -> None:
    """For every choice of inputs that carry a gradient, as long as the layer has something to learn at all."""
    case = data.draw(cases(kind))
    assume(all(shape.channels for shape in case.shapes))  # token ids carry no gradient
    size_only = [False] if case.size_only else []
    needs = (*(data.draw(st.booleans()) for _ in case.shapes[len(size_only) :]), *size_only)
    learns = any(weight.trainable for weight in case.layer.weights(*case.shapes).values())
    assume(any(needs) or learns)
    batch, dtype = data.draw(st.sampled_from((1, 3))), data.draw(st.sampled_from((torch.float64, torch.float32)))
    assume(kind is not BatchNorm or batch * case.shapes[0].positions > 1)  # torch refuses one value
    assert agree(case, needs, batch, dtype)  # sizes this small have no exact indices of their own


def test_every_kind_declares_what_it_keeps() -> None:
    assert [name for name, kind in registry.items() if saved.dispatch(kind) is saved.dispatch(object)] == []


def test_exact_indices_are_only_measured() -> None:
    case = Case(Resize(to=(82,)), (Shape((2,), 3),))
    assert not agree(case, (True,), 2, torch.float64)
    assert measured(case, (True,), 2, torch.float64) == (set(), False, 82 * 8)


@pytest.mark.parametrize(
    "layer", [Dropout(p=0.5), Dropout(p=1), DropPath(p=0.5), Noise(deviation=1), Noise(deviation=0)]
)
def test_a_view_in_evaluation_may_be_fresh_in_training(layer: Layer) -> None:
    case = Case(layer, (Shape((3,), 2),))
    keeps = saved(layer, *case.shapes, needs=(True,))
    (x,) = case.tensors(2)
    assert keeps is not None
    assert keeps.fresh
    assert place(case.run(case.built(), [x], train=True)) != place(x)
    assert place(case.run(case.built(), [x])) == place(x)


@pytest.mark.parametrize("layer", [Dropout(p=0), DropPath(p=0)])
def test_what_drops_nothing_stays_a_view_in_training(layer: Layer) -> None:
    case = Case(layer, (Shape((3,), 2),))
    (x,) = case.tensors(2)
    keeps = saved(layer, *case.shapes, needs=(True,))
    assert keeps is not None
    assert not keeps.fresh or place(case.run(case.built(), [x], train=True)) != place(x)


@pytest.mark.parametrize("change", [{"inputs": (0,)}, {"output": True}, {"numbers": 1}, {"bytes": 1}, {"fixed": 1}])
def test_a_wrong_declaration_is_noticed(change: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    right = saved(Mul(), Shape((3,), 2), Shape((3,), 2), needs=(True, False))
    assert right == Saved(inputs=(1,))
    monkeypatch.setattr("tests.builders.test_saved.saved", lambda *_, **__: replace(right, **change))
    with pytest.raises(AssertionError):
        agree(Case(Mul(), (Shape((3,), 2),) * 2), (True, False), 2, torch.float64)
