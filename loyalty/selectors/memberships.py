from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence

from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Coalesce

from loyalty.models import Membership, Plan, PoolMember, Transfer, Wallet
from loyalty.selectors.impact import causes_of_members
from members.errors import NotFoundError
from members.models import Customer
from members.prepared import KeptQuery, KeptRows


def memberships() -> QuerySet[Membership]:
    return Membership.objects.select_related("program", "customer", "merged_into", "tier__tier")


def with_card(card_number: str) -> QuerySet[Membership, int]:
    """The key of the membership that a card leads to, also one from before a merge."""
    return _current(Membership.objects.filter(card_number=card_number))


def with_id(public_id: uuid.UUID | str) -> QuerySet[Membership, int]:
    """The key of the membership that an id leads to, also one from before a merge."""
    return _current(Membership.objects.filter(public_id=public_id))


def find_membership(public_id: uuid.UUID) -> Membership | None:
    """The membership that an id leads to, also one from before a merge."""
    return _with_id.first(public_id)


def identify_membership(public_id: uuid.UUID) -> Membership | None:
    """The same, when no more is asked than which one it is."""
    return _identity.first(public_id)


def membership_of_account(account_id: int) -> Membership:
    """Whose account it is, as they are now. Raises Membership.DoesNotExist."""
    return _of_account.one(account_id)


def list_memberships(customer: Customer, *, with_causes: bool = False) -> list[Membership]:
    """A customer's memberships, the longest first; `has_plans`: the program has, or had, some;
    `pools`: whether the member is, or was, in one; `causes`, if wanted: the program's charities,
    with what went there through the member."""
    if with_causes:
        return list(_listed(customer.pk).annotate(causes=causes_of_members()))
    return _of_customer.rows(customer.pk)


def _listed(customer: int) -> QuerySet[Membership]:
    plans = Plan.objects.filter(program=OuterRef("program"))
    pools = PoolMember.objects.filter(membership=OuterRef("pk"))
    found = memberships().select_related("founding_grant").filter(customer=customer)
    found = found.annotate(has_plans=Exists(plans), pools=Exists(pools))
    return found.order_by("enrolled_at", "pk")


def named_membership(memberships: Sequence[Membership], public_id: uuid.UUID) -> Membership | None:
    """The one of these with this id, which may be from before a merge; None: it is none of them."""
    for item in memberships:
        if item.public_id == public_id:
            return item
    before = Membership.objects.filter(public_id=public_id, merged_into__isnull=False)
    kept = before.values_list("merged_into_id", flat=True).first()
    return next((item for item in memberships if item.pk == kept), None)


def current_wallet(wallet: Wallet, key: str = "") -> Wallet:
    """The wallet that counts: of a member who was merged into another, that one's. Unless a
    movement with this key was posted before in this very one."""
    kept = _kept_wallet.first(wallet.pk)
    if kept is None or (key and Transfer.objects.filter(key=key, wallet=wallet).exists()):
        return wallet
    return kept


def wallet_ids(memberships: Iterable[Membership]) -> list[int]:
    """The keys of all wallets of these memberships."""
    accounts = [membership.account_id for membership in memberships]
    return [pk for (pk,) in _wallet_ids.rows(accounts)]


def accounts_with_merged(account_ids: Iterable[int]) -> QuerySet[Membership, int]:
    """These members' accounts with those of the memberships that were merged into them; each is
    found by its key, however many members there are."""
    own = list(account_ids)
    merged = Membership.objects.filter(merged_into__account__in=own)
    return (
        Membership.objects.filter(account__in=own)
        .values_list("account", flat=True)
        .union(merged.values_list("account", flat=True), all=True)
    )


def wallets_of_orders(customer_ids: Iterable[int]) -> list[int]:
    """The keys of all wallets that are locked for orders of these customers: in all programs, and
    those of their pools."""
    own = Membership.objects.filter(customer__in=list(customer_ids))
    pools = PoolMember.objects.filter(membership__in=own, left_at=None)
    accounts = own.values("account").union(pools.values("pool__account"), all=True)
    return list(Wallet.objects.filter(account__in=accounts).values_list("pk", flat=True))


def get_membership(public_id: uuid.UUID | str) -> Membership:
    """Raises NotFoundError."""
    membership = memberships().filter(public_id=public_id).first()
    if membership is None:
        raise NotFoundError("There is no such membership.")
    return membership


def wallet_of_kind(account_id: int, wallet_type_id: int) -> Wallet:
    """An account's wallet of a kind, as it is now. Raises Wallet.DoesNotExist."""
    return _wallet_of_kind.one(account_id, wallet_type_id)


def wallets_of_account(account_id: int) -> list[Wallet]:
    """All of an account's wallets, as they are now."""
    return _wallets_of_account.rows(account_id)


def membership_now(pk: int) -> Membership:
    """A membership as it is now. Raises Membership.DoesNotExist."""
    return _by_key.one(pk)


def kept_membership(pk: int) -> Membership:
    """The same; of one who was merged into another, that one's."""
    return _kept.one(pk)


def _current(found: QuerySet[Membership]) -> QuerySet[Membership, int]:
    return found.order_by().values_list(Coalesce("merged_into_id", "pk"), flat=True)


def _wallets() -> QuerySet[Wallet]:
    return Wallet.objects.select_related("wallet_type__program")


_with_id = KeptQuery(lambda public_id: memberships().filter(pk__in=with_id(public_id)))
_identity = KeptQuery(
    lambda public_id: (
        Membership.objects.only("public_id", "program", "account", "merged_into")
        .filter(pk__in=with_id(public_id))
        .order_by()
    )
)
_of_account = KeptQuery(lambda account: memberships().filter(account=account))
_by_key = KeptQuery(lambda pk: memberships().filter(pk=pk))
_kept = KeptQuery(
    lambda pk: memberships().filter(pk__in=_current(Membership.objects.filter(pk=pk)))
)
_of_customer = KeptQuery(_listed)
_wallet_ids = KeptRows(
    lambda accounts: Wallet.objects.filter(account__among=accounts).values_list("pk"), ([1], [2])
)
_wallets_of_account = KeptQuery(lambda account: Wallet.objects.filter(account=account))
_kept_wallet = KeptQuery(lambda wallet: _wallets().filter(duplicates=wallet))
_wallet_of_kind = KeptQuery(
    lambda account, kind: Wallet.objects.filter(account=account, wallet_type=kind)
)
