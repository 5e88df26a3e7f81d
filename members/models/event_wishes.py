from __future__ import annotations

from django.db import models


class EventWish(models.Model):
    """Somebody follows what is told of some rows: only then the triggers of
    `members.models.telling` write it down, so that what nobody hears costs a look at this table."""

    follower = models.CharField(max_length=32)
    # The outbox event that they want.
    kind = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "follower"], name="event_wish_once"),
        ]

    def __str__(self) -> str:
        return f"{self.follower}: {self.kind}"
