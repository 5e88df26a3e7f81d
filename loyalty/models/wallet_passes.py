from __future__ import annotations

from django.db import models

from loyalty.models.memberships import Membership


class WalletPass(models.Model):
    """A member's card that was taken into a phone's wallet, or may have been. Its serial number is
    the id of the membership it was made for: merged into another, it shows that one."""

    membership = models.OneToOneField(
        Membership, on_delete=models.PROTECT, related_name="wallet_pass"
    )
    # Of all that it says, at `changed_at`: whole seconds, each later than the one before, since
    # phones ask by them.
    digest = models.CharField(max_length=64)
    changed_at = models.DateTimeField()
    # What changed until then has been told to the phones that have the pass.
    apple_told_at = models.DateTimeField()
    # And this to Google; NULL: it knows no such pass, because nobody has saved it.
    google_told_at = models.DateTimeField(null=True)
    # When to look whether it says something else by now; NULL: nothing has happened.
    due_at = models.DateTimeField(null=True)
    # Since when it names nobody, because its member has left or was erased; NULL: it is good.
    void_since = models.DateTimeField(null=True)
    # When the link by which Google saves it was given last; NULL: Google is told nothing.
    linked_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at"], name="wallet_pass_due", condition=~models.Q(due_at=None)
            ),
        ]

    def __str__(self) -> str:
        return str(self.membership_id)

    @property
    def serial(self) -> str:
        return str(self.membership.public_id)


class PassDevice(models.Model):
    """A device that has the pass and wants to hear when it changes. Both names are Apple's."""

    wallet_pass = models.ForeignKey(WalletPass, on_delete=models.CASCADE, related_name="devices")
    device = models.CharField(max_length=100)
    push_token = models.CharField(max_length=200)
    registered_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["device", "wallet_pass"], name="pass_device_once"),
        ]

    def __str__(self) -> str:
        return self.device
