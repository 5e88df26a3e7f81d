"""The production settings on the benchmark's own embedded services, without request limits."""

import os

os.environ.setdefault("SETIA_ENV", "development")

from config.settings import *  # noqa: F403

DEBUG = False
API_REQUESTS_PER_MINUTE = 0
