"""Units that are left when a program ends go on in another one: the terms of it, what they would
come to, and the job that does it once the last day to spend is over.

What somebody had in the last instant counts, whenever the work runs; it may have expired meanwhile.
What a refund took of it since does not go on.
Each wallet is converted in one transaction, once, and both sides name each other.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.conversion_rates import Converted
from loyalty.ledger.balances import Holding, holdings
from loyalty.ledger.past import holdings_then, left_since
from loyalty.ledger.posting import Movement, WalletRef, lock_wallets, movement, post
from loyalty.models import (
    Account,
    ConvertedWallet,
    EndingConversion,
    Membership,
    Program,
    ProgramEnding,
    Transfer,
    Wallet,
    WalletType,
)
from loyalty.selectors.balances import worth_of
from loyalty.selectors.ending_conversions import rate_of
from loyalty.selectors.program_times import end_times
from loyalty.services.adjustments import terms_of
from loyalty.services.memberships import enroll_many
from loyalty.unearned import CONVERSION
from members.errors import ConflictError, FieldError
from members.formatting import format_number
from members.jobs import Work
from members.models import Job
from members.services.job_runs import Step, run_in_chunks
from members.services.transactions import run_atomically

KIND = "ending_conversions"
CHUNK = 200
INSTANT = dt.timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class ConversionTerms:
    """What the units of one kind become: so many of another program's for so many."""

    wallet_type: str
    program: str
    to_wallet_type: str
    take: Decimal
    give: Decimal


@dataclass(frozen=True, slots=True)
class ConversionEffect:
    """What it would come to, if nobody spent any more: of so many members, so many units become so
    many, and `rest` lapse because they are too few for another one."""

    conversion: EndingConversion
    holders: int
    taken: int
    given: int
    rest: int

    @property
    def worth(self) -> Decimal | None:
        return worth_of(self.given, self.conversion.to_wallet_type)


def conversions_of(
    program: Program, terms: Sequence[ConversionTerms], ending: ProgramEnding
) -> list[EndingConversion]:
    """As rows that are not saved. Raises ConflictError where they cannot be."""
    own = {item.code: item for item in program.wallet_types.select_related("program")}
    if len({item.wallet_type for item in terms}) < len(terms):
        raise _refused(_("Units of one kind go to one other kind."))
    found = []
    for item in terms:
        if item.wallet_type not in own:
            raise _refused(_("There are no units %s in this program.") % item.wallet_type)
        if own[item.wallet_type].stored_value:
            raise _refused(_("Stored value stays as it is: the end takes none of it."))
        if item.take <= 0 or item.give <= 0:
            raise _refused(_("Give numbers above zero."))
        found.append(
            EndingConversion(
                ending=ending, wallet_type=own[item.wallet_type],
                to_wallet_type=_target(program, item), take=item.take, give=item.give,
            )
        )  # fmt: skip
    return found


def _target(program: Program, item: ConversionTerms) -> WalletType:
    target = WalletType.objects.select_related("program").filter(
        program__code=item.program, code=item.to_wallet_type
    ).exclude(program=program).first()  # fmt: skip
    if target is None:
        raise _refused(_("There is no such kind of units in another program."))
    if target.stored_value:
        raise _refused(_("Stored value is paid in: no units become it."))
    if target.program.status != Program.Status.LIVE:
        raise _refused(_("%s is not live: nobody can have units in it.") % target.program.name)
    if target.program.endings.filter(called_off_at=None).exists():
        raise _refused(_("%s will end, too.") % target.program.name)
    return target


def _refused(message: str) -> ConflictError:
    return ConflictError(
        message, code="invalid_request", status=422, errors=[FieldError("conversions", message)]
    )


_PREVIEW = """
    SELECT count(*) FILTER (WHERE given > 0), coalesce(sum(taken), 0)::bigint,
           coalesce(sum(given), 0)::bigint, coalesce(sum(units - taken), 0)::bigint
      FROM (SELECT units, given, CASE WHEN given > 0 THEN ceil(given * %(den)s / %(num)s::numeric)
                                      ELSE 0 END AS taken
              FROM (SELECT units, floor(units * %(num)s / %(den)s::numeric) AS given
                      FROM (SELECT sum(l.remaining) AS units
                              FROM loyalty_lot l
                              JOIN loyalty_wallet w ON w.id = l.wallet_id AND w.owed = 0
                              JOIN loyalty_membership m ON m.account_id = w.account_id
                                                       AND m.status = 'active'
                             WHERE w.wallet_type_id = %(kind)s AND l.due_at > %(now)s
                               AND coalesce(l.expires_at,
                                            CASE WHEN l.renewable THEN w.active_until END,
                                            l.planned_expires_at, 'infinity') >= %(until)s
                             GROUP BY w.id) held) rounded) x
"""


