"""Definitions as formulas that a person reads."""
