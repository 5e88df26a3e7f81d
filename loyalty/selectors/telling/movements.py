"""What is told outside of units: each movement of a member or a pool, and what they hold then."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from pydantic import Field

from loyalty.models import Account, Transfer
from loyalty.selectors.balances import Balance, balances_of_accounts
from loyalty.selectors.telling.people import MEMBERSHIP, PROGRAM, units_told
from members.models import OutboxEvent
from members.public_events import CustomerRef, EventData, EventType, PublicEvent, named_rows
from members.selectors.told_customers import SAMPLE as CUSTOMER

Kind = Transfer.Kind


class DocumentRef(EventData):
    """An order or a refund, by where it came from."""

    source: str
    external_id: str


class HolderData(EventData):
    """Whose wallet it is: a member's, or a pool's."""

    membership: str | None = Field(description="The membership's id; null: the wallet is a pool's.")
    customer: CustomerRef | None = Field(description="Null: the wallet is a pool's.")
    pool: str | None = Field(description="The pool's id; null: the wallet is a member's.")
    program: str = Field(description="The program's code.")
    wallet_type: str = Field(description="The wallet type's code.")
    decimals: int = Field(description="So many decimals have its units.")


class MovementData(HolderData):
    """A movement of units; it never changes."""

    transfer: str = Field(description="Its id in the API: GET /transfers/{id}.")
    kind: Transfer.Kind
    units: str = Field(description="As decimal text; below zero where they left the wallet.")
    occurred_at: dt.datetime = Field(description="Business time.")
    booked_on: dt.date = Field(description="The accounting day in the program's time zone.")
    source: Transfer.Source = Field(description="Where it came from.")
    order: DocumentRef | None
    refund: DocumentRef | None
    reason: str = Field(description="The code of the reason, where it was adjusted by hand.")
    reverses: str | None = Field(description="The movement that it undoes, wholly or in part.")


class BalanceData(HolderData):
    """What a wallet holds when this is told, which may be after further movements."""

    balance: str = Field(description="Units that can be spent and are not expired.")
    spendable: str = Field(description="So many of them can be spent now.")
    pending: str = Field(description="Earned, but not to be spent yet.")
    owed: str = Field(description="Owed after a refund of what was spent.")


_NAMES: dict[str, tuple[str, Any]] = {
    Kind.ACCRUAL: ("points.earned", _("Units were earned by an order or an activity.")),
    Kind.CLAWBACK: ("points.taken_back", _("Units were taken back after a refund or a change.")),
    Kind.REDEMPTION: ("points.spent", _("Units were spent.")),
    Kind.EXPIRY: ("points.expired", _("Units expired.")),
    Kind.ADJUSTMENT: ("points.adjusted", _("Units were added or taken by hand.")),
    Kind.REVERSAL: ("points.returned", _("A movement was undone, and its units came back.")),
    Kind.REINSTATEMENT: ("points.reinstated", _("Units that had expired were brought back.")),
    Kind.WRITE_OFF: ("points.debt_written_off", _("A debt of units was written off.")),
    Kind.SETTLEMENT: ("points.debt_settled", _("A debt of units was settled.")),
    Kind.GIFT: ("points.gifted", _("Units went from one member to another: told of both.")),
    Kind.DONATION: ("points.donated", _("Units were given to a charity.")),
    Kind.POOL: ("points.pooled", _("Units went between a member and a pool: told of both.")),
    Kind.MERGE: ("points.merged", _("Units went over with a merge: told of both.")),
    Kind.DEPOSIT: ("points.paid_in", _("Money was paid in as store credit.")),
}
_HOLDER = {
    "membership": MEMBERSHIP, "customer": CUSTOMER, "pool": None, "program": PROGRAM,
    "wallet_type": "points", "decimals": 0,
}  # fmt: skip


def _sample(kind: str) -> MovementData:
    out = kind in {Kind.CLAWBACK, Kind.REDEMPTION, Kind.EXPIRY, Kind.DONATION}
    order = {"source": "webshop", "external_id": "10042"}
    values: dict[str, Any] = {
        "transfer": "18204", "kind": kind, "units": "-120" if out else "120",
        "occurred_at": "2026-03-01T09:30:00Z", "booked_on": "2026-03-01", "source": "api",
        "order": order if kind in {Kind.ACCRUAL, Kind.CLAWBACK} else None, "refund": None,
        "reason": "goodwill" if kind == Kind.ADJUSTMENT else "", "reverses": None,
    }  # fmt: skip
    return MovementData.model_validate(_HOLDER | values)


MOVEMENT_TYPES = tuple(
    EventType(name, sentence, MovementData, _sample(kind))
    for kind, (name, sentence) in _NAMES.items()
)
BALANCE = "balance.changed"
TYPES = (
    *MOVEMENT_TYPES,
    EventType(
        BALANCE,
        _("A wallet holds something else than before."),
        BalanceData,
        BalanceData.model_validate(
            _HOLDER | {"balance": "320", "spendable": "320", "pending": "120", "owed": "0"}
        ),
    ),
)


def tell_movements(events: Sequence[OutboxEvent]) -> Iterator[PublicEvent]:
    """Movements of members and pools, in the order in which they were written, and after them what
    their wallets hold, once for each outbox event; gift cards have events of their own."""
    named = named_rows(events, lambda row: [_NAMES[row.became][0]])
    rows = Transfer.objects.select_related(
        "wallet__account__membership__customer", "wallet__account__pool",
        "wallet__account__program", "wallet_type", "order", "refund",
    ).exclude(wallet__account__kind=Account.Kind.BEARER)  # fmt: skip
    transfers = rows.in_bulk([item.row.id for item in named])
    told: dict[tuple[int, int], PublicEvent] = {}
    accounts = {transfer.wallet.account_id for transfer in transfers.values()}
    balances = _by_wallet(balances_of_accounts(accounts, timezone.now()))
    for item in named:
        transfer = transfers.get(item.row.id)
        if transfer is None:
            continue
        holder = holder_values(transfer)
        program = str(holder["program"])
        data = MovementData.model_validate(holder | _movement(transfer))
        yield PublicEvent(
            item.name, f"transfer:{transfer.pk}", item.event.created_at, program, data
        )
        held = balances.get(transfer.wallet_id)
        if held is not None:
            told[item.event.pk, transfer.wallet_id] = PublicEvent(
                BALANCE, f"{item.event.pk}:{transfer.wallet_id}:{BALANCE}", item.event.created_at,
                program, BalanceData.model_validate(holder | _balance(held)),
            )  # fmt: skip
    yield from told.values()


def holder_values(transfer: Transfer) -> dict[str, object]:
    """The fields of `HolderData`."""
    account = transfer.wallet.account
    membership = getattr(account, "membership", None)
    pool = getattr(account, "pool", None)
    return {
        "membership": str(membership.public_id) if membership else None,
        "customer": CustomerRef.of(membership.customer) if membership else None,
        "pool": str(pool.public_id) if pool else None,
        "program": account.program.code,
        "wallet_type": transfer.wallet_type.code,
        "decimals": transfer.wallet_type.scale,
    }


def _movement(transfer: Transfer) -> dict[str, object]:
    undone = transfer.reverses_id or transfer.corrects_id
    return {
        "transfer": str(transfer.pk),
        "kind": transfer.kind,
        "units": units_told(transfer.signed_amount, transfer.wallet_type),
        "occurred_at": transfer.occurred_at,
        "booked_on": transfer.booked_on,
        "source": transfer.source,
        "order": _document(transfer.order),
        "refund": _document(transfer.refund),
        "reason": transfer.reason,
        "reverses": str(undone) if undone else None,
    }


def _document(found: Any) -> dict[str, str] | None:
    return {"source": found.source, "external_id": found.external_id} if found else None


def _balance(held: Balance) -> dict[str, str]:
    return {
        name: units_told(getattr(held, name), held.wallet_type)
        for name in ("balance", "spendable", "pending", "owed")
    }


def _by_wallet(found: Mapping[int, Iterable[Balance]]) -> dict[int, Balance]:
    return {held.wallet.pk: held for balances in found.values() for held in balances}
