"""Training: recipes, one trial, its checkpoints, and grids of trials whose results are kept in a folder."""
