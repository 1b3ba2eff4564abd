"""Runners of pipelines from files to files: streaming, or in resumable shards."""
