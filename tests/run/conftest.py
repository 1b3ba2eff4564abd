from chat_rows import chat_files
from toy_fixtures import bitext, command, files, write

__all__ = ["bitext", "chat_files", "command", "files", "write"]
