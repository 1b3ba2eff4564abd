"""Translators: sentences in, sentences with a status out; back-ends by name in the registry."""
