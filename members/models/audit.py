from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.utils.translation import gettext_lazy as _

# Values become null and names empty, together with when that was; all else stays.
_ONLY_FORGETS = """
    IF NEW.erased_at IS NULL
       OR (NEW.id, NEW.at, NEW.actor_id, NEW.action, NEW.target)
          IS DISTINCT FROM (OLD.id, OLD.at, OLD.actor_id, OLD.action, OLD.target)
       OR (NEW.way, NEW.way_name, NEW.program) IS DISTINCT FROM (OLD.way, OLD.way_name, OLD.program)
       OR NEW.place NOT IN (OLD.place, '')
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


# All that is looked for by words, in small letters; one function says it to index and queries.
TEXT_FUNCTION = """
    CREATE OR REPLACE FUNCTION members_audit_text(
        target_label text, actor_label text, reason text, before jsonb, after jsonb
    ) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT lower(
            target_label || E'\n' || actor_label || E'\n' || reason || E'\n'
            || coalesce(before::text, '') || E'\n' || coalesce(after::text, ''))
    $$
"""


class AuditText(models.Func):
    """The text of an entry, which the index `audit_text` is over."""

    function = "members_audit_text"
    output_field = models.TextField()

    def __init__(self, *_fields: object) -> None:
        super().__init__("target_label", "actor_label", "reason", "before", "after")


class AuditEntry(models.Model):
    """One write by a person or an API key: who, what, before and after. It never vanishes, and
    never changes, but that what says who somebody was can be forgotten.

    `target` names the object as "app.model:public id", so that its page can show its entries
    without a foreign key from this lowest app to every other one.
    """

    class Way(models.TextChoices):
        SCREEN = "screen", _("Screen")
        API = "api", _("API")
        COMMAND = "command", _("Command")
        JOB = "job", _("Job")

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
    # How it came: by a screen, the API, a command or a job; its name beside it. Empty: not known.
    way = models.CharField(
        max_length=16, choices=Way.choices, blank=True, default="", db_default=""
    )
    way_name = models.CharField(max_length=100, blank=True, default="", db_default="")
    # From where: the address without its end, as where staff are signed in.
    place = models.CharField(max_length=50, blank=True, default="", db_default="")
    # The key of the program it is about, so that whose role is limited finds it; null: of none, or
    # of several, or from before this was kept.
    program = models.BigIntegerField(null=True)
    # When what says who somebody was was forgotten.
    erased_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["target", "-id"], name="audit_target"),
            models.Index(fields=["actor", "-id"], name="audit_actor"),
            models.Index(fields=["way", "-id"], name="audit_way"),
            models.Index(
                fields=["program", "-id"],
                name="audit_program",
                condition=models.Q(program__isnull=False),
            ),
            GinIndex(OpClass(AuditText(), name="gin_trgm_ops"), name="audit_text"),
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


# A salt goes when what it stands before is forgotten; all else stays.
_ONLY_LOSES_SALT = """
    IF NEW.salt IS NOT NULL
       OR (NEW.id, NEW.entry_id, NEW.content, NEW.digest, NEW.sealed_at)
          IS DISTINCT FROM (OLD.id, OLD.entry_id, OLD.content, OLD.digest, OLD.sealed_at) THEN
        RAISE EXCEPTION 'Cannot update rows from members_auditseal, but for forgetting';
    END IF;
    RETURN NEW;
"""


class AuditSeal(models.Model):
    """A link of the chain over the audit log: what an entry said, together with all before it.

    `digest` is that of the seal before, of what never changes in the entry, and of `content`, the
    salted digest of what may be forgotten. Once that is forgotten the salt goes, so that nobody can
    guess what it was, and the entry gets a further seal over what is left; the chain still holds.
    Seals are made in batches by a job: writing an entry waits for nobody.
    """

    # No foreign key: whoever removes an entry in spite of all shall not take its seal along.
    entry_id = models.BigIntegerField()
    salt = models.BinaryField(max_length=16, null=True)
    content = models.BinaryField(max_length=32)
    digest = models.BinaryField(max_length=32)
    sealed_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["entry_id", "-id"], name="audit_seal_entry"),
            models.Index(
                fields=["entry_id"], name="audit_seal_forgotten", condition=models.Q(salt=None)
            ),
        ]
        ordering = ["id"]
        triggers = [
            pgtrigger.Protect(name="audit_seal_stays", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="audit_seal_only_loses_salt",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                func=_ONLY_LOSES_SALT,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.entry_id}: {bytes(self.digest).hex()}"
