"""Lessons: what leads somebody through an experiment, step by step, one file each."""
