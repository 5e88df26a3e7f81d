"""How many people somebody may look up to give them something."""

from __future__ import annotations

import time

from django.core.cache import cache

from members.models import Customer

# Whoever looks up more people than this in an hour is not giving presents.
LOOKUPS_PER_HOUR = 20


def may_look_up(customer: Customer) -> bool:
    """Counted, so that nobody can try out who else is a member."""
    name = f"gift-lookups:{customer.pk}:{int(time.time() // 3600)}"
    cache.add(name, 0, timeout=3600)
    try:
        return cache.incr(name) <= LOOKUPS_PER_HOUR
    except ValueError:  # it was dropped between the two
        return True
