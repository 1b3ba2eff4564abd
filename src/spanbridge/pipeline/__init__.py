"""The stages wired together: files in, files out, every row accounted for."""
