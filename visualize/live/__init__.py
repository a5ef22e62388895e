"""The page of a spec that follows every save of it."""
