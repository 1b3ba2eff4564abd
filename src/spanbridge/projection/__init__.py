"""Annotation projection: from a labelled source and an alignment to a labelled target."""
