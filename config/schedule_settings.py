"""Settings of the process that keeps the schedule: it needs the tables of the schedule, and takes
a second and a hundred megabytes less without the applications whose work it asks for by name."""

from config.settings import *  # noqa: F403

INSTALLED_APPS = ["django_celery_beat"]
