"""What should be so before a launch, looked up each time: nobody ticks anything off."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from email.utils import parseaddr

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.launch_registry import Check, registered_checks
from loyalty.models import Backtest, EarningRuleVersion, Program, Transfer, WalletType
from loyalty.selectors.program_readings import readers_of
from members.selectors.mail import mail_went_out, stuck_mails

EXAMPLE = ".example"


def launch_checks(program: Program, now: dt.datetime) -> list[Check]:
    """All of them, in the order in which one would do them; a constant number of queries."""
    units = list(WalletType.objects.filter(program=program))
    return [
        _rules(program, now),
        _worth(units),
        _terms(program),
        _backtest(program),
        _sender(),
        _mail(now),
        *(item.look(program, now) for item in registered_checks()),
        _team(program),
        _first_order(units),
    ]


def _rules(program: Program, now: dt.datetime) -> Check:
    versions = EarningRuleVersion.objects.filter(
        rule__program=program, status=EarningRuleVersion.Status.PUBLISHED
    ).values_list("starts_at", "ends_at")
    live = sum(
        (starts is None or starts <= now) and (ends is None or now < ends)
        for starts, ends in versions
    )
    done = program.status == Program.Status.LIVE and live > 0
    if done:
        why = ngettext("%s rule is in force.", "%s rules are in force.", live) % live
    elif program.status != Program.Status.LIVE:
        why = _("The program is not live; taking it live publishes its rules.")
    else:
        why = _("No rule is in force: nothing earns.")
    return Check("rules", _("Rules are published"), done, why)


def _worth(units: Sequence[WalletType]) -> Check:
    worthless = [item.plural for item in units if not item.unit_value]
    if worthless:
        why = _("Nobody has said what these are worth: %s.") % ", ".join(worthless)
    else:
        why = _("Each kind of unit has a worth, which members see beside their balance.")
    return Check("worth", _("Members know what their units are worth"), not worthless, why)


def _terms(program: Program) -> Check:
    if not program.description:
        return Check(
            "terms", _("Terms are written and visible"), False,
            _("The program has no description, which is the first thing on its public page."),
        )  # fmt: skip
    if program.status != Program.Status.LIVE:
        return Check(
            "terms", _("Terms are written and visible"), False,
            _("They are public once the program is live."),
        )  # fmt: skip
    return Check(
        "terms", _("Terms are written and visible"), True,
        _("They follow from the rules and are on a public page."),
    )  # fmt: skip


def _backtest(program: Program) -> Check:
    done = Backtest.objects.filter(program=program, finished_at__isnull=False).count()
    why = (
        ngettext("%s backtest was done.", "%s backtests were done.", done) % done
        if done
        else _("Nobody has looked at what the rules would have cost on real orders.")
    )
    return Check("backtest", _("The rules were tried on real orders"), done > 0, why)


def _sender() -> Check:
    _name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    own = bool(address) and not address.endswith(EXAMPLE)
    why = (
        _("Mail comes from %s.") % address
        if own
        else _("Mail has no address of yours to come from: set DEFAULT_FROM_EMAIL and EMAIL_URL.")
    )
    return Check("sender", _("Mail has a sender"), own, why)


def _mail(now: dt.datetime) -> Check:
    """Signing in needs mail: that some went out, and none is stuck."""
    stuck, sent = stuck_mails(now), mail_went_out()
    if stuck:
        why = ngettext("%s mail could not be sent.", "%s mails could not be sent.", stuck) % stuck
    elif not sent:
        why = _("No mail has gone out lately. Have a code sent to yourself on the sign-in page.")
    else:
        why = _("Mail goes out, so customers get their codes.")
    return Check("sign_in", _("Signing in works"), not stuck and sent, why)


def _team(program: Program) -> Check:
    readers = readers_of(program)
    read = sum(reader.current for reader in readers)
    why = _("%(read)s of %(all)s have read what the program says now.") % {
        "read": read, "all": len(readers),
    }  # fmt: skip
    return Check("team", _("The team knows the program"), read == len(readers) > 0, why)


def _first_order(units: Sequence[WalletType]) -> Check:
    # By their keys, so that the database knows how few there are of a program that has just begun.
    earned = Transfer.objects.filter(
        wallet_type__in=[item.pk for item in units], kind=Transfer.Kind.ACCRUAL, order__isnull=False
    ).exists()
    why = (
        _("Orders have earned in it.")
        if earned
        else _("No order has earned yet: send one, and look at what it earned and why.")
    )
    return Check("order", _("A test order has earned"), earned, why)
