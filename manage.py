#!/usr/bin/env python
"""Setia's command line: Django's, with embedded services behind the commands that need them."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import BaseCommand, execute_from_command_line

    from config.embedded import services_for_command
    from members.origins import COMMAND, coming_by

    # The others load every view, which takes longer than most commands: `check` is there for them.
    BaseCommand.requires_system_checks = ["database"]
    with services_for_command(sys.argv), coming_by(COMMAND, " ".join(sys.argv[1:2])):
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
