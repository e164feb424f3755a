"""What an experiment's state is: addresses, files, values that are checked."""
