"""What the merchant asks people about themselves. What they say is kept with the customer."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

QUESTION_CODE = r"^[a-z][a-z0-9_]*$"
QUESTION_WORDS = _("Use lower-case letters, digits and underscores, and begin with a letter.")


class ProfileQuestion(models.Model):
    """One question with what can be chosen. One that is put away is asked no more; what people
    said stays, and conditions go on asking for it. So it is with a choice that is not offered."""

    class Kind(models.TextChoices):
        ONE = "one", _("One of several")
        MANY = "many", _("Any of several")

    code = models.CharField(
        max_length=40, primary_key=True, validators=[RegexValidator(QUESTION_CODE, QUESTION_WORDS)]
    )
    kind = models.CharField(max_length=4, choices=Kind.choices)
    text = models.CharField(_("question"), max_length=200)
    # Each with its code, what people read, and whether it can still be chosen:
    # [{"code": "dark", "text": "Dark chocolate", "offered": true}].
    choices = models.JSONField()
    # In other languages: {"el": {"text": …, "choices": {"dark": …}}}.
    texts = models.JSONField(default=dict, blank=True)
    # A profile is complete only with an answer to it.
    completes = models.BooleanField(default=False)
    position = models.PositiveSmallIntegerField(default=0)
    archived_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["position", "code"]
        constraints = [
            models.CheckConstraint(
                name="profile_question_kind", condition=models.Q(kind__in=["one", "many"])
            ),
        ]

    def __str__(self) -> str:
        return self.code
