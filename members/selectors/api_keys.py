"""Reading API keys."""

from __future__ import annotations

from django.utils.translation import gettext as _

from members.errors import NotFoundError
from members.models import ApiKey
from members.partner_scope import partner_choices
from members.program_scope import program_names

FORMER_SHOWN = 50


def list_api_keys() -> list[ApiKey]:
    """Every key in use and the latest of those that were, newest first."""
    keys = ApiKey.objects.select_related("created_by").order_by("-pk")
    active = [key for key in keys.filter(revoked_at=None) if key.state == "active"]
    shown = {key.pk for key in active}
    former = [key for key in keys[: FORMER_SHOWN + len(active)] if key.pk not in shown]
    return [*active, *former[:FORMER_SHOWN]]


def key_limits(key: ApiKey) -> list[str]:
    """The partner that it speaks for, or the programs that it is limited to, by name."""
    if key.partner is not None:
        known = partner_choices().get(key.partner)
        return [known.name if known else _("A partner that has ended")]
    names = program_names() if key.programs else {}
    return [names.get(pk, str(pk)) for pk in key.programs]


def get_api_key(pk: int) -> ApiKey:
    """One key, or NotFoundError."""
    key = ApiKey.objects.filter(pk=pk).first()
    if key is None:
        raise NotFoundError(_("There is no such key."))
    return key
