"""Documents: what an item becomes in an index, and what state an index must be in to hold them all."""
