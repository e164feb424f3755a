"""Pictures of many runs, as arrays: axes, ends, basins, stages."""