def preview_conversion(
    conversion: EndingConversion, until: dt.datetime, now: dt.datetime
) -> ConversionEffect:
    """By what members hold now."""
    ratio = rate_of(conversion).ratio
    with connection.cursor() as cursor:
        cursor.execute(
            _PREVIEW,
            {
                "kind": conversion.wallet_type_id, "now": now, "until": until,
                "num": ratio.numerator, "den": ratio.denominator,
            },
        )  # fmt: skip
        return ConversionEffect(conversion, *cursor.fetchone())


def units_left_then(membership: Membership, until: dt.datetime) -> dict[int, int]:
    """By kind of units, what a member will have in the last instant before `until`, if nothing more
    is earned or spent: what expires before is not among it."""
    wallets = list(Wallet.objects.filter(account=membership.account_id))
    held = holdings(wallets, until - INSTANT)
    return {wallet.wallet_type_id: units_of(held[wallet.pk]) for wallet in wallets}


# --- Doing it -----------------------------------------------------------------------------------


def find_conversions(now: dt.datetime) -> Work | None:
    """Programs whose last day to spend is over, with units that go on elsewhere."""
    if _next_due(now) is None:
        return None
    return Work(_("Units that go on in another program"), params={"now": now.isoformat()})


def run_conversions(job_id: int) -> Job | None:
    """Convert what is left; None when another run has it."""
    return run_in_chunks(job_id, _convert_chunk)


def conversion_job_words(job: Job) -> str:
    count = job.result.get("wallets", 0)
    words = ngettext(
        "Units of %s member went on in another program.",
        "Units of %s members went on in another program.", count,
    )  # fmt: skip
    return words % format_number(count)


def _convert_chunk(job: Job) -> Step | None:
    now = dt.datetime.fromisoformat(job.params["now"])
    conversion = _next_due(now)
    if conversion is None:
        return None
    before = job.checkpoint if job.checkpoint.get("conversion") == conversion.pk else {}
    after = before.get("wallet", 0)
    last, done = run_atomically(lambda: convert_wallets(conversion, after=after, now=now))
    wallets = job.result.get("wallets", 0) + done
    return Step(
        checkpoint={"conversion": conversion.pk, "wallet": last} if last else {},
        done=wallets, total=max(job.total, wallets), result={"wallets": wallets},
    )  # fmt: skip


def _next_due(now: dt.datetime) -> EndingConversion | None:
    waiting = EndingConversion.objects.filter(
        finished_at=None, ending__called_off_at=None
    ).select_related("ending__program", "wallet_type__program", "to_wallet_type__program")
    return next((item for item in waiting.order_by("pk") if _until(item) <= now), None)


def _until(conversion: EndingConversion) -> dt.datetime:
    return end_times(conversion.ending.program, conversion.ending).spend_until


def convert_wallets(
    conversion: EndingConversion, *, after: int, now: dt.datetime, most: int = CHUNK
) -> tuple[int, int]:
    """Convert the next wallets with a key above `after`. Returns the last of them (0: there are no
    more, and the conversion is finished) and how many were converted."""
    converted = conversion.wallets.filter(left__wallet__gt=after)
    done = set(converted.values_list("left__wallet", flat=True))
    memberships = Membership.objects.filter(status=Membership.Status.ACTIVE).select_related(
        "customer"
    )
    wallets = list(
        Wallet.objects.filter(
            wallet_type=conversion.wallet_type_id, merged_into=None, pk__gt=after,
            account__in=memberships.values("account"),
        ).order_by("pk")[:most]
    )  # fmt: skip
    if not wallets:
        EndingConversion.objects.filter(pk=conversion.pk).update(finished_at=now)
        return 0, 0
    holders = {item.account_id: item for item in memberships.filter(
        account__in=[wallet.account_id for wallet in wallets])}  # fmt: skip
    open_ones = [wallet for wallet in wallets if wallet.pk not in done]
    return wallets[-1].pk, _convert(conversion, open_ones, holders, now)


