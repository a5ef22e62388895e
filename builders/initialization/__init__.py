"""Initialisation: schemes, what is drawn for one weight, the activation that a weight leads to."""

from builders.initialization.schemes import SCHEMES, Scheme, parse_scheme

__all__ = ["SCHEMES", "Scheme", "parse_scheme"]
