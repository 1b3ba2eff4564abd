"""Steps: one class per step, with its settings, columns and work on rows."""