def _convert(
    conversion: EndingConversion, wallets: Sequence[Wallet], holders: dict[int, Membership],
    now: dt.datetime,
) -> int:  # fmt: skip
    """What these held in the last instant. Where nothing is left to give, nothing is written."""
    at = _until(conversion) - INSTANT
    found = _found(conversion, wallets, at, now)
    wallets = [wallet for wallet in wallets if found[wallet.pk].given]
    if not wallets:
        return 0
    targets = _targets(conversion, wallets, holders, now)
    lock_wallets([*(wallet.pk for wallet in wallets), *(item.pk for item in targets.values())])
    found = _found(conversion, wallets, at, now)
    pairs = [
        (wallet, targets[wallet.pk], found[wallet.pk])
        for wallet in wallets
        if found[wallet.pk].given and wallet.pk in targets
    ]
    entries = [entry for pair in pairs for entry in _entries(conversion, *pair, at, now)]
    posted = {item.key: item.transfer_id for item in post(entries, now=now)}
    ConvertedWallet.objects.bulk_create(
        ConvertedWallet(
            conversion=conversion,
            left_id=posted[_key(conversion, wallet, "left")],
            came_id=posted[_key(conversion, wallet, "came")],
        )
        for wallet, _target, _units in pairs
    )  # fmt: skip
    return len(pairs)


def _found(
    conversion: EndingConversion, wallets: Sequence[Wallet], at: dt.datetime, now: dt.datetime
) -> dict[int, Converted]:
    """Of what they held, what nobody has taken since: a refund may have. Who owes something by now
    brings nothing along, either."""
    rate = rate_of(conversion)
    ids = [wallet.pk for wallet in wallets]
    held, left = holdings_then(ids, at), left_since(ids, at)
    owing = {pk for pk, item in holdings(Wallet.objects.filter(pk__in=ids), now).items()
             if item.owed}  # fmt: skip
    return {
        pk: rate.convert(0 if pk in owing else min(units_of(item), left.get(pk, 0)))
        for pk, item in held.items()
    }


def units_of(held: Holding) -> int:
    """What is converted of a wallet: what waits, too. Where something is owed, that is settled with
    what is left, and nothing goes on."""
    return 0 if held.owed else held.balance + held.pending


def _targets(
    conversion: EndingConversion, wallets: Sequence[Wallet], holders: dict[int, Membership],
    now: dt.datetime,
) -> dict[int, Wallet]:  # fmt: skip
    """By wallet, the one of the same customer in the other program, who becomes a member of it.
    Whoever has left that program is left alone."""
    program_id = conversion.to_wallet_type.program_id
    customers = {wallet.pk: holders[wallet.account_id].customer_id for wallet in wallets}
    members = Membership.objects.filter(program=program_id, customer__in=customers.values())
    known = set(members.values_list("customer", flat=True))
    enroll_many(
        program_id=program_id,
        enrolled={pk: now for pk in customers.values() if pk not in known},
        source=Membership.Source.STAFF.value,
        detail=conversion.ending.program.code,
    )
    taking_part = members.exclude(status__in=[Membership.Status.LEFT, Membership.Status.MERGED])
    accounts = dict(taking_part.values_list("account", "customer"))
    found = Wallet.objects.filter(
        account__in=accounts, wallet_type=conversion.to_wallet_type_id, merged_into=None
    )
    by_customer = {accounts[wallet.account_id]: wallet for wallet in found}
    return {pk: by_customer[c] for pk, c in customers.items() if c in by_customer}


def _key(conversion: EndingConversion, wallet: Wallet, side: str) -> str:
    return f"{CONVERSION}{conversion.pk}:{wallet.pk}:{side}"


def _entries(
    conversion: EndingConversion, wallet: Wallet, target: Wallet, units: Converted,
    at: dt.datetime, now: dt.datetime,
) -> tuple[Movement, Movement]:  # fmt: skip
    """What leaves the program is used up in it; what comes is issued by the other one."""
    own, other = conversion.wallet_type, conversion.to_wallet_type
    common: dict[str, Any] = {"source": Transfer.Source.JOB.value}
    left = movement(
        direction="out", kind=Transfer.Kind.REDEMPTION.value, ref=_ref(wallet, own),
        counter_account_id=_account(own, Account.Kind.REDEEMED), amount=units.taken,
        occurred_at=at, key=_key(conversion, wallet, "left"), pend=True,
        explanation={"became": other.program.name}, **common,
    )  # fmt: skip
    earned = Transfer.Kind.ACCRUAL.value
    came = movement(
        direction="in", kind=earned, ref=_ref(target, other),
        counter_account_id=_account(other, Account.Kind.ISSUED), amount=units.given,
        occurred_at=now, key=_key(conversion, wallet, "came"),
        explanation={"came_from": own.program.name}, **common, **terms_of(other, now, earned).lot,
    )  # fmt: skip
    return left, came


def _ref(wallet: Wallet, wallet_type: WalletType) -> WalletRef:
    return WalletRef(wallet.pk, wallet.account_id, wallet_type.pk, wallet_type.program.zone)


def _account(wallet_type: WalletType, kind: Account.Kind) -> int:
    return Account.objects.get(program=wallet_type.program_id, kind=kind).pk
