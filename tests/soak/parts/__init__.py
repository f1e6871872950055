"""The parts of the soak: each has a `soak` that yields what was tried."""
