"""Codes that a till or a shop takes."""

from __future__ import annotations

import datetime as dt
import uuid

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from loyalty.models import Membership, Program
from loyalty.models.orders import MoneyField
from loyalty.models.programs import code_validator
from members.models.telling import tells
from rewards.codes import masked
from rewards.models.rewards import Reward


class VoucherPool(models.Model):
    """Codes that came from elsewhere, each of which is given away once."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="voucher_pools")
    code = models.CharField(_("code"), max_length=64, validators=[code_validator])
    name = models.CharField(_("name"), max_length=80)
    # How many were ever put in.
    codes = models.PositiveIntegerField(default=0, db_default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["program", "code"], name="voucher_pool_code")
        ]
        triggers = [pgtrigger.Protect(name="voucher_pool_stays", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.name


class Voucher(models.Model):
    """A code. In a pool it waits until somebody is given it; then it is theirs until it is used,
    runs out or is called back."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("In the pool")
        KEPT = "kept", _("Kept for a reservation")
        ISSUED = "issued", _("To be used")
        USED = "used", _("Used")
        EXPIRED = "expired", _("Expired")
        VOID = "void", _("Called back")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # As it is compared: capitals and digits only.
    code = models.CharField(max_length=40, unique=True)
    # As people read it.
    written = models.CharField(max_length=48)
    pool = models.ForeignKey(
        VoucherPool, null=True, on_delete=models.PROTECT, related_name="vouchers", db_index=False
    )
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="+", db_index=False)
    reward = models.ForeignKey(
        Reward, null=True, on_delete=models.PROTECT, related_name="vouchers", db_index=False
    )
    membership = models.ForeignKey(
        Membership, null=True, on_delete=models.PROTECT, related_name="vouchers"
    )
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.WAITING)
    # So often it can be used, and so often by each member; None: it is one member's, and is used
    # once.
    most_uses = models.PositiveIntegerField(null=True)
    per_member = models.PositiveIntegerField(default=1, db_default=1)
    # How many of these are held or used; the database counts it with each use.
    uses_taken = models.PositiveIntegerField(default=0, db_default=0)
    # What it does, as it was told to whoever took it.
    terms = models.JSONField(default=dict)
    issued_at = models.DateTimeField(null=True)
    # From then on it cannot be used any more.
    expires_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="voucher_code_plain", condition=Q(code__regex=r"^[A-Z0-9]+$")
            ),
            models.CheckConstraint(
                name="voucher_status_of_its_times",
                condition=Q(status__in=["waiting", "kept"], pool__isnull=False, membership=None,
                            issued_at=None, closed_at=None)
                | Q(status="issued", issued_at__isnull=False, closed_at=None)
                & (Q(membership__isnull=False) | Q(most_uses__isnull=False))
                | Q(status__in=["used", "expired", "void"], closed_at__isnull=False),
            ),
            models.CheckConstraint(
                name="voucher_of_one_or_shared",
                condition=Q(most_uses=None)
                | Q(most_uses__gt=0, membership=None, pool=None, reward__isnull=False),
            ),
            models.CheckConstraint(
                name="voucher_per_member",
                condition=Q(per_member=1) | Q(per_member__gt=1, per_member__lte=F("most_uses")),
            ),
            models.CheckConstraint(
                name="voucher_used_as_often_as_it_may_be",
                condition=Q(most_uses=None, uses_taken=0)
                | Q(most_uses__isnull=False, uses_taken__lte=F("most_uses")),
            ),
        ]  # fmt: skip
        indexes = [
            # The next one to give away.
            models.Index(
                fields=["pool", "id"], name="voucher_waiting", condition=Q(status="waiting")
            ),
            models.Index(
                fields=["expires_at"], name="voucher_runs_out",
                condition=Q(status="issued", expires_at__isnull=False),
            ),
            models.Index(
                fields=["reward"], name="voucher_shared", condition=Q(most_uses__isnull=False)
            ),
        ]  # fmt: skip
        triggers = [
            *tells("told.vouchers", "status"),
            pgtrigger.Protect(name="voucher_stays", operation=pgtrigger.Delete),
            pgtrigger.FSM(
                name="voucher_status_goes_on",
                field="status",
                transitions=[
                    ("waiting", "issued"), ("waiting", "void"), ("waiting", "kept"),
                    ("kept", "waiting"), ("kept", "issued"), ("issued", "used"),
                    ("issued", "expired"), ("issued", "void"), ("used", "issued"),
                    ("used", "void"), ("expired", "issued"),
                    # A till that was offline used it in time.
                    ("expired", "used"),
                ],
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.written

    @property
    def masked(self) -> str:
        """For who may not use it."""
        return masked(self.written)

    @property
    def last_moment(self) -> dt.datetime | None:
        """Until when it can be used, as people say it; None: for ever."""
        return None if self.expires_at is None else self.expires_at - dt.timedelta(seconds=1)

    def is_usable(self, now: dt.datetime) -> bool:
        """By the clock, whether or not its end was written down."""
        if self.status != Voucher.Status.ISSUED:
            return False
        return self.expires_at is None or self.expires_at > now


class VoucherUse(models.Model):
    """A voucher at one checkout: kept for it for a while, used by it, or let go again."""

    class State(models.TextChoices):
        HELD = "held", _("Held")
        USED = "used", _("Used")
        RELEASED = "released", _("Let go")

    voucher = models.ForeignKey(
        Voucher, on_delete=models.PROTECT, related_name="uses", db_index=False
    )
    # Whose order it is, and which of its uses this is, where it is shared.
    membership = models.ForeignKey(
        Membership, null=True, on_delete=models.PROTECT, related_name="+"
    )
    slot = models.PositiveIntegerField(default=1, db_default=1)
    # Which of this member's uses.
    own_slot = models.PositiveIntegerField(default=1, db_default=1)
    # The shop's own name for the checkout, or that of a cart or sale: source/number.
    checkout = models.CharField(max_length=161)
    state = models.CharField(max_length=8, choices=State.choices)
    # The hold is over then.
    held_until = models.DateTimeField(null=True)
    # None: no basket was told yet.
    discount = MoneyField(null=True)
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["voucher", "checkout"], name="voucher_use_once"),
            # At one checkout at a time, and used once; a shared one in each of its slots.
            models.UniqueConstraint(
                fields=["voucher", "slot"], condition=Q(state__in=["held", "used"]),
                name="voucher_at_one_checkout",
            ),
            models.UniqueConstraint(
                fields=["voucher", "membership", "own_slot"],
                condition=Q(state__in=["held", "used"], membership__isnull=False),
                name="voucher_in_each_slot_of_a_member",
            ),
            models.CheckConstraint(
                name="voucher_use_of_its_times",
                condition=Q(state="held", held_until__isnull=False, closed_at=None)
                | Q(state__in=["used", "released"], closed_at__isnull=False),
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["checkout"], name="voucher_use_checkout"),
            models.Index(
                fields=["voucher", "held_until"], name="voucher_use_held",
                condition=Q(state="held"),
            ),
        ]  # fmt: skip
        triggers = [
            pgtrigger.Trigger(
                name="voucher_use_in_its_slots",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.Before,
                declare=[("most", "integer"), ("own", "integer")],
                func="""
                    SELECT coalesce(most_uses, 1), per_member INTO most, own
                      FROM rewards_voucher WHERE id = NEW.voucher_id;
                    IF NEW.own_slot < 1 OR NEW.own_slot > own THEN
                        RAISE EXCEPTION 'a voucher is used % times by a member at most', own
                            USING ERRCODE = 'check_violation';
                    END IF;
                    IF NEW.slot < 1 OR NEW.slot > most THEN
                        RAISE EXCEPTION 'a voucher is used % times at most', most
                            USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
            # Whoever writes holds the voucher's row.
            pgtrigger.Trigger(
                name="voucher_use_counted",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.After,
                declare=[("more", "integer")],
                func="""
                    more := (NEW.state IN ('held', 'used'))::int
                            - coalesce((OLD.state IN ('held', 'used'))::int, 0);
                    IF more <> 0 THEN
                        UPDATE rewards_voucher SET uses_taken = uses_taken + more
                         WHERE id = NEW.voucher_id AND most_uses IS NOT NULL;
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.voucher} · {self.checkout}"
