"""Arrays in, HoloViews out."""
