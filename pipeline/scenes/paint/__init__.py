"""Painting the drawn scenes: strokes.py (tables of strokes to antialiased polygons), colours.py and canvas.py."""
