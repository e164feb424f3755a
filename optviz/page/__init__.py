"""The live page of an experiment: controls, layout, what is pushed to a browser."""
