"""The states that things go through, as people read them: one word and one meaning of color."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

STATES: dict[str, tuple[str | Promise, str]] = {
    "draft": (_("Draft"), "neutral"),
    "live": (pgettext_lazy("state", "Live"), "success"),
    "paused": (_("Paused"), "warning"),
    "archived": (_("Archived"), "neutral"),
    "superseded": (_("Superseded"), "neutral"),
    "ended": (_("Ended"), "neutral"),
    "ending": (_("Ends"), "warning"),
    "open": (pgettext_lazy("state", "Open"), "info"),
    "reached": (_("Reached"), "success"),
    "missed": (_("Missed"), "warning"),
    "given_up": (_("Given up"), "neutral"),
    "on_track": (_("On track"), "success"),
    "behind": (_("Behind"), "warning"),
    "not_begun": (_("Not begun"), "neutral"),
    "overdue": (_("Overdue"), "danger"),
    "unmeasured": (_("Nothing to measure"), "neutral"),
    "scheduled": (_("Scheduled"), "info"),
    "candidate": (_("Candidate"), "info"),
    "active": (_("Active"), "success"),
    "suspended": (_("Suspended"), "warning"),
    "merged": (_("Merged"), "neutral"),
    "left": (pgettext_lazy("state of a membership", "Left"), "neutral"),
    "blocked": (_("Blocked"), "danger"),
    "queued": (_("Waiting"), "neutral"),
    "running": (_("Running"), "info"),
    "done": (_("Done"), "success"),
    "succeeded": (_("Done"), "success"),
    "failed": (_("Failed"), "danger"),
    "cancelled": (_("Canceled"), "neutral"),
    "canceled": (_("Canceled"), "neutral"),
    "pending": (_("Pending"), "warning"),
    "waiting": (_("Waits for approval"), "warning"),
    "approved": (_("Approved"), "success"),
    "rejected": (_("Rejected"), "danger"),
    "withdrawn": (_("Withdrawn"), "neutral"),
    "checking": (_("Being checked"), "info"),
    "checked": (_("Checked"), "info"),
    "posting": (_("Being posted"), "info"),
    "posted": (_("Posted"), "success"),
    "undoing": (_("Being undone"), "info"),
    "undone": (_("Undone"), "neutral"),
    "refused": (_("Refused"), "danger"),
    "kept": (_("Could not be undone"), "warning"),
    "held": (_("Held back"), "danger"),
    "reserved": (_("Reserved"), "warning"),
    "committed": (_("Paid"), "success"),
    "issued": (_("To be used"), "info"),
    "used": (_("Used"), "success"),
    "used_up": (_("Used up"), "neutral"),
    "inactive": (_("Not sold yet"), "info"),
    "replaced": (_("Replaced"), "neutral"),
    "taken_back": (_("Taken back"), "neutral"),
    "void": (_("Called back"), "neutral"),
    "spendable": (_("Spendable"), "success"),
    "expired": (_("Expired"), "neutral"),
    "revoked": (_("Revoked"), "neutral"),
    "reversed": (_("Undone"), "neutral"),
    "placed": (_("Placed"), "info"),
    "paid": (_("Paid"), "info"),
    "fulfilled": (_("Fulfilled"), "success"),
    "confirmed": (_("Confirmed"), "success"),
    "refunded": (_("Refunded"), "warning"),
    "partly_refunded": (_("Partly refunded"), "warning"),
    "returned": (_("Returned"), "warning"),
    "sale": (_("Sale"), "success"),
    "return": (_("Return"), "warning"),
}


def state_label(value: str) -> tuple[str, str]:
    """Return a state's word and its kind of badge; an unknown state is shown as it is."""
    label, kind = STATES.get(value.lower(), (value.replace("_", " ").capitalize(), "neutral"))
    return str(label), kind
