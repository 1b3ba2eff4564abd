"""Studies: grids of systems, data sets, languages, seeds and perturbations, from one file."""
