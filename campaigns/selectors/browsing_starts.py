"""Who left a cart, or looked and ordered nothing, so many hours ago; page by page of the indexes of
when that was."""

from __future__ import annotations

import datetime as dt
from typing import Any

from campaigns.selectors.due_members import Found, Stage, timed

# The last change of a cart in which something is left; of several lines the last one speaks.
_CARTS = """
    SELECT DISTINCT ON (c.changed_at, c.customer_id) m.id, c.changed_at, c.customer_id
      FROM campaigns_cartline c
      JOIN loyalty_membership m ON m.customer_id = c.customer_id
           AND m.program_id = %(program)s AND m.status = 'active'
     WHERE c.changed_at >= %(at)s AND c.changed_at <= %(until)s
       AND c.changed_at > %(first)s AND (c.changed_at, c.customer_id) > (%(at)s, %(key)s)
       AND EXISTS (SELECT 1 FROM campaigns_cartline kept
                    WHERE kept.customer_id = c.customer_id AND kept.quantity > 0
                      AND NOT EXISTS (SELECT 1 FROM loyalty_order o
                                       WHERE o.customer_id = c.customer_id
                                         AND o.placed_at >= kept.changed_at
                                         AND o.status NOT IN ('cancelled', 'refunded')))
       AND NOT EXISTS (SELECT 1 FROM campaigns_cartline later
                        WHERE later.customer_id = c.customer_id
                          AND later.changed_at > c.changed_at)
     ORDER BY c.changed_at, c.customer_id LIMIT %(page)s
"""
# Of several looks the last one speaks: it ends the visit.
_LOOKS = """
    SELECT DISTINCT ON (d.last_at, d.customer_id) m.id, d.last_at, d.customer_id
      FROM campaigns_browsingday d
      JOIN loyalty_membership m ON m.customer_id = d.customer_id
           AND m.program_id = %(program)s AND m.status = 'active'
     WHERE d.last_at >= %(at)s AND d.last_at <= %(until)s AND d.what IN ('product', 'category')
       AND d.last_at > %(first)s AND (d.last_at, d.customer_id) > (%(at)s, %(key)s)
       AND NOT EXISTS (SELECT 1 FROM campaigns_browsingday later
                        WHERE later.customer_id = d.customer_id
                          AND later.what IN ('product', 'category') AND later.last_at > d.last_at)
       AND NOT EXISTS (SELECT 1 FROM loyalty_order o
                        WHERE o.customer_id = d.customer_id AND o.placed_at >= d.last_at
                          AND o.status NOT IN ('cancelled', 'refunded'))
     ORDER BY d.last_at, d.customer_id LIMIT %(page)s
"""


def carts_left(program: int, first: dt.datetime, until: dt.datetime) -> Stage[Found]:
    """Who changed their cart last after `first`, up to `until`, left something in it and has not
    ordered since."""
    return _stage(_CARTS, program, first, until)


def visits_ended(program: int, first: dt.datetime, until: dt.datetime) -> Stage[Found]:
    """Who looked at something last after `first`, up to `until`, and has not ordered since."""
    return _stage(_LOOKS, program, first, until)


def _stage(sql: str, program: int, first: dt.datetime, until: dt.datetime) -> Stage[Found]:
    def page(after: Any) -> tuple[list[Found], Any]:
        return timed(sql, after, first, program=program, until=until)

    return page
