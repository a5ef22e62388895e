"""Studies: problems of deep learning as experiments, whose statements are claims that a run proves or refutes."""
