"""Every kind has a builder, whose modules hold what the kind declares, give the shape that it states, and keep to its
storage; and they follow the size of the tensors."""

from __future__ import annotations

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import Tensor, nn

from archspec import ArchspecError, build, parse
from archspec.layers import Elementwise, Family, Layer, Shape, Storage, registry
from archspec.layers.convolution import Conv
from archspec.layers.normalization import BatchNorm
from archspec.layers.pooling import AvgPool, Pool
from archspec.layers.regularization import Scale
from archspec.layers.resize import Crop, PixelShuffle, Resize, Unshuffle, Upsample
from builders.modules import Call, module
from builders.modules.resize import misplaced
from tests.builders.cases import Case, accepts, cases, every_kind, sizes, some

COUNTER = "num_batches_tracked"  # torch's own, no number of the layer's


def lacking(kinds: list[type[Layer]]) -> list[str]:
    """The kinds that no builder is registered for."""
    return [kind.__name__ for kind in kinds if module.dispatch(kind) is module.dispatch(object)]


class Homeless(Elementwise):
    """A kind that nobody registered a builder for."""

    template = "HOMELESS"
    family = Family.ACTIVATION


def test_every_kind_has_a_builder() -> None:
    assert lacking([*registry.values(), Homeless]) == ["Homeless"]


def test_a_kind_without_builder_says_how_to_add_one() -> None:
    with pytest.raises(ArchspecError) as caught:
        module(Homeless(), Shape((), 3))
    assert str(caught.value) == (
        "error[no-builder]: no builder makes a torch module of the layer kind HOMELESS\n"
        "  help: register a function with @archspec.builder(Homeless): docs/extending.md"
    )


@st.composite
def views(draw: st.DrawFn, x: Tensor) -> Tensor:
    """The same numbers, packed, or as a view of more: channels last, or with a border cut away."""
    axis = min(2, x.ndim - 1)
    exchanged = x.movedim(1, -1).contiguous().movedim(-1, 1)
    cut = torch.cat([x, x.narrow(axis, 0, 1)], dim=axis).narrow(axis, 0, x.shape[axis])
    return draw(st.sampled_from((x, exchanged, cut)))


def check_weights(case: Case) -> None:
    """Names, order, shapes, dtype, and which of them learn."""
    built, wanted = module(case.layer, *case.shapes), case.layer.weights(*case.shapes)
    held = dict(built.named_parameters()) if isinstance(built, nn.Module) else {}
    buffers = dict(built.named_buffers()) if isinstance(built, nn.Module) else {}
    found = {name: (tuple(t.shape), True) for name, t in held.items()}
    found |= {name: (tuple(t.shape), False) for name, t in buffers.items() if name != COUNTER}
    assert found == {name: (weight.shape, weight.trainable) for name, weight in wanted.items()}
    assert list(found) == list(wanted)
    assert all(t.dtype == torch.float32 for name, t in (held | buffers).items() if name != COUNTER)


def check_output(case: Case, batch: int, train: bool) -> None:
    """The shape that is stated, with data and on the device meta; what is fresh lies packed where its inputs do."""
    tensors = case.tensors(batch)
    output = case.run(case.built(), tensors, train)
    assert (tuple(output.shape), output.dtype) == (sizes(case.output, batch), tensors[0].dtype)
    assert output.is_contiguous() or case.layer.storage is Storage.VIEW
    with torch.device("meta"):
        unmade = module(case.layer, *case.shapes)
        ghosts = [torch.empty_like(x, device="meta") for x in tensors]
        ghost = case.run(unmade.double() if isinstance(unmade, nn.Module) else unmade, ghosts, train)
    assert (ghost.shape, ghost.dtype, ghost.device.type) == (output.shape, output.dtype, "meta")


def check_storage(case: Case, first: Tensor) -> None:
    """What is fresh shares no memory; a view does, unless its strides cannot be had without a copy."""
    tensors = [first, *case.tensors(len(first))[1:]]
    output = case.run(case.built(), tensors)
    shared = {output.untyped_storage().data_ptr()} & {x.untyped_storage().data_ptr() for x in tensors}
    possible = case.layer.strides(first.stride()[1:], *case.shapes) is not None
    assert bool(shared) == (case.layer.storage is Storage.VIEW and possible)


@every_kind
@some
@given(st.data())
def test_modules_are_what_their_kind_declares(kind: type[Layer], data: st.DataObject) -> None:
    case = data.draw(cases(kind))
    batch, train = data.draw(st.sampled_from((1, 2))), data.draw(st.booleans())
    assume(not (train and kind is BatchNorm and batch * case.shapes[0].positions == 1))  # torch refuses one value
    check_weights(case)
    check_output(case, batch, train)
    check_storage(case, data.draw(views(case.tensors(batch)[0])))


def equal_elsewhere(layer: Layer, *shapes: tuple[Shape, ...]) -> None:
    """A module built for the first shapes computes on each of the others what one built for those does."""
    first = Case(layer, shapes[0])
    for other in (Case(layer, each) for each in shapes[1:]):
        x = other.tensors(2)
        assert torch.equal(first.run(first.built(), x), other.run(other.built(), x))


