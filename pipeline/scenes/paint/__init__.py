"""Painting: canvas, colours and strokes."""
