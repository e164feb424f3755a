"""One function of named variables, read many ways."""
