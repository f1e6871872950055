"""Figures of the drawn scenes: people.py, animals.py, vehicles.py and objects.py draw them; assemble.py makes the
figure of a part of a scene.
"""
