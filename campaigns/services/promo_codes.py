"""The codes of a campaign: made, written in, opened when it is planned, closed when it ends."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.campaign_definitions import codes_of
from campaigns.models import Campaign, PromoCode
from members.errors import ConflictError, DomainError, FieldError
from members.services.audit import Actor, record_audit
from rewards.codes import new_code, plain

AT_ONCE = 10_000
MOST = 1_000_000
SHORTEST, LONGEST = 4, 40
Status = Campaign.Status


@transaction.atomic
def make_codes(*, campaign: Campaign, number: int, actor: Actor, now: dt.datetime) -> int:
    """So many more codes that nobody can guess, each to be used once."""
    row = _held(campaign)
    if not 1 <= number <= AT_ONCE:
        message = _("Between 1 and 10,000 at once.")
        raise DomainError(message, errors=[FieldError("number", message)])
    return _add(row, (new_code() for _place in range(number)), actor, now)


@transaction.atomic
def write_codes(*, campaign: Campaign, text: str, actor: Actor, now: dt.datetime) -> int:
    """Codes that came from elsewhere, one in each line, each to be used once. How many are new.
    Raises DomainError naming the first that cannot be one."""
    row = _held(campaign)
    lines = list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
    if not 1 <= len(lines) <= AT_ONCE:
        message = _("Between 1 and 10,000 at once.")
        raise DomainError(message, errors=[FieldError("text", message)])
    for line in lines:
        if not SHORTEST <= len(plain(line)) <= LONGEST or len(line) > 48:
            message = _("“%s” is no code: between 4 and 40 letters and digits.") % line[:60]
            raise DomainError(message, errors=[FieldError("text", message)])
    return _add(row, lines, actor, now)


def open_codes(campaign: Campaign, now: dt.datetime) -> None:
    """It is planned: its word is taken. The row is held."""
    codes = codes_of(campaign)
    if codes.kind == "single" and not campaign.promo_codes.exists():
        message = _("Make its codes first.")
        raise DomainError(message, errors=[FieldError("code_kind", message, "required")])
    if codes.kind != "shared":
        return
    _refuse_taken(campaign, [plain(codes.word)], "code_word")
    PromoCode.objects.create(
        program=campaign.program, campaign=campaign, code=plain(codes.word), written=codes.word,
        most_uses=codes.most_uses, created_at=now,
    )  # fmt: skip


def take_codes_back(campaign: Campaign) -> None:
    """It is a draft again: its word is anybody's. Codes of many wait for the next time."""
    if codes_of(campaign).kind == "shared":
        campaign.promo_codes.all().delete()


def close_codes(campaign: Campaign) -> None:
    """It has ended: others may have them. Late orders of its time still count."""
    campaign.promo_codes.filter(is_open=True).update(is_open=False)


def _held(campaign: Campaign) -> Campaign:
    row = (
        Campaign.objects.select_for_update(of=("self",))
        .select_related("program")
        .get(pk=campaign.pk)
    )
    if codes_of(row).kind != "single" or row.status == Status.ENDED:
        raise ConflictError(_("That is not possible now."), code="campaign_state")
    return row


def _add(row: Campaign, written: Iterable[str], actor: Actor, now: dt.datetime) -> int:
    by_code = {plain(text): text for text in written}
    known = set(row.promo_codes.filter(code__in=by_code).values_list("code", flat=True))
    fresh = {code: text for code, text in by_code.items() if code not in known}
    if row.promo_codes.count() + len(fresh) > MOST:
        message = _("At most a million codes.")
        raise DomainError(message, errors=[FieldError("number", message)])
    _refuse_taken(row, fresh, "text")
    PromoCode.objects.bulk_create(
        PromoCode(program=row.program, campaign=row, code=code, written=text, most_uses=1,
                  created_at=now)
        for code, text in fresh.items()
    )  # fmt: skip
    if fresh:
        record_audit(
            actor=actor, action="campaign.codes_made", target=row, after={"number": len(fresh)}
        )
    return len(fresh)


def _refuse_taken(campaign: Campaign, codes: Iterable[str], field: str) -> None:
    others = PromoCode.objects.filter(
        program=campaign.program_id, code__in=list(codes), is_open=True
    ).exclude(campaign=campaign)
    taken = others.select_related("campaign").first()
    if taken is not None:
        message = _("The promotion “%(name)s” has the code %(code)s.") % {
            "name": taken.campaign.name, "code": taken.written,
        }  # fmt: skip
        raise ConflictError(message, code="code_taken", errors=[FieldError(field, message)])
