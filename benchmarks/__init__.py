"""Benchmarks: each prints one table, all things compared in the same run."""
