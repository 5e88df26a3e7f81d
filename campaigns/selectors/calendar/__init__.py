"""Everything that is live, planned or comes again, of all kinds, on one calendar."""

from campaigns.calendar_entries import KINDS, Conflict, Entry, Span
from campaigns.selectors.calendar.conflicts import conflicts_in
from campaigns.selectors.calendar.everything import entries

__all__ = ["KINDS", "Conflict", "Entry", "Span", "conflicts_in", "entries"]
