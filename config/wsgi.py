"""The WSGI entry point that granian serves."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import resolve

from config import start_up

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()

# Loads every view now: otherwise the first visitor of each process waits for it.
start_up.begin()
resolve("/accounts/login/")
start_up.end()
