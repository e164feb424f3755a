"""The self-contained page: definitions printed as JavaScript, and its small runtime."""
