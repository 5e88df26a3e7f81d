"""Many cards of one amount, made by a job; their codes as a list until somebody forgets them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.models import Program, Transfer
from loyalty.services.stored_value import coins, stored_value_type
from members.errors import DomainError, FieldError
from members.formatting import format_number
from members.jobs import Work
from members.models import Job
from members.services.audit import SYSTEM, Actor, record_audit
from members.services.job_runs import Step, run_in_chunks
from members.services.jobs import start_or_resume_job
from members.services.transactions import run_atomically
from rewards.models import GiftCard, GiftCardBatch
from rewards.services.gift_cards import code_of, issue_gift_card

KIND = "gift_card_batch"
FORGETTING = "gift_card_codes"
PIECE = 50
LARGEST = 10_000
# So long a code can be shown to whom it is told, where the card was not used before.
KEPT = dt.timedelta(days=90)
FORGOTTEN_AT_ONCE = 2_000


def create_batch(
    *,
    program: Program,
    name: str,
    amount: Decimal,
    count: int,
    active: bool,
    actor: Actor,
    now: dt.datetime,
) -> tuple[GiftCardBatch, Job]:
    """A batch and the job that makes its cards, to be queued. Raises StoredValueError where the
    program has no stored value, DomainError at the field."""
    coins(amount, stored_value_type(program))
    if not 1 <= count <= LARGEST:
        words = _("Between 1 and %s.") % format_number(LARGEST)
        raise DomainError(words, errors=[FieldError("count", words)])

    def create() -> tuple[GiftCardBatch, Job]:
        batch = GiftCardBatch.objects.create(
            program=program, name=name, amount=amount, count=count, active=active, created_at=now,
            created_by=actor.user,
        )  # fmt: skip
        batch.job = start_or_resume_job(
            kind=KIND, label=_("Gift cards: %s") % name, fingerprint=str(batch.pk),
            params={"batch": batch.pk, "now": now.isoformat()}, actor=actor, total=count,
        )  # fmt: skip
        batch.save(update_fields=["job"])
        record_audit(
            actor=actor, action="gift_card_batch.created", target=batch,
            after={"name": name, "amount": str(amount), "count": count},
        )  # fmt: skip
        return batch, batch.job

    return run_atomically(create)


def run_batch(job_id: int) -> Job | None:
    """Make the cards; None when another run has it."""
    return run_in_chunks(job_id, _make_some)


def batch_words(job: Job) -> str:
    cards = job.result.get("cards", 0)
    return ngettext("%s card is made.", "%s cards are made.", cards) % format_number(cards)


def codes_of(batch: GiftCardBatch, *, actor: Actor) -> Iterator[tuple[GiftCard, str]]:
    """Every card with its code, as far as it is known; that somebody fetched them is kept."""
    record_audit(actor=actor, action="gift_card_batch.codes_read", target=batch)
    cards = GiftCard.objects.filter(batch=batch).order_by("pk")
    return ((card, code_of(card)) for card in cards.iterator(chunk_size=500))


def forget_codes(*, batch: GiftCardBatch, actor: Actor, now: dt.datetime) -> None:
    """From now on nobody can read the codes of a batch. Doing it again changes nothing."""

    def forget() -> None:
        found = GiftCardBatch.objects.select_for_update().get(pk=batch.pk)
        if found.codes_forgotten_at is not None:
            return
        GiftCard.objects.filter(batch=found).exclude(seed=None).update(seed=None)
        found.codes_forgotten_at = now
        found.save(update_fields=["codes_forgotten_at"])
        record_audit(actor=actor, action="gift_card_batch.codes_forgotten", target=found)

    run_atomically(forget)


def find_forgetting(now: dt.datetime) -> Work | None:
    """Codes that were there long enough, if there are any."""
    if not GiftCard.objects.filter(seed__isnull=False, created_at__lt=now - KEPT).exists():
        return None
    return Work(_("Codes of gift cards that were told"), params={"now": now.isoformat()})


def run_forgetting(job_id: int) -> Job | None:
    """Forget them; None when another run has it."""
    return run_in_chunks(job_id, _forget_some)


def forgetting_words(job: Job) -> str:
    codes = job.result.get("codes", 0)
    words = ngettext("%s code was forgotten.", "%s codes were forgotten.", codes)
    return words % format_number(codes)


def _make_some(job: Job) -> Step | None:
    made = job.checkpoint.get("made", 0)
    batch = GiftCardBatch.objects.select_related("program").get(pk=job.params["batch"])
    last = min(made + PIECE, batch.count)
    if made >= last:
        return None
    actor = Actor.of_user(job.created_by) if job.created_by else SYSTEM
    for number in range(made + 1, last + 1):
        issue_gift_card(
            program=batch.program, amount=batch.amount, key=f"batch:{batch.pk}:{number}",
            source=Transfer.Source.JOB.value, actor=actor, active=batch.active, batch=batch,
            now=dt.datetime.fromisoformat(job.params["now"]),
        )  # fmt: skip
    if last == batch.count:
        _finish(batch)
    return Step(checkpoint={"made": last}, done=last, total=batch.count, result={"cards": last})


def _finish(batch: GiftCardBatch) -> None:
    """Codes that were to be forgotten before all were made are so with the last of them."""
    if batch.codes_forgotten_at is not None:
        GiftCard.objects.filter(batch=batch).update(seed=None)


def _forget_some(job: Job) -> Step | None:
    now = dt.datetime.fromisoformat(job.params["now"])
    old = GiftCard.objects.filter(seed__isnull=False, created_at__lt=now - KEPT)
    ids = list(old.order_by("pk").values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE])
    if not ids:
        return None
    GiftCard.objects.filter(pk__in=ids).update(seed=None)
    known = GiftCard.objects.filter(batch=OuterRef("pk"), seed__isnull=False)
    GiftCardBatch.objects.filter(
        ~Exists(known), cards__in=ids, codes_forgotten_at=None
    ).update(codes_forgotten_at=now)  # fmt: skip
    codes = job.result.get("codes", 0) + len(ids)
    return Step(checkpoint={}, done=codes, total=codes, result={"codes": codes})
