"""What the ledger and the order services refuse, each with a stable code."""

from __future__ import annotations

from django.utils.translation import gettext as _

from members.errors import ConflictError, DomainError


class LedgerError(DomainError):
    code = "ledger_error"


class InsufficientBalanceError(LedgerError):
    """Fewer units can be spent than asked for. `spendable`: how many can, at the wallet type's
    scale; `words`: the same for people; `key`: that of the movement, where it is known."""

    code = "insufficient_balance"
    status = 409

    def __init__(self, spendable: int, words: str = "", *, key: str = "") -> None:
        super().__init__(_("Only %s can be spent.") % (words or spendable))
        self.spendable = spendable
        self.key = key


class SpendingRefusedError(LedgerError):
    """The terms of these units do not allow so many at once, or not for this order."""

    code = "spending_refused"
    status = 409


class SpendingStoppedError(LedgerError):
    """The program is paused without spending, or has ended."""

    code = "spending_stopped"
    status = 409


class KeyReusedError(LedgerError):
    """The idempotency key belongs to another movement."""

    code = "idempotency_key_reused"


class OverCorrectedError(LedgerError):
    """The movement was undone already, or more would be taken back than it moved."""

    code = "already_reversed"
    status = 409


class NotReversibleError(LedgerError):
    code = "not_reversible"
    status = 409


class GiftRefusedError(LedgerError):
    """The program does not allow this gift, or not today."""

    code = "gift_refused"
    status = 409


class StoredValueError(LedgerError):
    """Money on a card or as credit cannot go this way. `code` says why."""

    code = "stored_value_refused"
    status = 409


class PoolRefusedError(LedgerError):
    """The pool's rules do not allow it, or a member is elsewhere."""

    code = "pool_refused"
    status = 409


class InvalidOrderError(DomainError):
    code = "invalid_order"


class OrderConflictError(ConflictError):
    code = "order_conflict"
