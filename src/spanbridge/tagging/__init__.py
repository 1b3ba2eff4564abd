"""Taggers: words in, labelled spans out."""
