"""What founding members get: looked for after every enrollment, given once, in order of joining."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.ledger.posting import Movement, WalletRef, movement, post
from loyalty.models import (
    Account,
    FoundingBonus,
    FoundingGrant,
    Membership,
    Program,
    Transfer,
    Wallet,
)
from loyalty.rules.lots import OrderTimes, lot_times, matures_at
from loyalty.selectors.founding import founders_due, programs_with_founders_due
from loyalty.selectors.rulebooks import ProgramTerms, fresh_terms, terms_of
from loyalty.services.member_tiers import refresh_customers
from loyalty.services.risk_scores import look_at_members
from members.formatting import format_number
from members.jobs import Work
from members.models import Job, OutboxEvent
from members.services.job_runs import Step, run_in_chunks

KIND = "founding_bonus"
PIECE = 500


def follow_enrollments(events: Sequence[OutboxEvent]) -> None:
    """Give what is due in the programs that somebody has joined."""
    programs = {event.payload["program"] for event in events}
    for program in Program.objects.filter(pk__in=programs).order_by("pk"):
        give_founding_bonus(program=program, now=timezone.now())


def find_founders(now: dt.datetime) -> Work | None:
    """The programs in which somebody is due; nothing, nearly always: it follows each enrollment."""
    if not programs_with_founders_due(now):
        return None
    return Work(_("Founding bonus"), params={"now": now.isoformat()})


def run_founding(job_id: int) -> Job | None:
    """Give what is due; None when another run has it."""
    return run_in_chunks(job_id, _give_piece)


def founding_words(job: Job) -> str:
    given = job.result.get("given", 0)
    words = ngettext("%s founding member.", "%s founding members.", given)
    return words % format_number(given)


def _give_piece(job: Job) -> Step | None:
    now = dt.datetime.fromisoformat(job.params["now"])
    programs = programs_with_founders_due(now)
    if not programs:
        return None
    given = give_founding_bonus(program=programs[0], now=now)
    done = job.done + given
    return Step(checkpoint={"given": done}, done=done, result={"given": done})


@transaction.atomic
def give_founding_bonus(*, program: Program, now: dt.datetime) -> int:
    """Give the bonus to those who are due, up to its most members, a piece of them at once. Returns
    to how many; asking again gives nothing twice."""
    bonus = (
        FoundingBonus.objects.select_for_update(of=("self",))
        .select_related("wallet_type", "program")
        .filter(program=program)
        .first()
    )
    if bonus is None:
        return 0
    due = founders_due(bonus)[:PIECE]
    if not due:
        return 0
    first = FoundingGrant.objects.filter(program=program).count() + 1
    terms = terms_of(program)
    wallets = {
        wallet.account_id: wallet
        for wallet in Wallet.objects.filter(
            account__in=[member.account_id for member in due], wallet_type=bonus.wallet_type
        )
    }
    numbered = list(enumerate(due, start=first))
    movements = [
        _accrual(bonus, terms, member, wallets[member.account_id], number, now)
        for number, member in numbered
    ]
    ids = {item.key: item.transfer_id for item in post(movements, now=now)}
    FoundingGrant.objects.bulk_create(
        FoundingGrant(
            program=program, membership=member, number=number, units=bonus.units,
            transfer_id=ids[_key(member)], granted_at=now,
        )
        for number, member in numbered
    )  # fmt: skip
    refresh_customers([member.customer_id for member in due], terms=fresh_terms(), now=now)
    look_at_members(member.pk for member in due)
    return len(due)


def _key(member: Membership) -> str:
    return f"founding:{member.pk}"


def _accrual(
    bonus: FoundingBonus, terms: ProgramTerms, member: Membership, wallet: Wallet, number: int,
    now: dt.datetime,
) -> Movement:  # fmt: skip
    """Earned when they joined; it matures and expires as everything that is earned."""
    at = member.enrolled_at
    policy = terms.units[bonus.wallet_type_id].terms_at(now)
    times = OrderTimes(at, at, at, at)
    lot = lot_times(policy, at, matures_at(policy, times, terms.zone), terms.zone)
    kind = Transfer.Kind.ACCRUAL.value
    return movement(
        direction="in",
        kind=kind,
        ref=WalletRef(wallet.pk, wallet.account_id, bonus.wallet_type_id, terms.zone),
        counter_account_id=terms.accounts[Account.Kind.ISSUED],
        amount=bonus.units,
        occurred_at=at,
        key=_key(member),
        source=Transfer.Source.JOB,
        explanation={"founding": number, "days": bonus.days},
        sp=lot.spendable_at,
        ex=lot.expires_at,
        plan=lot.planned_expires_at,
        ren=lot.renewable,
        pol=policy.policy_id,
        **terms.renewal(bonus.wallet_type_id, kind, at),
    )
