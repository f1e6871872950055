"""Plans: what a scene shows and where."""
