"""A network as a diagram, folded by its stages and blocks."""

from visualize.diagram.drawing import Diagram, Direction, diagram
from visualize.diagram.folding import Box

__all__ = ["Box", "Diagram", "Direction", "diagram"]
