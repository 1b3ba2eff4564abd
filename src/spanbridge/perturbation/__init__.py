"""Perturbations: noise of a given strength in sentences, whose spans stay exact."""
