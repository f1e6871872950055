"""Figures: people, animals, vehicles and other objects."""
