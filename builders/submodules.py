"""Which submodule of a network computes which layer."""

from __future__ import annotations

from torch import nn

from builders.network import Network
from builders.writer import TrainingOnly


def layer_modules(network: Network) -> dict[int, nn.Module]:
    """The modules of layers by their numbers, those of training-only parts included."""
    found: dict[int, nn.Module] = {}
    for value in network.graph.nodes:
        held = network.get_submodule(str(value.target)) if value.op == "call_module" else None
        if isinstance(held, TrainingOnly):
            found |= layer_modules(held.network)
        elif held is not None:
            found[network.origins[value.name].index] = held
    return found
