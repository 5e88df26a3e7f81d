"""Instants that stand for something."""

from __future__ import annotations

import datetime as dt

# Stands for "never" where a comparison must work; PostgreSQL's own 'infinity' has no Python value.
NEVER = dt.datetime(9999, 12, 31, tzinfo=dt.UTC)
