"""Runners of pipelines: streaming, and in shards that survive; files in, files out."""
