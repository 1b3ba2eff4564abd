"""``python -m spanbridge``."""

from spanbridge.cli.main import main

main()
