"""Asking for a worker now, instead of with the schedule's next turn."""

from __future__ import annotations

import logging

from celery import current_app
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


def wake_worker(task: str, *args: str) -> None:
    """Have a worker run the task. Without a broker it runs with the schedule, a little later."""
    try:
        current_app.signature(task, args=args).apply_async(retry=False)
    except (KombuError, RedisError, OSError) as error:
        logger.warning("no worker could be woken: %s", type(error).__name__)
