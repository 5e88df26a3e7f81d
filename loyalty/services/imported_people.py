"""People whom an import brought, once it is undone: of whom nothing else is known, they are erased
where that was asked. Their rows stay, because canceled orders name them."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from loyalty.ledger.balances import holdings
from loyalty.models import Activity, ImportBatch, Membership, Order, Transfer, Wallet
from loyalty.own_signs import own_signs
from loyalty.services.import_jobs import actor_of
from loyalty.services.undo_jobs import Piece
from members.models import Customer, Job, JobError
from members.services.customers import erase_customer_details
from members.services.jobs import record_job_errors

AT_ONCE = 25


def erase_imported(batch: ImportBatch, place: int, job: Job) -> Piece:
    """The next people of a batch."""
    ahead = place + AT_ONCE
    counts = erase_people(batch.customers[place:ahead], job)
    return Piece(counts, ahead=ahead if ahead < len(batch.customers) else None)


def erase_people(
    keys: Sequence[int], job: Job, *, one_write: dt.timedelta = dt.timedelta()
) -> Counter[str]:
    """Those of whom nothing else is known; the job keeps why others stay. `one_write`: by how much
    the time of their last change may be after that of their first, where one write makes both."""
    now = timezone.now()
    counts: Counter[str] = Counter()
    kept = []
    actor = actor_of(job)
    # Nobody buys meanwhile, or is merged.
    people = Customer.objects.select_for_update().filter(pk__in=keys).order_by("pk")
    for customer in people:
        why = _why_kept(customer, now, one_write)
        if why:
            kept.append(
                JobError(file="customers", row=customer.pk, column="customer",
                         value=str(customer.public_id), reason=why)
            )  # fmt: skip
        else:
            erase_customer_details(customer=customer, actor=actor, reason=job.params["reason"])
            counts["erased"] += 1
    record_job_errors(job, kept)
    counts["kept"] += len(kept)
    return counts


def _why_kept(customer: Customer, now: dt.datetime, one_write: dt.timedelta) -> str:
    """What else is known of somebody; empty: nothing."""
    if customer.merged_into_id is not None:
        return _("Merged into another customer since.")
    if Customer.objects.filter(merged_into=customer).exists():
        return _("Another customer was merged into this one.")
    if customer.user_id is not None:
        return _("They have signed in.")
    # The import writes people once; all that is written of them later moves this time.
    if customer.updated_at > customer.created_at + one_write:
        return _("Their details were changed since.")
    if customer.notes.exists() or customer.tasks.exists():
        return _("Staff have noted something about them.")
    if customer.packages.exists():
        return _("What is known of them was asked for.")
    for words, found in own_signs([customer.pk], customer.created_at):
        if found:
            return words
    return _what_they_did(customer, now)


def _what_they_did(customer: Customer, now: dt.datetime) -> str:
    if Order.objects.filter(customer=customer).exclude(status__in=Order.VOID).exists():
        return _("They have other orders.")
    if Activity.objects.filter(customer=customer).exists():
        return _("They did something else that is rewarded.")
    members = Membership.objects.filter(customer=customer)
    if members.exclude(source=Membership.Source.IMPORT).exists():
        return _("They joined a program themselves.")
    wallets = list(Wallet.objects.filter(account__in=members.values("account_id")))
    if _moves_of_their_own(wallets).exists():
        return _("Units were spent, given or adjusted.")
    held = holdings(wallets, now).values()
    if any(item.balance or item.pending or item.owed for item in held):
        return _("Their balance is not zero.")
    return ""


def _moves_of_their_own(wallets: Sequence[Wallet]) -> QuerySet[Transfer]:
    """Movements that no order brought about."""
    brought = Q(order__isnull=False) | Q(refund__isnull=False)
    by_themselves = (Transfer.Kind.EXPIRY, Transfer.Kind.REINSTATEMENT, Transfer.Kind.WRITE_OFF)
    moves = Transfer.objects.filter(wallet__in=wallets)
    return moves.exclude(brought).exclude(kind__in=by_themselves)
