"""The settings under test: the real ones, without what only costs time or depends on it."""

import os
from zlib import crc32

os.environ["SETIA_ENV"] = "development"

from config.logs import configuration
from config.settings import *  # noqa: F403
from config.settings import CACHE_URL, CACHES, DATABASES, KNOWN_LANGUAGES, VAR_DIR

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Also those that are not translated yet: dates and numbers are written in each.
LANGUAGES = KNOWN_LANGUAGES
# Sign-in limits have tests of their own, which switch them on.
ACCOUNT_RATE_LIMITS = False
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
LOGGING = configuration(json=False, level="ERROR")
DEVMAIL_DIR = VAR_DIR / "test-mail"
# On a busy machine, too, figures come with their page; tests of those that do not say so.
FIGURES_PATIENCE = (60_000, 60_000)
MEDIA_ROOT = VAR_DIR / "test-media"

# What a test writes need not survive the machine; the data of `make run` in the same server do.
DATABASES["default"]["OPTIONS"]["options"] = "-c synchronous_commit=off"
DATABASES["default"]["CONN_MAX_AGE"] = 0
# A database of Valkey for each test process, apart from the one `make run` uses; who names a test
# database of one's own runs beside others, and gets another one there too.
PROCESS = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
PROCESS += crc32(os.environ.get("SETIA_TEST_DATABASE", "").encode())
CACHES["default"]["LOCATION"] = f"{CACHE_URL.partition('?')[0]}?db={2 + PROCESS % 14}"
