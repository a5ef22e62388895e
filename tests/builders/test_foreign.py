"""Weights from elsewhere: what goes where, what is refused, and that nothing is claimed without a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import archspec
from archspec.layers import Role
from builders.network import Network
from builders.sources import role

SPEC = "{name: a, input: 8x8x3, layers: [CONV3-4, BN, RELU, CONV3-4, BN, RELU, GAP, FLATTEN, FC-2]}"


def network(text: str = SPEC, seed: int = 1) -> Network:
    torch.manual_seed(seed)
    return archspec.build(archspec.parse(text, "net.yaml"))


def plain(channels: int = 3) -> nn.Sequential:
    """torch's own network of the same layers."""
    torch.manual_seed(2)
    unit = [nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU()]
    first = [nn.Conv2d(channels, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU()]
    model = nn.Sequential(*first, *unit, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    for name, buffer in model.named_buffers():
        if buffer.is_floating_point():
            buffer.uniform_(0.5, 2) if name.endswith("var") else buffer.normal_()
    return model


def snapshot(model: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def unchanged(model: nn.Module, before: Mapping[str, Tensor]) -> bool:
    return all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def refused(model: Network, source: Any, **options: Any) -> archspec.ArchspecError:
    """The error of weights that do not fit, which leave the network as it was, also in its mode."""
    before, modes = snapshot(model), [part.training for part in model.modules()]
    with pytest.raises(archspec.ArchspecError) as caught:
        archspec.load_weights(model, source, **options)
    assert unchanged(model, before)
    assert [part.training for part in model.modules()] == modes
    return caught.value


# -- what goes where ---------------------------------------------------------------------------------------------------


def test_a_module_gives_its_weights_and_is_compared_with() -> None:
    model, theirs = network(), plain()
    report = archspec.load_weights(model, theirs)
    assert report.compared
    assert report.difference is not None
    assert report.difference <= 1e-6
    assert [(pair.ours, pair.theirs, pair.how) for pair in report.pairs[:7]] == [
        ("conv1.weight", "0.weight", "order"),
        ("conv1.bias", "0.bias", "order"),
        ("bn1.weight", "1.weight", "order"),
        ("bn1.bias", "1.bias", "order"),
        ("bn1.running_mean", "1.running_mean", "order"),
        ("bn1.running_var", "1.running_var", "order"),
        ("conv2.weight", "3.weight", "order"),
    ]
    assert report.ignored == ("1.num_batches_tracked", "4.num_batches_tracked")
    assert model.training
    assert theirs.training
    x = torch.randn(5, 3, 8, 8)
    assert torch.allclose(model.eval()(x), theirs.eval()(x), atol=1e-6)


def test_success_is_claimed_after_a_comparison_alone() -> None:
    theirs = plain()
    bare = archspec.load_weights(network(), theirs.state_dict())
    assert (bare.compared, bare.difference) == (False, None)
    assert str(bare).split("\n")[0] == ("14 tensors put in place: 0 by name, 14 by role and shape in order; 2 ignored")
    assert str(bare).split("\n")[1].startswith("NOT verified: no outputs were compared, and equal shapes")
    compared = archspec.load_weights(network(), theirs.state_dict(), reference=theirs)
    assert compared.compared
    assert str(compared).split("\n")[1].startswith("the outputs agree with the reference's, the largest difference is ")


def test_outputs_that_do_not_depend_on_the_input_prove_nothing() -> None:
    theirs = plain()
    nn.init.zeros_(theirs.get_parameter("8.weight"))
    report = archspec.load_weights(network(), theirs)
    assert (report.compared, report.difference) == (False, 0.0)
    assert "NOT verified" in str(report)
    assert "give inputs=" in str(report)


def test_the_same_names_go_together_in_any_order() -> None:
    model, other = network(), network(seed=3)
    state = dict(reversed(other.state_dict().items()))
    report = archspec.load_weights(model, state, reference=other)
    assert {pair.how for pair in report.pairs} == {"name"}
    assert all(pair.ours == pair.theirs for pair in report.pairs)
    assert unchanged(model, snapshot(other))


def test_unit_axes_do_not_count() -> None:
    model = network("{name: a, input: 1x1x3, layers: [CONV1-4, RELU, FLATTEN, FC-2]}")
    theirs = nn.Sequential(
        nn.Flatten(), nn.Linear(3, 4), nn.ReLU(), nn.Unflatten(1, (4, 1, 1)), nn.Conv2d(4, 2, 1), nn.Flatten()
    )
    assert archspec.load_weights(model, theirs).compared


def test_a_slope_is_found_among_scales() -> None:
    model = network("{name: a, input: 4x4x3, layers: [PRELU, SCALE]}")
    source = {"a.weight": torch.tensor([1.0, 2, 3]), "layer_scale": torch.tensor([[[4.0]], [[5]], [[6]]])}
    archspec.load_weights(model, source)
    assert [parameter.tolist() for parameter in model.parameters()] == [[1, 2, 3], [4, 5, 6]]


@pytest.mark.parametrize(
    ("name", "shape", "expected"),
    [
        ("a.weight", (4, 1), Role.KERNEL),
        ("a.weight", (4,), Role.SCALE),
        ("a.weight_ih_l0", (4, 3), Role.KERNEL),
        ("a.bias_ih_l0", (4,), Role.BIAS),
        ("a.in_proj_bias", (4,), Role.BIAS),
        ("a.beta", (4,), Role.BIAS),
        ("a.gamma", (4,), Role.SCALE),
        ("a.layer_scale", (4, 1, 1), Role.SCALE),
        ("a.relative_position_bias_table", (9, 3), Role.KERNEL),
        ("a.running_mean", (4,), Role.RUNNING_MEAN),
        ("a.moving_variance", (4,), Role.RUNNING_VARIANCE),
    ],
)
def test_roles_follow_from_names_and_axes(name: str, shape: tuple[int, ...], expected: Role) -> None:
    assert role(name, torch.zeros(shape)) is expected


def test_shared_weights_are_filled_once() -> None:
    model = network("{name: a, input: 8x8x3, layers: [CONV3-3 share w, RELU, CONV3-3 d2 share w]}")
    kernel, bias = torch.randn(3, 3, 3, 3), torch.randn(3)
    report = archspec.load_weights(model, {"k": kernel, "b.bias": bias, "again": kernel})
    assert len(report.pairs) == 2
    assert torch.equal(model.get_parameter("conv2.weight"), kernel)


def test_a_training_part_gets_its_weights() -> None:
    layers = "[CONV3-4 as end, from end, BN, GAP as aux, from end, GAP]"
    text = f"{{name: a, input: 8x8x3, layers: {layers}, training_outputs: aux}}"
    model, other = network(text), network(text, seed=3)
    state = {name.removeprefix("training_only.network."): tensor for name, tensor in other.state_dict().items()}
    archspec.load_weights(model, state, reference=other)
    assert unchanged(model, snapshot(other))


def test_other_dtypes_are_converted() -> None:
    model = network().double()
    report = archspec.load_weights(model, plain())
    assert report.compared
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float64}


def test_outputs_by_name_are_compared_by_name() -> None:
    text = "{name: a, input: 8x8x3, layers: [CONV3-4 as one, GAP as two], outputs: [one, two]}"

    class Theirs(nn.Module):
        def __init__(self, names: tuple[str, str]) -> None:
            super().__init__()
            self.conv, self.names = nn.Conv2d(3, 4, 3, padding=1), names

        def forward(self, x: Tensor) -> dict[str, Tensor]:
            """The outputs in another order."""
            found = self.conv(x)
            return dict(zip(self.names, (found.mean((2, 3), keepdim=True), found), strict=True))

    assert archspec.load_weights(network(text), Theirs(("two", "one"))).compared
    assert refused(network(text), Theirs(("b", "a"))).code == "weights-differ"


def test_a_network_that_was_copied_is_loaded_all_the_same() -> None:
    import copy
    import pickle

    for model in (copy.deepcopy(network()), pickle.loads(pickle.dumps(network()))):
        assert archspec.load_weights(model, plain()).compared


# -- order, rename, ignore ---------------------------------------------------------------------------------------------

UNIT = "{add: [IDENTITY, [CONV1-3 nobias, BN]]}"
NORMS = f"{{name: a, input: 8x8x3, layers: [{UNIT}, {UNIT}]}}"


class Block(nn.Module):
    """Uses its parts in another order than it lists them."""

    def __init__(self) -> None:
        super().__init__()
        self.norm2, self.norm1 = nn.BatchNorm2d(3), nn.BatchNorm2d(3)
        self.mlp, self.attn = nn.Conv2d(3, 3, 1, bias=False), nn.Conv2d(3, 3, 1, bias=False)
        for part in (self.norm1, self.norm2):
            nn.init.normal_(part.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) to the same."""
        x = x + self.norm1(self.attn(x))
        found: Tensor = x + self.norm2(self.mlp(x))
        return found


def test_equal_shapes_in_another_order_are_noticed_and_order_resolves_them() -> None:
    theirs = Block()
    error = refused(network(NORMS), theirs)
    assert error.code == "weights-differ"
    assert "more than rounding" in str(error)
    assert "order=" in str(error.hint)
    assert not archspec.load_weights(network(NORMS), theirs.state_dict()).compared  # and is not claimed to be right
    report = archspec.load_weights(network(NORMS), theirs, order=("attn", "norm1", "mlp", "norm2"))
    assert report.compared
    assert {pair.theirs for pair in report.pairs[:1]} == {"attn.weight"}
    wrong = refused(network(NORMS), theirs, order=("attn", "norm2", "mlp", "norm1"))
    assert wrong.code == "weights-differ"


def test_renaming_resolves_them_as_well() -> None:
    theirs, model = Block(), network(NORMS)
    names = [name for name in model.state_dict() if "conv" in name]
    rename = {"attn.weight": names[0], "mlp.weight": names[1]}
    for number, name in enumerate(names, 1):
        rename[rf"^norm{number}\."] = name.removesuffix("weight").replace("conv", "bn")
    report = archspec.load_weights(model, theirs, rename=rename)
    assert {pair.how for pair in report.pairs} == {"name"}
    assert {pair.theirs for pair in report.pairs} >= {"attn.weight", "norm1.weight"}


def test_a_pattern_renames() -> None:
    model, other = network(), network(seed=3)
    state = {f"module.{name}": tensor for name, tensor in other.state_dict().items()}
    report = archspec.load_weights(model, state, rename={r"^module\.": ""}, reference=other)
    assert {pair.how for pair in report.pairs} == {"name"}
    assert report.pairs[0].theirs == "module.conv1.weight"


def test_what_is_renamed_to_a_weight_goes_nowhere_else() -> None:
    """0.weight fits conv2 as well, and is asked to be bn1's."""
    error = refused(network(), plain().state_dict(), rename={"3.weight": "bn1.weight"})
    assert error.code == "weights-shape"
    assert "bn1.weight is 4, and bn1.weight of the source 4 x 4 x 3 x 3" in str(error)


def test_patterns_are_left_out() -> None:
    state = plain().state_dict() | {"head.weight": torch.zeros(9, 4), "head.bias": torch.zeros(9)}
    assert refused(network(), state).code == "weights-left"
    report = archspec.load_weights(network(), state, ignore=[r"^head\."])
    assert report.ignored[-2:] == ("head.weight", "head.bias")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"rename": {"8.weigth": "fc1.weight"}}, "nothing in the source is called `8.weigth`"),
        ({"rename": {"(": ""}}, "`(` under rename= is no regular expression: "),
        ({"rename": {"^0": r"\7"}}, r"`\7` cannot replace `^0`: "),
        ({"rename": {r"^\d": "a"}}, "rename= calls both 0.weight and 1.weight `a.weight`"),
        ({"ignore": ["*"]}, "`*` under ignore= is no regular expression: "),
        ({"order": ["9"]}, "no part of the source is called `9`"),
    ],
)
def test_names_that_mean_nothing_are_errors(options: dict[str, Any], said: str) -> None:
    error = refused(network(), plain().state_dict(), **options)
    assert str(error).startswith(f"error[weights-name]: {said}")


