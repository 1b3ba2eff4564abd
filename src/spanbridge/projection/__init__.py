"""Annotation projection: labelled source + links -> labelled target."""
