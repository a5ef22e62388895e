"""What units see: the region of one, the growth over depth, the taps from layer to layer."""

from visualize.receptive_field.pictures import draw_growth, draw_receptive_field, draw_region, draw_taps

__all__ = ["draw_growth", "draw_receptive_field", "draw_region", "draw_taps"]
