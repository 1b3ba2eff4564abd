"""The demonstration: a small sample in nine languages, projected for real."""
