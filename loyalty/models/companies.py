"""Companies: what a pool of that kind is beside its units; what buyers ask its approvers for."""

from __future__ import annotations

import uuid

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from loyalty.models.ledger import Transfer
from loyalty.models.pools import Pool, PoolMember
from loyalty.models.programs import Program
from loyalty.models.wallet_types import WalletType
from members.models import StaffMember


class Company(models.Model):
    """The business behind a pool: how it is registered, who looks after it, and how much its buyers
    spend without asking. Every pool of the kind company has one; the pool has its public id."""

    class Period(models.TextChoices):
        DAY = "day", _("in a day")
        MONTH = "month", _("in a month")

    pool = models.OneToOneField(Pool, on_delete=models.PROTECT, related_name="company")
    # The pool's, here for what is unique in a program.
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="companies")
    external_id = models.CharField(
        _("your number"), max_length=64, blank=True, default="",
        help_text=_("As your own system calls the company."),
    )  # fmt: skip
    legal_name = models.CharField(_("registered name"), max_length=200, blank=True, default="")
    registration_number = models.CharField(
        _("registration number"), max_length=32, blank=True, default=""
    )
    vat_number = models.CharField(_("VAT number"), max_length=20, blank=True, default="")
    billing_email = models.EmailField(_("billing e-mail"), blank=True, default="")
    address = models.TextField(_("address"), max_length=500, blank=True, default="")
    employees = models.PositiveIntegerField(_("employees"), null=True, blank=True)
    tags = ArrayField(
        models.CharField(max_length=64), default=list, blank=True, verbose_name=_("tags")
    )
    manager = models.ForeignKey(
        StaffMember, null=True, blank=True, on_delete=models.SET_NULL, related_name="companies",
        verbose_name=_("account manager"),
    )  # fmt: skip
    # In whole units; empty: as many as they like.
    most_at_once = models.BigIntegerField(_("at once without asking"), null=True, blank=True)
    most_in_period = models.BigIntegerField(_("in a period without asking"), null=True, blank=True)
    period = models.CharField(
        _("period"), max_length=8, choices=Period.choices, default=Period.MONTH
    )
    answer_days = models.PositiveSmallIntegerField(_("days to answer"), default=7)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["pool__name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["program", "external_id"], name="company_external_id",
                condition=~Q(external_id=""),
            ),
            models.UniqueConstraint(
                fields=["program", "registration_number"], name="company_registration_number",
                condition=~Q(registration_number=""),
            ),
            models.UniqueConstraint(
                fields=["program", "vat_number"], name="company_vat_number",
                condition=~Q(vat_number=""),
            ),
            models.CheckConstraint(
                name="company_vat_number_form",
                condition=Q(vat_number="") | Q(vat_number__regex=r"^[A-Z]{2}[0-9A-Z+*]{2,13}$"),
            ),
            models.CheckConstraint(
                name="company_limits",
                condition=(Q(most_at_once=None) | Q(most_at_once__gte=0))
                & (Q(most_in_period=None) | Q(most_in_period__gte=0)),
            ),
            models.CheckConstraint(
                name="company_period_known", condition=Q(period__in=["day", "month"])
            ),
            models.CheckConstraint(
                name="company_answer_days", condition=Q(answer_days__range=(1, 90))
            ),
        ]  # fmt: skip
        triggers = [
            pgtrigger.Trigger(
                name="company_of_its_pool",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.Before,
                func="""
                    IF NOT EXISTS (SELECT 1 FROM loyalty_pool p WHERE p.id = NEW.pool_id
                                      AND p.kind = 'company' AND p.program_id = NEW.program_id)
                    THEN
                        RAISE EXCEPTION 'a company belongs to a pool of its kind and program'
                            USING ERRCODE = 'SL010';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.pool.name


class SpendRequest(models.Model):
    """Units that a buyer asks the company's approvers for. Approved, they are redeemed from the
    pool's wallet in the same transaction; once decided, it never changes."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waits for approval")
        APPROVED = "approved", _("Approved")
        REJECTED = "rejected", _("Rejected")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        EXPIRED = "expired", _("Expired")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="spend_requests")
    wallet_type = models.ForeignKey(WalletType, on_delete=models.PROTECT, related_name="+")
    units = models.BigIntegerField()
    note = models.CharField(max_length=500)
    # Becomes the transfer's, so that what was asked for is spent once, whatever happens.
    key = models.CharField(max_length=200, unique=True)
    source = models.CharField(max_length=16, choices=Transfer.Source.choices)
    state = models.CharField(max_length=16, choices=State.choices, default=State.WAITING)
    asked_by = models.ForeignKey(PoolMember, on_delete=models.PROTECT, related_name="asked")
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        PoolMember, null=True, on_delete=models.PROTECT, related_name="decided"
    )
    # Who was signed in; nobody where the shop told us over the API.
    decided_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    decision_note = models.CharField(max_length=500, blank=True, default="")
    transfer = models.OneToOneField(
        Transfer, null=True, on_delete=models.PROTECT, related_name="spend_request"
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(name="spend_request_units", condition=Q(units__gt=0)),
            models.CheckConstraint(
                name="spend_request_other_member",
                condition=Q(decided_by=None) | ~Q(decided_by=F("asked_by")),
            ),
            models.CheckConstraint(
                name="spend_request_decided",
                condition=Q(state="waiting", decided_by=None, decided_at=None, transfer=None)
                | Q(
                    state="approved", decided_by__isnull=False, decided_at__isnull=False,
                    transfer__isnull=False,
                )
                | (
                    Q(
                        state="rejected", decided_by__isnull=False, decided_at__isnull=False,
                        transfer=None,
                    )
                    & ~Q(decision_note="")
                )
                | Q(
                    state__in=["withdrawn", "expired"], decided_by=None, decided_at__isnull=False,
                    transfer=None,
                ),
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(
                fields=["company", "asked_at"],
                name="spend_request_waiting",
                condition=Q(state="waiting"),
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="spend_request_final",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__state__in=["approved", "rejected", "withdrawn",
                                                      "expired"]),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.units} ({self.state})"