@pytest.mark.parametrize(
    ("options", "code", "help"),
    [
        ({"rename": ["a"]}, "weights-name", 'rename={"old.weight": "new.weight"}'),
        ({"rename": {"a": 3}}, "weights-name", 'rename={"old.weight": "new.weight"}'),
        ({"rename": []}, "weights-name", 'rename={"old.weight": "new.weight"}'),
        ({"ignore": "bias"}, "weights-name", "ignore=['bias']"),
        ({"order": "conv1"}, "weights-name", "order=['conv1']"),
        ({"order": [3]}, "weights-name", 'order=["conv1"]'),
        ({"ignore": None}, "weights-name", 'ignore=["conv1"]'),
        ({"reference": 3}, "reference", "the module that the weights come from; or leave it out"),
        ({"seed": "x"}, "seed", "give a whole number from -2**63 to 2**63 - 1"),
    ],
)
def test_options_of_another_type_are_refused(options: dict[str, Any], code: str, help: str) -> None:
    error = refused(network(), plain(), **options)
    assert (error.code, error.hint) == (code, help)


# -- what does not fit -------------------------------------------------------------------------------------------------


def test_everything_that_does_not_fit_is_said_at_once() -> None:
    state = plain(channels=1).state_dict() | {"extra.weight": torch.zeros(5, 5, 5)}
    state.pop("4.running_mean")
    error = refused(network(), state)
    assert [found.code for found in error.diagnostics] == ["weights-shape", "weights-missing", "weights-left"]
    assert str(error).split("\n") == [
        "net.yaml:1:34: error[weights-shape]: conv1.weight is 4 x 3 x 3 x 3, and 0.weight of the source 4 x 1 x 3 x 3",
        f"  1 | {SPEC}",
        "    |                                  ^^^^^^^",
        "  help: build the network with the sizes of the source",
        "",
        "net.yaml:1:62: error[weights-missing]: the source has nothing for bn2.running_mean (running mean, 4): the "
        "network has 2 such tensors, the source 1",
        f"  1 | {SPEC}",
        "    |                                                              ^^",
        "  help: nothing of that role is left over",
        "",
        "error[weights-left]: extra.weight (kernel, 5 x 5 x 5) of the source has no place: the source has 1 such "
        "tensors, the network 0",
        "  help: ignore= leaves it out",
    ]


