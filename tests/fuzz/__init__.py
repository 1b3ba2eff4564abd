"""Fuzzing: hostile input for everything that reads; ``make fuzz`` runs it (see ``__main__``)."""
