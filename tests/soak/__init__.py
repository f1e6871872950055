"""Breaking things on purpose, for a bounded time and from a seed: `./scripts/soak`. Its short versions are tests."""
