"""A person known to the merchant, enrolled in a program or not."""

from __future__ import annotations

import uuid

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Func, Value
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Concat, ExtractDay, ExtractMonth, Lower, Right
from django.utils.translation import gettext_lazy as _

from members import folding
from members.models.changes import customers_changed
from members.models.telling import tells

# What segments may ask about.
_TELLING = (
    "external_id", "given_name", "family_name", "email", "phone", "locale", "country", "birthday",
    "gender", "tags", "attributes", "answers", "created_at", "merged_into_id",
)  # fmt: skip


# The end of a phone number that two people hardly share by chance.
PHONE_DIGITS = 9


def phone_end() -> Right:
    return Right("phone", PHONE_DIGITS)


def local_part() -> Lower:
    """What is before the @ of the e-mail address."""
    at = Func("email", Value("@"), Value(1), function="split_part", output_field=models.TextField())
    return Lower(at)


def day_of_birth() -> CombinedExpression:
    """In any year: month × 100 + day."""
    return ExtractMonth("birthday") * 100 + ExtractDay("birthday")


class Customer(models.Model):
    """Addressed from outside by `public_id` or by the merchant's own `external_id`.

    Who was found to be somebody else's second record points to that one by `merged_into`, and is
    found and signs in as that one.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    external_id = models.CharField(
        _("customer number"),
        max_length=128,
        null=True,  # NULL, not '': uniqueness holds only where the merchant gave a number
        blank=True,
        unique=True,
        help_text=_("The number under which your shop knows this person."),
    )
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="customer",
    )
    # Whom this person is now. Never somebody who was merged away in turn: one step leads there.
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="duplicates",
        db_index=False,
    )  # fmt: skip
    given_name = models.CharField(_("given name"), max_length=100, blank=True)
    family_name = models.CharField(_("family name"), max_length=100, blank=True)
    email = models.EmailField(_("e-mail"), max_length=254, blank=True)
    phone = models.CharField(_("phone"), max_length=20, blank=True, help_text=_("As +60123456789."))
    locale = models.CharField(_("language"), max_length=16, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    birthday = models.DateField(_("birthday"), null=True, blank=True)
    # A code of `members.genders`; empty: they have not said.
    gender = models.CharField(_("gender"), max_length=6, blank=True, default="", db_default="")
    tags = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    attributes = models.JSONField(default=dict, blank=True)
    # What they said to the merchant's questions: {"taste": ["dark", "milk"]}, by the codes of
    # questions and choices. A question that they have not answered is not in it.
    answers = models.JSONField(default=dict, blank=True, db_default={})
    # Member tokens that were issued before are void. NULL: none was ever called back.
    tokens_from = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    updated_at = models.DateTimeField(auto_now=True)
    search_text = models.GeneratedField(
        expression=Func(
            Lower(
                Concat(
                    "given_name",
                    Value(" "),
                    "family_name",
                    Value(" "),
                    "email",
                    Value(" "),
                    "phone",
                    Value(" "),
                    "external_id",
                    output_field=models.TextField(),
                )
            ),
            Value(folding.ACCENTED),
            Value(folding.PLAIN),
            function="translate",
            output_field=models.TextField(),
        ),
        output_field=models.TextField(),
        db_persist=True,
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                name="customer_email_unique",
                condition=~models.Q(email=""),
            ),
            models.UniqueConstraint(
                fields=["phone"],
                name="customer_phone_unique",
                condition=~models.Q(phone=""),
            ),
            models.CheckConstraint(
                name="customer_phone_e164",
                condition=models.Q(phone="") | models.Q(phone__regex=r"^\+[1-9][0-9]{5,17}$"),
            ),
            models.CheckConstraint(
                name="customer_external_id_not_blank",
                condition=~models.Q(external_id=""),
            ),
            models.CheckConstraint(
                name="customer_gender_known",
                condition=models.Q(gender__in=["", "female", "male", "other"]),
            ),
            models.CheckConstraint(
                name="customer_not_into_itself",
                condition=~models.Q(merged_into=models.F("id")),
            ),
        ]
        indexes = [
            GinIndex(
                fields=["search_text"],
                name="customer_search",
                opclasses=["gin_trgm_ops"],
            ),
            GinIndex(fields=["tags"], name="customer_tags"),
            # Who may be the same person.
            models.Index(phone_end(), name="customer_phone_end"),
            # The list of customers by name.
            models.Index(
                fields=["family_name", "given_name", "id"],
                name="customer_by_name",
                condition=models.Q(merged_into=None),
            ),
            models.Index(local_part(), name="customer_local_part"),
            models.Index(
                fields=["merged_into"],
                name="customer_merged",
                condition=~models.Q(merged_into=None),
            ),
            models.Index(
                day_of_birth(),
                "id",
                name="customer_day_of_birth",
                condition=~models.Q(birthday=None),
            ),
        ]
        triggers = [
            *customers_changed("id", _TELLING),
            *tells("told.customers", "merged_into_id", _TELLING),
            pgtrigger.Trigger(
                name="customer_merged_in_one_step",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("merged_into_id"),  # type: ignore[no-untyped-call]
                when=pgtrigger.Before,
                condition=pgtrigger.Q(new__merged_into__isnull=False),
                func="""
                    IF EXISTS (SELECT 1 FROM members_customer
                                WHERE (id = NEW.merged_into_id AND merged_into_id IS NOT NULL)
                                   OR merged_into_id = NEW.id) THEN
                        RAISE EXCEPTION 'customer % cannot be merged into %',
                            NEW.id, NEW.merged_into_id USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.display_name

    @property
    def display_name(self) -> str:
        """What a person would call them: the name, else the address, else the number."""
        full = f"{self.given_name} {self.family_name}".strip()
        return full or self.email or self.phone or self.external_id or str(self.public_id)


class CustomerNote(models.Model):
    """What staff wrote down about a customer. Never shown to the customer."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="notes")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    text = models.TextField(_("note"), max_length=4000)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return self.text[:60]
