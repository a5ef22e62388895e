"""Back end: torch modules from layer graphs, proofs by running them, weights in files. Torch lives here alone.

Users reach it as `archspec.build`, `archspec.verify`, `archspec.save`, ...: see `archspec.__init__`.
"""
