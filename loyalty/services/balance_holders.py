"""Whose the balances of a file are: known customers, and new ones, who become members; pools, and
bearers of gift cards."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.models import Membership, Pool, Program, Wallet
from loyalty.services.balance_pools import PoolsOfFile
from loyalty.services.balance_rows import CARD, POOL, BalanceRow
from loyalty.services.bearers import CardsOfFile, Holder
from loyalty.services.memberships import enroll_many
from loyalty.services.newcomers import provide_customer
from members.errors import DomainError, FieldError
from members.models import Customer
from members.selectors.erased import erased_among, was_erased
from members.selectors.merges import current
from members.services.audit import Actor

Members = Mapping[int, Membership | DomainError]


def find_holders(
    rows: Sequence[BalanceRow], members: Members, pools: PoolsOfFile, cards: CardsOfFile
) -> dict[int, Holder | DomainError]:
    """By row the wallet, or why there is none; a constant number of queries for members."""
    accounts: dict[int, int | DomainError] = {}
    for row in rows:
        if row.holder == POOL:
            pool = pools.find(row)
            accounts[row.number] = pool.account_id if isinstance(pool, Pool) else pool
        elif row.holder == CARD:
            accounts[row.number] = cards.find(row)
        else:
            member = members[row.number]
            accounts[row.number] = (
                member.account_id if isinstance(member, Membership) else member
            )  # fmt: skip
    wallets = _wallets([item for item in accounts.values() if isinstance(item, int)])
    found: dict[int, Holder | DomainError] = {}
    for row in rows:
        account = accounts[row.number]
        found[row.number] = (
            account if isinstance(account, DomainError) else wallets[account, row.kind.pk]
        )
    return found


def find_members(
    rows: Sequence[BalanceRow], *, program: Program, detail: str, actor: Actor
) -> dict[int, Membership | DomainError]:
    """By row who they are, or why they are none. Whoever is new is made, and enrolled since they
    earned first; a constant number of queries for those who are here."""
    people = find_people(rows, actor)
    found = {row.number: people[row.number] for row in rows}
    known = {item.pk: item for item in found.values() if isinstance(item, Customer)}
    erased = erased_among(known.values())
    since = {
        pk: min(row.earned_at for row in rows if _key(found[row.number]) == pk)
        for pk in known.keys() - erased - _members(program, known)
    }
    enroll_many(
        program_id=program.pk, enrolled=since, source=Membership.Source.IMPORT, detail=detail
    )
    memberships = {
        member.customer_id: member
        for member in Membership.objects.filter(program=program, customer__in=known)
    }
    answers: dict[int, Membership | DomainError] = {}
    for row in rows:
        person = found[row.number]
        if isinstance(person, DomainError):
            answers[row.number] = person
        elif person.pk in erased:
            answers[row.number] = was_erased()
        else:
            answers[row.number] = _member(memberships.get(person.pk))
    return answers


def _member(member: Membership | None) -> Membership | DomainError:
    if member is None or member.status == Membership.Status.LEFT:
        words = _("They have left the program. Let them join again first.")
        return DomainError(words, errors=[FieldError("customer_id", words, "left")])
    return member


def _wallets(accounts: Sequence[int]) -> dict[tuple[int, int], Holder]:
    """By account and wallet type; of one that was merged into another that one."""
    found = Wallet.objects.filter(account__in=accounts).select_related("merged_into")
    answers = {}
    for wallet in found:
        kept = wallet.merged_into or wallet
        answers[wallet.account_id, wallet.wallet_type_id] = Holder(kept.pk, kept.account_id)
    return answers


def _members(program: Program, people: Mapping[int, Customer]) -> set[int]:
    found = Membership.objects.filter(program=program, customer__in=people)
    return set(found.values_list("customer_id", flat=True))


def _key(person: Customer | DomainError) -> int:
    return person.pk if isinstance(person, Customer) else 0


def find_people(rows: Sequence[BalanceRow], actor: Actor) -> dict[int, Customer | DomainError]:
    """By the shop's number, else by our id, else by the address; a number or address that is new
    makes somebody."""
    numbers = {row.cells.get("customer_id", "") for row in rows} - {""}
    ids = {uuid.UUID(row.cells["customer"]) for row in rows if row.cells.get("customer")}
    customers = Customer.objects.select_related("merged_into")
    by_number = {item.external_id: current(item)
                 for item in customers.filter(external_id__in=numbers)}  # fmt: skip
    by_id = {item.public_id: current(item) for item in customers.filter(public_id__in=ids)}
    answers: dict[int, Customer | DomainError] = {}
    made: dict[tuple[str, str], Customer | DomainError] = {}
    for row in rows:
        number, email = row.cells.get("customer_id", ""), row.cells.get("email", "")
        own = row.cells.get("customer", "")
        known = by_number.get(number) if number else None
        if known is None and own and not number:
            known = by_id.get(uuid.UUID(own))
        if known is not None:
            answers[row.number] = known
        elif number or email:
            if (number, email) not in made:
                made[number, email] = _provide(number, email, actor)
            answers[row.number] = made[number, email]
        else:
            words = _("There is no such customer here. Name them by customer_id or email.")
            error = DomainError(words, errors=[FieldError("customer", words, "not_found")])
            answers[row.number] = error
    return answers


def _provide(number: str, email: str, actor: Actor) -> Customer | DomainError:
    try:
        with transaction.atomic():
            return provide_customer(actor=actor, external_id=number, email=email)[0]
    except DomainError as error:
        # The columns that a customer's details are named by here.
        for wrong in error.errors:
            if wrong.field == "external_id":
                words = str(wrong.message)
                return DomainError(words, errors=[FieldError("customer_id", words, wrong.code)])
        return error
