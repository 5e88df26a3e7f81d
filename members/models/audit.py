from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models

# Values become null and names empty, together with when that was; all else stays.
_ONLY_FORGETS = """
    IF NEW.erased_at IS NULL
       OR (NEW.id, NEW.at, NEW.actor_id, NEW.action, NEW.target)
          IS DISTINCT FROM (OLD.id, OLD.at, OLD.actor_id, OLD.action, OLD.target)
       OR NEW.actor_label NOT IN (OLD.actor_label, '')
       OR NEW.target_label NOT IN (OLD.target_label, '') OR NEW.reason NOT IN (OLD.reason, '')
       OR EXISTS (
           SELECT FROM (VALUES (OLD.before, NEW.before), (OLD.after, NEW.after)) x(was, becomes)
            WHERE jsonb_typeof(x.was) IS DISTINCT FROM jsonb_typeof(x.becomes)
               OR CASE WHEN jsonb_typeof(x.was) = 'object' THEN EXISTS (
                      SELECT FROM jsonb_each(x.was) o FULL JOIN jsonb_each(x.becomes) n USING (key)
                       WHERE n.value IS DISTINCT FROM o.value
                         AND (o.value IS NULL OR n.value IS DISTINCT FROM 'null'::jsonb))
                  ELSE x.was IS DISTINCT FROM x.becomes END) THEN
        RAISE EXCEPTION 'Cannot update rows from members_auditentry, but for forgetting';
    END IF;
    RETURN NEW;
"""


class AuditEntry(models.Model):
    """One write by a person or an API key: who, what, before and after. It never vanishes, and
    never changes, but that what says who somebody was can be forgotten.

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
    # When what says who somebody was was forgotten.
    erased_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["target", "-id"], name="audit_target"),
            models.Index(fields=["actor", "-id"], name="audit_actor"),
        ]
        ordering = ["-id"]
        triggers = [
            pgtrigger.Protect(name="audit_immutable", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="audit_only_forgets",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                func=_ONLY_FORGETS,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.actor_label} {self.action} {self.target_label}"
