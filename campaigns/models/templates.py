"""The merchant's own words for an occasion, by channel and language."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

# The words of an arm are settled once its experiment runs.
_SETTLED = """
    IF EXISTS (
        SELECT FROM campaigns_experiment e
         WHERE e.id::text = split_part({variant}, '-', 1) AND e.status <> 'draft'
    ) THEN
        RAISE EXCEPTION 'the words of an arm do not change once its experiment runs'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
"""


class MessageTemplate(models.Model):
    """Words of the merchant's own; where there are none, the ready-made ones are used."""

    occasion = models.CharField(max_length=32)
    channel = models.CharField(max_length=16)
    locale = models.CharField(_("language"), max_length=16)
    # Of which arm of an experiment: `ExperimentArm.variant`. Empty: what is told without one.
    variant = models.CharField(max_length=24, blank=True, default="", db_default="")
    # Put away: the language falls back to the next one.
    archived_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["occasion", "channel", "locale", "variant"]
        constraints = [
            models.UniqueConstraint(
                fields=["occasion", "channel", "locale", "variant"], name="message_template_once"
            ),
            models.CheckConstraint(
                name="message_template_variant",
                condition=Q(variant="") | Q(variant__regex=r"^[0-9]+-[0-9]$"),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="message_template_of_arm", operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.Before, condition=pgtrigger.Q(new__variant__gt=""),
                func=_SETTLED.format(variant="NEW.variant"),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.occasion} · {self.channel} · {self.locale}"


class TemplateVersion(models.Model):
    """A wording as it was saved; the last one is used. A row never changes, so what was sent can
    always be read again."""

    template = models.ForeignKey(
        MessageTemplate, on_delete=models.PROTECT, related_name="versions", db_index=False
    )
    number = models.PositiveIntegerField()
    subject = models.CharField(_("subject"), max_length=200)
    # MJML for e-mail, plain text elsewhere.
    body = models.TextField(_("text"), max_length=40_000)
    # Plain text beside the MJML; empty: derived from it.
    text = models.TextField(_("plain text"), max_length=20_000, blank=True, default="")
    # What the MJML became, with its variables still in it.
    html = models.TextField(blank=True, default="")
    # By WhatsApp: the words that the provider approved (`campaigns.approved_words`); empty: none.
    approved = models.JSONField(default=dict, blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+",
        db_index=False,
    )  # fmt: skip
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["template", "number"], name="template_version_once"),
            models.CheckConstraint(
                name="template_version_has_words", condition=~Q(subject="") & ~Q(body="")
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="template_version_immutable", operation=pgtrigger.Update | pgtrigger.Delete
            ),
            pgtrigger.Trigger(
                name="template_version_of_arm", operation=pgtrigger.Insert, when=pgtrigger.Before,
                func=_SETTLED.format(
                    variant="(SELECT variant FROM campaigns_messagetemplate"
                    " WHERE id = NEW.template_id)"
                ),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.template} · {self.number}"
