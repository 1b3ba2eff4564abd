from chat_rows import chat_files
from toy_fixtures import bitext, cache, command, files, write

__all__ = ["bitext", "cache", "chat_files", "command", "files", "write"]
