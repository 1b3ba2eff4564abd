"""Steps: one class per step, with its settings, what it needs and gives, and its work on rows."""
