"""Grids of runs: every cell its own, in blocks of lanes."""
