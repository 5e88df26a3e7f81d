"""More time for units that will expire, and time again for those that have."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from loyalty.backoffice.adjustments import get_wallet
from loyalty.backoffice.links import customer_url
from loyalty.backoffice.lots import lot_rows
from loyalty.backoffice.reason_forms import ReinstatementForm, UntilForm
from loyalty.backoffice.rehearsed_dialogs import RehearsedDialog, answer_dialog
from loyalty.lot_words import ends_at, last_day
from loyalty.models import Lot, Program, Transfer, Wallet
from loyalty.rules.calendar import end_of_day
from loyalty.selectors.balances import worth_of
from loyalty.selectors.lots import lots, renewed_with
from loyalty.selectors.transfers import transfers
from loyalty.services.lots import extend_lot, reinstate_units
from loyalty.services.redemptions import units_left
from loyalty.services.rehearsals import rehearse
from members.formatting import format_day, format_units
from members.forms import posted
from members.policy import acting, extension_limit, staff_view
from members.responses import dialog_done
from members.services.audit import SYSTEM, Actor

# What the day picker proposes.
DAYS = 30


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("lots.edit")
def lot_extend(request: HttpRequest, pk: int) -> HttpResponse:
    """The dialog that lets what is left of a lot last longer."""
    lot = get_object_or_404(lots().filter(due_at__isnull=False), pk=pk)
    wallet, membership = get_wallet(lot.wallet_id)
    program = membership.program
    known = ends_at(lot, wallet) or lot.planned_expires_at
    start = _proposed(known, program, extension_limit(request.user))
    form = UntilForm(posted(request), **_days(request, program), initial={"until": start})
    back = customer_url(membership.customer)

    def look(values: dict[str, Any]) -> dict[str, Any]:
        now = timezone.now()
        rehearse(lambda: _extend(lot, values["until"], now), wallets=[wallet.pk], now=now)
        units = renewed_with(lot)
        return {
            "units": units,
            "worth": worth_of(units, wallet.wallet_type),
            "before": last_day(known, program.zone) if known else None,
            "after": last_day(values["until"], program.zone),
        }

    def act(values: dict[str, Any]) -> HttpResponse:
        until, note = values["until"], values["reason"]
        extend_lot(lot=lot, until=until, actor=acting(request), note=note, now=timezone.now())
        words = {
            "units": format_units(renewed_with(lot), wallet.wallet_type),
            "day": format_day(last_day(values["until"], program.zone)),
        }
        message = _("%(units)s can be used until %(day)s.") % words
        return dialog_done(request, url=back, changed="wallet", message=message)

    dialog = RehearsedDialog(
        title=_("Give more time"),
        verb=_("Give more time"),
        template="loyalty/backoffice/lot_extend.html",
        effect="loyalty/backoffice/lot_extend_effect.html",
        back=back,
        start={"until": end_of_day(start, program.zone)},
        look=look,
        act=act,
    )
    context = {
        "row": lot_rows([lot], timezone.now())[0],
        "together": lot.renewable and lot.expires_at is None,
        "wallet_type": wallet.wallet_type,
        "membership": membership,
        "blocked": "" if known else _("These units do not expire, so they need no more time."),
    }
    return answer_dialog(request, form, dialog, context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("lots.edit")
def units_reinstate(request: HttpRequest, pk: int) -> HttpResponse:
    """The dialog that brings back what an expiry took."""
    transfer = get_object_or_404(transfers().filter(kind=Transfer.Kind.EXPIRY), pk=pk)
    wallet, membership = get_wallet(transfer.wallet_id)
    program = membership.program
    left = units_left(transfer)
    start = timezone.now().astimezone(program.zone).date() + dt.timedelta(days=DAYS)
    form = ReinstatementForm(
        posted(request),
        **_days(request, program),
        wallet_type=wallet.wallet_type,
        units_left=left,
        initial={"until": start},
    )
    back = customer_url(membership.customer)

    def look(values: dict[str, Any]) -> dict[str, Any]:
        now = timezone.now()
        key = f"rehearsal:{transfer.pk}"
        _none, [effect] = rehearse(
            lambda: _reinstate(transfer, values, now, key=key), wallets=[wallet.pk], now=now
        )
        return {"effect": effect, "until": last_day(values["until"], program.zone)}

    def act(values: dict[str, Any]) -> HttpResponse:
        made = _reinstate(
            transfer, values, timezone.now(), actor=acting(request), note=values["reason"],
            key=f"backoffice:{values['key']}",
        )  # fmt: skip
        return dialog_done(
            request, url=back, changed="wallet", message=_back_text(made, wallet, values["until"])
        )

    dialog = RehearsedDialog(
        title=_("Bring expired units back"),
        verb=_("Bring back"),
        template="loyalty/backoffice/units_reinstate.html",
        effect="loyalty/backoffice/units_reinstate_effect.html",
        back=back,
        start={"units": left, "until": end_of_day(start, program.zone)},
        look=look,
        act=act,
    )
    context = {
        "transfer": transfer,
        "wallet_type": wallet.wallet_type,
        "membership": membership,
        "blocked": "" if left else _("All of it has come back already."),
    }
    return answer_dialog(request, form, dialog, context)


def _days(request: HttpRequest, program: Program) -> dict[str, Any]:
    """What the day picker is told: where days begin, and how far ahead this person may go."""
    return {
        "zone": program.zone,
        "today": timezone.now().astimezone(program.zone).date(),
        "most": extension_limit(request.user),
    }


def _proposed(known: dt.datetime | None, program: Program, most: int | None) -> dt.date:
    today = timezone.now().astimezone(program.zone).date()
    first = last_day(known, program.zone) if known else today
    day = first + dt.timedelta(days=DAYS)
    return day if most is None else min(day, max(today + dt.timedelta(days=most), first))


def _extend(lot: Lot, until: dt.datetime, now: dt.datetime) -> Lot:
    return extend_lot(lot=lot, until=until, actor=SYSTEM, note="", now=now)


def _reinstate(
    transfer: Transfer, values: dict[str, Any], now: dt.datetime, *, key: str,
    actor: Actor = SYSTEM, note: str = "",
) -> Transfer:  # fmt: skip
    made, _replayed = reinstate_units(
        transfer=transfer, units=values["units"], until=values["until"], actor=actor, note=note,
        key=key, source=Transfer.Source.BACKOFFICE, now=now,
    )  # fmt: skip
    return made


def _back_text(made: Transfer, wallet: Wallet, until: dt.datetime) -> str:
    return _("%(units)s came back and can be used until %(day)s.") % {
        "units": format_units(made.amount, wallet.wallet_type),
        "day": format_day(last_day(until, wallet.wallet_type.program.zone)),
    }
