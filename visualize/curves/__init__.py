"""The charts of the project: lines with bands, bars, histograms with densities, stems, grids; and their rendering."""

from visualize.curves.charts import Bar, Density, bars, gaussian, heat, histogram, lines, stems
from visualize.curves.figure import FORMATS, Figure, below, beside
from visualize.curves.series import Axis, Series

__all__ = [
    "FORMATS",
    "Axis",
    "Bar",
    "Density",
    "Figure",
    "Series",
    "bars",
    "below",
    "beside",
    "gaussian",
    "heat",
    "histogram",
    "lines",
    "stems",
]
