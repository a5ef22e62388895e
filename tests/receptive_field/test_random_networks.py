"""Random networks, every unit of every node held against brute force."""

from __future__ import annotations

from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from archspec import ArchspecError, parse
from archspec.layers import registry
from tests.field_oracle import RULES, OutOfPatience
from tests.receptive_field.comparison import compare
from tests.receptive_field.networks import NETWORKS
from tests.strategies import trees, wild
from tests.structures import Tree

PATIENCE = 12_000  # units that brute force asks in one network
EXAMPLES = settings.default.max_examples if settings.default else 100
SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large, HealthCheck.large_base_example]


def agree(text: str) -> None:
    """The pass and brute force agree about a network; one that is refused, or too large, is passed over."""
    try:
        compare(parse(text, limit=100), PATIENCE)
    except (ArchspecError, OutOfPatience):
        reject()


def test_the_oracle_knows_every_kind() -> None:
    assert set(RULES) == {*registry, "INPUT"}


@settings(max_examples=2 * EXAMPLES, suppress_health_check=SLOW)
@given(NETWORKS)
def test_networks_that_move_positions(text: str) -> None:
    agree(text)


@settings(max_examples=EXAMPLES, suppress_health_check=SLOW)
@given(st.one_of(trees(), trees(wild())).map(Tree.structured))
def test_networks_of_all_constructs(text: str) -> None:
    agree(text)
