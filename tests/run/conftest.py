from toy_fixtures import bitext, cache, command, files, write

__all__ = ["bitext", "cache", "command", "files", "write"]