@pytest.mark.parametrize(
    "layer",
    [
        Conv(kernel=(3,), filters=2, stride=(2,), padding="same"),
        Conv(kernel=(4,), filters=2, padding="same", pad="replicate"),
        Conv(kernel=(3,), filters=2, stride=(3,), dilation=(2,), padding="same", flip=True),
        Pool(kernel=(3,), stride=(2,), padding="same"),
        Pool(kernel=(3,), stride=(2,), padding=(1,), ceil=True),
        Pool(kernel=(2,), stride=(3,), padding=((0, 1),), ceil=True),
        AvgPool(kernel=(3,), stride=(2,), padding="same", countpad=False),
        AvgPool(kernel=(2,), stride=(3,), padding=((1, 0),), ceil=True),
        Upsample(factor=3, mode="bilinear"),
        Resize(to=(5, 3), mode="bicubic"),
        Crop(to=(4, 3)),
    ],
    ids=str,
)
def test_modules_follow_the_size_of_the_tensor(layer: Layer) -> None:
    equal_elsewhere(layer, *((Shape(size, 2),) for size in ((8, 8), (7, 8), (9, 6), (4, 5))))


@pytest.mark.parametrize("layer", [Resize(like="skip"), Resize(like="skip", mode="bilinear"), Crop(like="skip")])
def test_sizes_of_points_are_followed(layer: Layer) -> None:
    pairs = [((7, 8), (5, 4)), ((9, 6), (2, 6)), ((6, 6), (6, 6))]
    equal_elsewhere(layer, *((Shape(size, 2), Shape(like, 3)) for size, like in pairs))


def nearest(size: int, wanted: int, dtype: torch.dtype) -> tuple[list[int], list[int]]:
    """The positions that a resize takes, and those that it should take."""
    case = Case(Resize(to=(wanted,)), (Shape((size,), 1),))
    row = torch.arange(size, dtype=dtype).reshape(1, 1, size)
    return case.run(case.built(), [row]).long().flatten().tolist(), [i * size // wanted for i in range(wanted)]


@pytest.mark.parametrize("size", [2, 59, 224, 300])
def test_nearest_positions_are_exact(size: int) -> None:
    """Where torch's float32 arithmetic is, and where it is not: 1722 pairs of sizes up to 300."""
    for wanted in range(1, 301):
        found, exact = nearest(size, wanted, torch.float32)
        assert found == exact, (size, wanted)


def test_torch_misplaces_some_positions_and_we_know_which() -> None:
    row = torch.arange(3, dtype=torch.float32).reshape(1, 1, 3)
    for wanted in range(1, 301):
        by_torch = nn.functional.interpolate(row, wanted, mode="nearest").long().flatten().tolist()
        assert misplaced(3, wanted) == (by_torch != [i * 3 // wanted for i in range(wanted)])
    assert misplaced(3, 123)


@pytest.mark.parametrize("factor", [2, 3, 40, 41, 47, 96, 97])
def test_upsampling_repeats_every_position(factor: int) -> None:
    case = Case(Upsample(factor=factor), (Shape((3, 2), 2),))
    x = case.tensors(2, dtype=torch.float32)
    output = case.run(case.built(dtype=torch.float32), x)
    rows, columns = torch.arange(3 * factor) // factor, torch.arange(2 * factor) // factor
    assert torch.equal(output, x[0][:, :, rows][..., columns])
    assert isinstance(case.built(), Call) == (factor not in (41, 47, 97))


@pytest.mark.parametrize("layer", [Unshuffle(factor=3, order="swin"), PixelShuffle(factor=3, order="swin")])
def test_blocks_are_copied_even_where_they_need_not_move(layer: Layer) -> None:
    shape = Shape((3, 3), 1) if isinstance(layer, Unshuffle) else Shape((1, 1), 9)
    case = Case(layer, (shape,))
    (x,) = case.tensors(1)
    output = case.run(case.built(), [x])
    assert output.is_contiguous()
    assert output.data_ptr() != x.data_ptr()


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (
            AvgPool(kernel=(3,), padding=(1,), stride=(2,)),
            Shape((2, 2, 3), 2),
        ),  # torch wants large maps
        (AvgPool(kernel=(4,), ceil=True, padding=(2,)), Shape((1, 3, 2), 2)),
        (BatchNorm(eps=0), Shape((3,), 2)),  # torch trains with eps above 0 alone
        (Scale(init=1e300), Shape((3,), 2)),
    ],
    ids=str,
)
def test_what_torch_refuses_is_computed_all_the_same(layer: Layer, shape: Shape) -> None:
    assert accepts(layer, shape)
    case = Case(layer, (shape,))
    assert sizes(case.output, 2) == tuple(case.run(case.built(), case.tensors(2), train=True).shape)


def test_a_vector_and_a_map_of_one_position_may_share_their_units() -> None:
    branches = "[[from g, FLATTEN, FC-3 share t], [from g, FC-3 share t]]"
    model = build(parse(f"{{name: a, input: 4x4x5, layers: [GAP as g, {{concat: {branches}}}]}}")).eval()
    one, other = model(torch.rand(2, 5, 4, 4)).split(3, dim=1)
    assert torch.equal(one, other)
    assert len(list(model.parameters())) == 2