def test_what_is_missing_is_found_where_it_is_missing() -> None:
    """Of equal shapes, the alignment of both sides tells which one."""
    spec = "{name: a, input: 8x8x4, layers: [CONV3-4 nobias, BN, CONV3-4 nobias, CONV3-4 nobias, LINEAR-3]}"
    model = network(spec)
    state = {name: tensor for name, tensor in model.state_dict().items() if name != "conv1.weight"}
    state = {f"x.{name}": tensor for name, tensor in state.items()}
    error = refused(model, state)
    assert "the source has nothing for conv1.weight (kernel, 4 x 4 x 3 x 3): the network has 3 such" in str(error)


def test_whole_numbers_are_no_weights() -> None:
    state = plain().state_dict()
    state["0.weight"] = state["0.weight"].to(torch.int8)
    error = refused(network(), state)
    assert error.code == "weights-shape"
    assert "0.weight of the source 4 x 3 x 3 x 3 of int8" in str(error)


def test_outputs_of_other_shapes_are_no_match() -> None:
    theirs = plain()
    theirs.append(nn.Unflatten(1, (2, 1)))
    error = refused(network(), theirs)
    assert str(error).startswith("error[weights-differ]: the outputs are 2 x 2, those of the reference 2 x 2 x 1")


def test_a_reference_that_cannot_read_the_input_is_named() -> None:
    error = refused(network(), plain().state_dict(), reference=nn.Linear(3, 3))
    assert error.code == "reference"
    assert str(error).startswith("error[reference]: the reference cannot read the network's inputs: RuntimeError: ")
    theirs = plain()
    given = torch.randn(3, 3, 16, 16)
    assert archspec.load_weights(network(), theirs, inputs=[given]).compared
    assert archspec.load_weights(network(), theirs, inputs=given).compared


