"""Random networks, every unit of every node held against brute force."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from archspec import ArchspecError, Spec, parse
from archspec.layers import registry
from tests.field_oracle import RULES
from tests.receptive_field.comparison import compare
from tests.receptive_field.networks import NETWORKS
from tests.strategies import trees, wild
from tests.structures import Tree

MOST_UNITS = 160  # of one map; brute force asks each of them
MOST_NODES = 60
EXAMPLES = settings.default.max_examples if settings.default else 100
SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large, HealthCheck.large_base_example]


def small(text: str) -> Spec:
    """The network of a spec, if it is one that brute force can finish."""
    try:
        spec = parse(text, limit=200)
    except ArchspecError:
        assume(False)
        raise
    assume(len(spec) <= MOST_NODES)
    assume(all(node.shape.positions <= MOST_UNITS for node in spec))
    return spec


def test_the_oracle_knows_every_kind() -> None:
    assert set(RULES) == {*registry, "INPUT"}


@settings(max_examples=2 * EXAMPLES, suppress_health_check=SLOW)
@given(NETWORKS)
def test_networks_that_move_positions(text: str) -> None:
    compare(small(text))


@settings(max_examples=EXAMPLES, suppress_health_check=SLOW)
@given(st.one_of(trees(), trees(wild())).map(Tree.structured))
def test_networks_of_all_constructs(text: str) -> None:
    compare(small(text))
