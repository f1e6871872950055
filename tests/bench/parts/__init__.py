"""The parts of the bench: each has a `run` that yields figures."""
