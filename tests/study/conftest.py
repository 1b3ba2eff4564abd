from toy_fixtures import command

__all__ = ["command"]
