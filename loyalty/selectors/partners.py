"""The partners of a program, and on whose behalf an order or a redemption is told."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db.models import Prefetch, Q, QuerySet

from loyalty.models import Account, Order, Partner, PartnerRate, Program
from loyalty.partner_definitions import PartnerDefinition, PartnerRateDefinition
from members.conditions.fields import NamedValue
from members.errors import NotFoundError
from members.models import ApiKey
from members.prepared import KeptQuery


@dataclass(frozen=True, slots=True)
class AtPartner:
    """At whose an order was placed, or something was done: as rules and movements need it."""

    account_id: int
    program_id: int
    code: str
    name: str

    @classmethod
    def of(cls, partner: Partner) -> AtPartner:
        account = partner.account
        return cls(account.pk, account.program_id, account.code, account.name)


def partners() -> QuerySet[Partner]:
    """With all that showing one needs."""
    rates = PartnerRate.objects.select_related("wallet_type").order_by("wallet_type", "-from_on")
    return Partner.objects.select_related("account__program").prefetch_related(
        Prefetch("rates", queryset=rates)
    )


def partners_in(program: Program, *, live: bool = False) -> list[Partner]:
    """Of a program, by name. The kind too, as it is looked for among the accounts of few kinds."""
    found = _partners.rows(Account.Kind.PARTNER, program.pk)
    return [item for item in found if item.ended_at is None] if live else found


_partners: KeptQuery[Partner] = KeptQuery(
    lambda kind, program: partners().filter(account__kind=kind, account__program=program)
)


def get_partner(public_id: uuid.UUID) -> Partner:
    """Raises NotFoundError."""
    found = partners().filter(public_id=public_id).first()
    if found is None:
        raise NotFoundError("There is no such partner.")
    return found


def partner_of_key(key: ApiKey | None) -> AtPartner | None:
    """On whose behalf an API key speaks; None: the merchant's."""
    if key is None or key.partner is None:
        return None
    found = Partner.objects.select_related("account").filter(pk=key.partner, ended_at=None).first()
    if found is None:
        # Its keys are revoked as it ends; one may just have been made.
        raise NotFoundError("There is no such partner.")
    return AtPartner.of(found)


_AT_PARTNERS: KeptQuery[Order] = KeptQuery(
    lambda ids: (
        Order.objects.filter(partner__isnull=False, pk__among=ids)
        .only("partner")
        .select_related("partner__account")
    )
)


def partners_of_orders(order_ids: list[int]) -> dict[int, AtPartner]:
    """At whose these orders were placed, of those that were at a partner."""
    return {
        order.pk: AtPartner.of(order.partner)
        for order in _AT_PARTNERS.rows(order_ids)
        if order.partner is not None
    }


def partners_named(typed: str) -> list[NamedValue]:
    """Short names with names, for those who write a condition; found by either."""
    accounts = Account.objects.filter(kind=Account.Kind.PARTNER).order_by("name", "pk")
    found = accounts.filter(Q(code__icontains=typed) | Q(name__icontains=typed))
    return [NamedValue.of(code, name) for code, name in found.values_list("code", "name")]


def partner_definitions(program: Program) -> tuple[PartnerDefinition, ...]:
    """As a program file says them."""
    return tuple(partner_definition(item) for item in partners_in(program))


def partner_definition(partner: Partner) -> PartnerDefinition:
    return PartnerDefinition(
        code=partner.code,
        name=partner.account.name,
        since=partner.since,
        status="ended" if partner.ended_at else "live",
        summary=partner.summary,
        website=partner.website,
        rates=tuple(
            PartnerRateDefinition(
                wallet_type=rate.wallet_type.code, from_on=rate.from_on, issued=rate.issued,
                taken_in=rate.taken_in,
            )
            for rate in sorted(
                partner.rates.all(), key=lambda rate: (rate.wallet_type_id, rate.from_on)
            )
        ),
    )  # fmt: skip
