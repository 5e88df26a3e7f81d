"""What was offered to single members, worked out from what each of them bought."""

from __future__ import annotations

import uuid

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from campaigns.models.campaigns import Campaign
from loyalty.models import Membership
from members.models.telling import tells


class PersonalOffer(models.Model):
    """That a campaign's benefit holds for a member, for one category or product, in a time. The
    campaign's rule for that category or product asks for it by its name."""

    class State(models.TextChoices):
        GIVEN = "given", _("Given")
        SEEN = "seen", _("Seen")
        TAKEN = "taken", _("Taken")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    campaign = models.ForeignKey(
        Campaign, on_delete=models.PROTECT, related_name="personal_offers", db_index=False
    )
    membership = models.ForeignKey(
        Membership, on_delete=models.PROTECT, related_name="personal_offers", db_index=False
    )
    # The how-many-th of this campaign for this member.
    number = models.PositiveSmallIntegerField()
    # A category, or a SKU where something is collected; and what people call it.
    target = models.CharField(max_length=128)
    name = models.CharField(max_length=200)
    # Why: bought so often, or so many of `whole` are theirs already.
    times = models.PositiveIntegerField(default=0)
    whole = models.PositiveSmallIntegerField(default=0)
    # What it was ranked by among others; see `campaigns.selectors.offer_picks`.
    score = models.DecimalField(max_digits=14, decimal_places=4, default=0)
    state = models.CharField(max_length=5, choices=State.choices, default=State.GIVEN)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True)
    # When the first order was placed that it holds for.
    taken_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "membership", "number"], name="personal_offer_once"
            ),
            models.CheckConstraint(
                name="personal_offer_ends_later", condition=Q(ends_at__gt=F("starts_at"))
            ),
            models.CheckConstraint(
                name="personal_offer_state",
                condition=Q(state="given", seen_at=None, taken_at=None)
                | Q(state="seen", seen_at__isnull=False, taken_at=None)
                | Q(state="taken", taken_at__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["membership", "ends_at"], name="personal_offer_of")]
        triggers = [
            *tells("told.personal_offers", "state"),
            pgtrigger.Protect(name="personal_offer_stays", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="personal_offer_settled", operation=pgtrigger.Update, when=pgtrigger.Before,
                func="""
                    IF (NEW.campaign_id, NEW.number, NEW.target, NEW.starts_at, NEW.ends_at)
                       IS DISTINCT FROM
                       (OLD.campaign_id, OLD.number, OLD.target, OLD.starts_at, OLD.ends_at) THEN
                        RAISE EXCEPTION 'what was offered to a member does not change'
                            USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.campaign_id}: {self.membership_id}: {self.target}"
