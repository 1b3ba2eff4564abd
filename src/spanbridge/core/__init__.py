"""Basic types: spans, sentences, pairs, links, tag schemes. NumPy and the standard library only."""
