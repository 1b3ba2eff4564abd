from toy_fixtures import bitext, command, files, write

__all__ = ["bitext", "command", "files", "write"]
