"""The demonstration: a small sample in nine languages, which is actually projected."""
