from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models


class AuditEntry(models.Model):
    """One write by a person or an API key: who, what, before and after. Never changes, never
    vanishes.

    `target` names the object as "app.model:public id", so that its page can show its entries
    without a foreign key from this lowest app to every other one.
    """

    at = models.DateTimeField(auto_now_add=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    actor_label = models.CharField(max_length=200)
    action = models.CharField(max_length=64)
    target = models.CharField(max_length=160)
    target_label = models.CharField(max_length=200)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    reason = models.TextField(blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["target", "-id"], name="audit_target"),
            models.Index(fields=["actor", "-id"], name="audit_actor"),
        ]
        ordering = ["-id"]
        triggers = [
            pgtrigger.Protect(
                name="audit_immutable", operation=pgtrigger.Update | pgtrigger.Delete
            ),
        ]

    def __str__(self) -> str:
        return f"{self.actor_label} {self.action} {self.target_label}"
