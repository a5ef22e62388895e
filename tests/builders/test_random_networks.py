"""Random networks: what archspec states, what torch does and what brute force counts are the same."""

from __future__ import annotations

import pytest
import torch
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from archspec import ArchspecError, Spec, parse
from builders.build import build
from builders.proofs import counts, evaluation, training
from tests.oracles import Impossible, recompute, totals
from tests.receptive_field.networks import NETWORKS
from tests.strategies import trees
from tests.structures import Tree

EXAMPLES = settings.default.max_examples if settings.default else 100
SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large, HealthCheck.large_base_example]
LIMIT = 100  # layers of one network
MOST = 5_000_000  # MACs of one network: what grows larger teaches no more
ARITHMETIC = "more than 1 value per channel"  # torch's batch normalisation has no variance of one value


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def drawn(text: str) -> Spec:
    try:
        spec = parse(text, limit=LIMIT)
    except ArchspecError:
        reject()
    if spec.analyze().totals.macs > MOST:
        reject()
    return spec


def agree_with_torch(spec: Spec) -> None:
    """Shapes, MACs, parameters, buffers, memory alive, repeatability, bytes for backward, gradients."""
    analysis, network = spec.analyze(), build(spec)
    claims = [
        *counts.shapes_and_macs(build(spec, device="meta"), analysis, 2),
        *counts.parameters(network, analysis),
        *evaluation.evaluation(network, analysis, 2, "cpu"),
        *training.step(network, analysis, 2),
    ]
    assert claims
    failed = [claim for claim in claims if not claim.holds and ARITHMETIC not in str(claim.measured)]
    assert not failed, f"{failed[0]}\n{spec.source.text}"


def agree_with_brute_force(spec: Spec) -> None:
    """Shapes, parameters, buffers and MACs, counted one by one."""
    try:
        found = recompute(spec.layers)
    except Impossible as error:
        raise AssertionError(f"the definition has no meaning here\n{spec.source.text}") from error
    analysis = spec.analyze()
    for node, measured in found.items():
        stated = (tuple(node.shape), analysis.counts[node.shared or node].trainable.value, analysis.macs[node].value)
        assert stated == (measured.shape, measured.trainable, measured.macs), f"{node}\n{spec.source.text}"
    counted = totals(found, spec.layers.outputs.values())
    assert (analysis.totals.parameters, analysis.totals.buffers, analysis.totals.macs) == counted


@settings(max_examples=2 * EXAMPLES, suppress_health_check=SLOW)  # 10,000 in `make prove`
@given(st.one_of(NETWORKS, trees().map(Tree.structured), trees().map(Tree.structured)))
def test_statement_torch_and_brute_force_agree(text: str) -> None:
    spec = drawn(text)
    agree_with_torch(spec)
    agree_with_brute_force(spec)


@pytest.mark.parametrize(
    ("size", "layers"),
    [
        ("1x1", "UPSAMPLE-2, LN, CONV3-2 p1, FLATTEN, FC-1"),  # one channel: its stride made torch reorder the map
        ("2x2x1", "UPSAMPLE-2, RMSNORM, CONV3-2 p1, FLATTEN, FC-1"),
        ("1x1", "CONV3-(C) p=same, RMSNORM"),
        ("1x1", "{add: [CONV1-1, [DROPOUT-0.1, CONV1-1]]}"),  # dropout of an input: fresh, though it has no gradient
        ("2x3x4x1", "GMP, POOL2 s1 p1 d2, CONV3-2"),  # a window in the padding alone: torch wrote outside its memory
    ],
)
def test_what_once_disagreed(size: str, layers: str) -> None:
    spec = drawn(f"{{name: once, input: {size}, layers: [{layers}]}}")
    agree_with_torch(spec)
    agree_with_brute_force(spec)
