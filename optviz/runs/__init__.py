"""One run, or a thousand lanes at once: the loop and what it leaves behind."""
