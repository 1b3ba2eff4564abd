"""The entry point: ``spanbridge`` and ``python -m spanbridge``.

Nothing is imported before Ctrl-C is taken care of, since the imports take most of a second.
"""

import os
import signal
from types import FrameType

INTERRUPTED = "interrupted (trainings and pipelines go on when started again)"


def stop(number: int = signal.SIGINT, frame: FrameType | None = None) -> None:
    """End the process at once, with one line; files that it was writing keep their own names."""
    os.write(2, f"{INTERRUPTED}\n".encode())
    os._exit(128 + number)


def main() -> None:
    """Run the command line."""
    signal.signal(signal.SIGINT, stop)
    from spanbridge.cli.main import main as run

    run()


if __name__ == "__main__":
    main()
