"""Training tasks: what is learned, its losses and the loop."""