def test_numbers_that_are_none_agree_with_nothing() -> None:
    theirs = plain()
    nn.init.constant_(theirs.get_parameter("8.bias"), float("nan"))
    assert refused(network(), theirs).code == "weights-differ"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ([1], "weights come from a module or a mapping of names to tensors, and here is list"),
        ({"model": {"a": torch.zeros(1)}}, "weights are dense tensors by name, and 'model' is dict"),
        ({"epoch": 3}, "weights are dense tensors by name, and 'epoch' is int"),
        ({3: torch.zeros(1)}, "weights are dense tensors by name, and '3' is Tensor"),
        ({"a": torch.zeros(3).to_sparse()}, "weights are dense tensors by name, and 'a' is Tensor"),
    ],
)
def test_what_holds_no_weights_is_refused(source: Any, said: str) -> None:
    error = refused(network(), source)
    assert str(error).startswith(f"error[not-weights]: {said}")


def test_devices_without_numbers_are_refused() -> None:
    meta = archspec.build("tutorial/cnn", device="meta")
    with pytest.raises(archspec.ArchspecError) as caught:
        archspec.load_weights(meta, {})
    assert caught.value.code == "on-meta"
    assert refused(network(), plain().to("meta")).code == "on-meta"


def test_what_is_no_network_takes_no_weights() -> None:
    with pytest.raises(archspec.ArchspecError) as caught:
        archspec.load_weights(plain(), plain())  # type: ignore[arg-type]
    assert caught.value.code == "not-a-network"
