"""How the provider of a way tells what became of messages: said by the merchant."""

from __future__ import annotations

import secrets

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.channels import Channel
from campaigns.models import ChannelSetting
from campaigns.receipt_mappings import ReceiptMapping, Signed
from campaigns.short_texts import WEBHOOK
from campaigns.webhook_secrets import SEED_BYTES, written
from members.errors import ConflictError, DomainError, FieldError
from members.kept_secrets import hidden
from members.services.audit import Actor, record_audit

LONGEST_SECRET = 200
# Those whose secret is the provider's.
_TYPED = (Signed.TWILIO, Signed.META)


@transaction.atomic
def set_receipts(
    *, channel: Channel, wanted: ReceiptMapping | None, secret: str, actor: Actor
) -> str:
    """`wanted`: none, nothing is told any more. Returns the secret where one was made, to be shown
    once. Raises DomainError that names the field."""
    if not channel.is_set_up or channel.key == WEBHOOK:
        raise ConflictError(_("No provider tells receipts by this way."), code="no_receipts")
    ChannelSetting.objects.get_or_create(pk=channel.key)
    row = ChannelSetting.objects.select_for_update().get(pk=channel.key)
    before = row.receipts
    row.receipts = wanted.model_dump(mode="json") if wanted else {}
    made = ""
    if wanted is None:
        row.secret = b""
    else:
        made = _set_secret(row, wanted.signed, before.get("signed", ""), secret.strip())
    row.save()
    if row.receipts != before or secret.strip() or made:
        record_audit(
            actor=actor, action="channel.receipts", target=row, before={"receipts": before},
            after={"receipts": row.receipts},
        )  # fmt: skip
    return made


def _set_secret(row: ChannelSetting, signed: Signed, before: str, typed: str) -> str:
    """What one provider signs with says nothing of another."""
    stays = bool(row.secret) and before == signed
    if signed not in _TYPED:
        if stays:
            return ""
        made = written(secrets.token_bytes(SEED_BYTES))
        row.secret = hidden(made)
        return made
    if not typed and not stays:
        message = _("Write what it signs with: the provider’s page names it.")
        raise DomainError(message, errors=[FieldError("secret", message, "required")])
    if typed:
        row.secret = hidden(typed[:LONGEST_SECRET])
    return ""
