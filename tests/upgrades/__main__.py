"""`python -m tests.upgrades FILE`: a backup of the demonstration, as this version makes it."""

import os
import sys
from unittest import mock

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from config.embedded import layout, leased, needed_services  # noqa: E402
from loyalty.demo import history  # noqa: E402
from tests.bench import databases  # noqa: E402

DATABASE = "upgrade_seed"
# Four households, the guide's among them.
FEW = {"SHARE": 600, "REMAINDER": 1609 % 600}

with leased(layout(), needed_services()):
    databases.create(DATABASE)
    try:
        with databases.used(DATABASE), mock.patch.multiple(history, **FEW):
            call_command("migrate", verbosity=0)
            call_command("load_demo", "--if-empty")
            call_command("backup", "--to", sys.argv[1])
            connection.close()
    finally:
        databases.drop(DATABASE)
