"""The WSGI entry point that `config.web` serves."""

import os

from django.core.wsgi import get_wsgi_application

from config import start_up

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()

# Now: otherwise the first visitor of each process waits for it.
start_up.load_views()
