"""Signal propagation: what random weights make of a batch, measured and as the variance recursion predicts it."""
