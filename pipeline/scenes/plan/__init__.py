"""Plans of the drawn scenes: acts.py (what can happen where), casting.py (who, when, in which clothes), composition.py
(where on the sheet) and facts.py (what is true of the scene).
"""
