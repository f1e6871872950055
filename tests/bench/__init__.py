"""Measuring speed and scale beside their ceilings and beside peers: `./scripts/bench`. Its quick versions are tests."""
