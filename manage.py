#!/usr/bin/env python
"""Django's command line for the Nyckelfri server."""

import os
import sys


def main() -> None:
    """Run a management command with the server's settings."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "server.config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
