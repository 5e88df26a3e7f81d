"""What the catalog and its vouchers refuse, each with a stable code."""

from __future__ import annotations

from members.errors import ConflictError, DomainError


class RewardRefusedError(ConflictError):
    """The reward cannot be taken now, by this member. `code` says why."""

    code = "reward_refused"


class RedemptionStateError(ConflictError):
    """What was taken has gone on already, so that this cannot be done with it any more."""

    code = "redemption_state"


class CheckoutStateError(ConflictError):
    """The checkout has gone on already, or ran out. `code` says which."""

    code = "checkout_state"


class OverrideLimitError(DomainError):
    """More than the role of whoever lets it pass may. `code`: at once, or in a day."""

    code = "override_limit"
    status = 403


class CheckoutRefusedError(ConflictError):
    """The checkout cannot be made like this. `code` says why."""

    code = "checkout_refused"


class GiftCardRefusedError(ConflictError):
    """The gift card cannot be used like this now. `code` says why."""

    code = "gift_card_refused"


class TooManyGuessesError(DomainError):
    """So many wrong codes came from there that no further one is looked at for a while."""

    code = "too_many_wrong_codes"
    status = 429


class TaskStateError(ConflictError):
    """What is sent has gone on, so that this cannot be done with it any more."""

    code = "task_state"


class EventStateError(ConflictError):
    """The event, or a place in its waiting list, has gone on."""

    code = "event_state"


class ContentRefusedError(ConflictError):
    """The member may not have it now."""

    code = "content_refused"


class VoucherRefusedError(ConflictError):
    """The voucher cannot be used at this checkout. `code` says why."""

    code = "voucher_refused"
