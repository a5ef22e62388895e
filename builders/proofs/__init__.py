"""How a run proves the numbers that archspec states, one file per sort of number."""
