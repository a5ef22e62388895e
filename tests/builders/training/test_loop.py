"""The training loop: what it measures, what it costs, and what it makes of a loss that is no number."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest
import torch
from torch.nn.functional import cross_entropy

import archspec
from benchmarks.train import bare, counted, loops
from builders.data import Items, Prepared
from builders.initialize import initialize
from builders.training.curves import Curves
from builders.training.loop import DIVERGED, DONE, STOPPED, Training, _memory, derived
from builders.training.optimizer import rate
from builders.training.recipe import Settings

PLAIN = "{name: plain, input: 4, layers: [FC-8, RELU, FC-3]}"


def items(count: int, seed: int) -> Items:
    inputs = torch.randn(count, 4, generator=torch.Generator().manual_seed(seed))
    return Items(inputs, inputs[:, :3].argmax(1), torch.arange(count))


def prepared(train: Items | None = None) -> Prepared:
    return Prepared(train or items(40, 0), items(20, 1), items(20, 2), None, ("a", "b", "c"), ())


def training(settings: Settings, text: str = PLAIN, seed: int = 0, data: Prepared | None = None) -> Training:
    spec = archspec.parse(text)
    network = archspec.build(spec)
    initialize(network, "he", seed)
    torch.manual_seed(seed)
    return Training(network, spec, data or prepared(), settings, seed)


def test_the_loop_issues_the_operations_of_a_loop_by_hand_and_no_more() -> None:
    ours, by_hand = loops()
    assert counted(ours, 5) == counted(by_hand, 5) > 1000


def test_an_operation_more_would_be_counted() -> None:
    _, by_hand = loops()

    def one_more(steps: int) -> None:
        by_hand(steps)
        for _ in range(steps):
            torch.zeros(1)

    assert counted(one_more, 5) == counted(by_hand, 5) + 5


def test_the_steps_are_those_of_a_loop_by_hand() -> None:
    """Full batches in another order give the same sums but for rounding."""
    data = prepared()
    assert isinstance(data.train, Items)
    ours = training(Settings(steps=12, batch=40), data=data)
    spec = archspec.parse(PLAIN)
    theirs = archspec.build(spec)
    initialize(theirs, "he", 0)
    ours.run(lambda _: False)
    bare(theirs, data.train, 12, Settings(batch=40))
    for one, other in zip(ours.network.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize(
    ("settings", "optimizer"),
    [
        (
            Settings(weight_decay=0.1, betas=(0.8, 0.9)),
            lambda w: torch.optim.Adam(w, 1e-3, (0.8, 0.9), weight_decay=0.1),
        ),
        (Settings(optimizer="adamw", weight_decay=0.1), lambda w: torch.optim.AdamW(w, 1e-3, weight_decay=0.1)),
        (
            Settings(optimizer="sgd", lr=0.1, momentum=0.9, weight_decay=0.01),
            lambda w: torch.optim.SGD(w, 0.1, momentum=0.9, weight_decay=0.01),
        ),
    ],
    ids=["adam", "adamw", "sgd"],
)
def test_the_weights_are_those_of_torchs_optimizers_to_the_last_bit(
    settings: Settings, optimizer: Callable[[Iterable[torch.nn.Parameter]], torch.optim.Optimizer]
) -> None:
    """Over two epochs, the last batch of which holds 8 items."""
    ours = training(replace(settings, steps=6, batch=16))
    data, theirs = ours.data.train, copy.deepcopy(ours.network)
    assert isinstance(data, Items)
    ours.run(lambda _: False)
    stepping = optimizer(theirs.parameters())
    for epoch in range(2):
        order = torch.randperm(40, generator=torch.Generator().manual_seed(derived("batches", 0, epoch)))
        for chosen in order.split(16):  # type: ignore[no-untyped-call]
            stepping.zero_grad()
            cross_entropy(theirs(data.inputs[chosen]), data.labels[chosen]).backward()  # type: ignore[no-untyped-call]
            stepping.step()
    assert all(map(torch.equal, ours.network.parameters(), theirs.parameters()))
    norm = torch.cat([weight.grad.flatten() for weight in theirs.parameters()]).norm()  # type: ignore[union-attr]
    assert ours.curves.gradient_norm[-1] == pytest.approx(norm.item(), rel=1e-6)


def test_a_batch_is_noted_with_its_loss_and_accuracy() -> None:
    ours = training(Settings(steps=1, batch=40))
    logits = ours.network(ours.data.train.inputs)  # type: ignore[union-attr]
    labels = ours.data.train.labels
    ours.run(lambda _: False)
    assert ours.curves.loss == [pytest.approx(cross_entropy(logits, labels).item(), rel=1e-6)]
    assert ours.curves.accuracy == [(logits.argmax(1) == labels).float().mean().item()]


def test_numbers_that_do_not_lie_in_order_are_read_right() -> None:
    turned = torch.arange(60_000.0, requires_grad=True).reshape(200, 300).t()
    found = _memory(turned)
    others = [torch.zeros(200, 300) for _ in range(20)]  # would take the place of a copy that nobody holds
    assert found.tolist() == turned.tolist()
    assert len(others) == 20


def test_evaluations_stand_at_the_start_at_every_nth_step_and_at_the_end() -> None:
    ours = training(Settings(steps=7, evaluate=3))
    assert ours.run(lambda _: False) == DONE
    curves = ours.curves
    assert (curves.steps, curves.evaluated) == (7, [0, 3, 6, 7])
    assert math.isnan(curves.gradient_norm[0])
    assert min(curves.gradient_norm[1:]) > 0
    loss, accuracy = ours.measure(ours.data.validation)
    assert (loss, accuracy) == (curves.validation_loss[-1], curves.validation_accuracy[-1])
    assert curves.final() == accuracy <= curves.best()
    assert ours.network.training


def test_epochs_are_passes_over_the_training_part() -> None:
    ours = training(Settings(steps=None, epochs=3, batch=16))
    assert ours.run(lambda _: False) == DONE
    assert (ours.curves.steps, ours.epoch_steps) == (9, 3)


def test_a_seed_gives_the_same_bits_and_another_seed_others() -> None:
    curves = []
    for seed in (0, 0, 1):
        one = training(Settings(steps=10), seed=seed)
        one.run(lambda _: False)
        curves.append(one.curves.to_dict())
    assert curves[0] == curves[1] != curves[2]


def test_networks_see_the_same_batches_whatever_they_are() -> None:
    def seen(text: str) -> list[list[int]]:
        one = training(Settings(steps=5, batch=8), text)
        return [labels.tolist() for (_, labels), _ in zip(one._batches(), range(5), strict=False)]

    assert seen(PLAIN) == seen("{name: other, input: 4, layers: FC-3}")


def test_augmentation_touches_training_batches_alone_and_hangs_on_the_step() -> None:
    calls: list[float] = []

    def augment(inputs: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        calls.append(torch.rand(1, generator=generator).item())
        return inputs

    data = Prepared(items(40, 0), items(20, 1), items(20, 2), augment, ("a", "b", "c"), ())
    for _ in range(2):
        training(Settings(steps=4, evaluate=1), data=data).run(lambda _: False)
    assert len(calls) == 8
    assert calls[:4] == calls[4:]
    assert len(set(calls)) == 4


def test_it_stops_when_it_is_told_to() -> None:
    ours = training(Settings(steps=9))
    assert ours.run(lambda one: one.curves.steps == 4) == STOPPED
    assert ours.curves.steps == 4
    assert math.isnan(ours.curves.final())


def test_training_outputs_count_three_tenths() -> None:
    text = "{name: two, input: 4, layers: [FC-8 as x, FC-3 as end, from x, FC-3 as aux], outputs: end, "
    ours = training(Settings(steps=1, batch=40), text + "training_outputs: aux}")
    found = ours.network(ours.data.train.inputs)  # type: ignore[union-attr]
    losses = [cross_entropy(value, ours.data.train.labels).item() for value in found.values()]
    ours.run(lambda _: False)
    assert ours.curves.loss == [pytest.approx(losses[0] + 0.3 * losses[1], rel=1e-6)]


# -- loss that is no number --------------------------------------------------------------------------------------------


def test_the_layer_that_gives_the_first_nan_is_named() -> None:
    text = "{name: a, input: 4, layers: [FC-8, RELU, FC-8, RELU, FC-3]}"
    ours = training(Settings(steps=20), text)

    def spoil(one: Training) -> bool:
        if one.curves.steps == 3:
            weights = dict(one.network.named_parameters())
            weights["fc2.weight"].data[0, 0] = math.nan
        return False

    assert ours.run(spoil) == DIVERGED
    assert ours.curves.steps == 4
    assert math.isnan(ours.curves.loss[-1])
    assert ours.fault == "layer 3 FC-8 (line 1) gives NaN; its weight not finite"


def test_a_rate_that_is_too_high_ends_as_diverged_with_its_layer() -> None:
    ours = training(Settings(steps=50, optimizer="sgd", lr=1e20))
    assert ours.run(lambda _: False) == DIVERGED
    assert ours.fault is not None
    assert ours.fault.startswith("layer ")
    assert not math.isfinite(ours.curves.loss[-1])
    assert all(map(math.isfinite, ours.curves.loss[:-1]))


def test_weights_that_the_last_step_spoils_end_as_diverged() -> None:
    ours = training(Settings(steps=1, optimizer="sgd", lr=1e30))
    assert ours.run(lambda _: False) == DIVERGED
    assert math.isfinite(ours.curves.loss[-1])
    assert ours.fault is not None
    assert ours.fault.startswith("layer ")


def test_inputs_that_are_no_numbers_are_named() -> None:
    data = prepared(Items(torch.full((40, 4), math.inf), torch.zeros(40, dtype=torch.int64), torch.arange(40)))
    ours = training(Settings(steps=5), data=data)
    ours.run(lambda _: False)
    assert ours.fault == "layer 0 input (line 1) gives infinities; the data holds them"


# -- rates and curves --------------------------------------------------------------------------------------------------


def test_schedules_start_at_the_rate() -> None:
    for schedule in (None, "cosine", "step"):
        assert rate(Settings(lr=0.5, schedule=schedule), 1, 100) == 0.5
    assert rate(Settings(lr=1.0, schedule="cosine"), 51, 100) == pytest.approx(0.5)


def test_a_schedule_reaches_the_optimizer() -> None:
    ours = training(Settings(steps=8, schedule="step", lr=1.0))
    rates: list[float] = []

    def note(one: Training) -> bool:
        rates.append(one.optimizer.param_groups[0]["lr"])
        return False

    ours.run(note)
    assert rates == [1.0] * 4 + [0.1] * 2 + [0.01] * 2


def test_curves_survive_json_and_tensors_to_the_last_bit() -> None:
    curves = Curves([0.1, math.nan], [0.5, 1 / 3], [0.0, 2.0], [math.nan, 1e-30], [2.0, 1.0], [0.1, 0.95])
    assert str(Curves.from_dict(curves.to_dict())) == str(curves)
    assert str(Curves.of(curves.tensors())) == str(curves)
    assert (curves.reached(0.9), curves.reached(0.99)) == (2, None)
    assert [row.get("loss") for row in curves.rows()][:2] == [None, 0.1]
