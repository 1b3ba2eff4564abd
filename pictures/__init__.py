"""The pictures of the docs: ``make pictures``."""
