"""Where staff and customers are signed in, and from where they have been."""

from __future__ import annotations

from django.db import models

from members.devices import device_words
from members.models.users import User


class SignIn(models.Model):
    """One time that somebody signed in: with what, from where, and until when.

    Addresses are kept shortened: enough to see whether it is the same place. Ended ones stay for a
    while, so that a device that was not seen before stands out.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sign_ins")
    # Of the session that it began; it changes with the password.
    session_key = models.CharField(max_length=40, unique=True)
    device = models.CharField(max_length=100)
    place = models.CharField(max_length=50)
    signed_in_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["user", "-last_seen_at"], name="sign_in_latest")]
        ordering = ["-last_seen_at"]

    @property
    def device_name(self) -> str:
        """In the reader's language."""
        return device_words(self.device)

    def __str__(self) -> str:
        return f"{self.device}, {self.place}"
