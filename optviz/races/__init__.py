"""Races by fair rules: every rule tuned by the same trials in the same studies, and how it is scored."""
