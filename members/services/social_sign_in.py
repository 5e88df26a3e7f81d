"""Signing in by an account elsewhere: whose it is, and whom it is joined to.

The address that is verified there, and nothing else, shows who a stranger is. Staff never sign in
like that: their account here is worth more than one elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.db import transaction
from django.utils.translation import gettext as _

from members.errors import ConflictError
from members.models import Customer, StaffMember, User
from members.selectors.identities import customer_of_email
from members.selectors.merges import current
from members.services.audit import Actor, record_audit
from members.services.sign_in import link_customer, provide_user


@dataclass(frozen=True, slots=True)
class Proof:
    """What a provider has shown of whoever sits there. `email`: only where it is verified."""

    provider: str
    subject: str
    email: str
    given_name: str = ""
    family_name: str = ""


@transaction.atomic
def user_by_proof(proof: Proof) -> User | None:
    """Who signs in by it, joined to the customer with the verified address the first time; None:
    a stranger, of whom nothing is kept. Raises ConflictError where it must not be."""
    account = _account(proof)
    if account is not None:
        owner: User = account.user
        refuse_staff(owner)
        if Customer.objects.filter(user=owner).exists():
            return owner
        # Whoever is nobody's any more, as after a change of address, is known by that again.
        account.delete()
    if not proof.email:
        raise ConflictError(
            _("Your e-mail address is not confirmed there. Sign in with a code instead."),
            code="email_not_verified",
        )
    known = User.objects.filter(email__iexact=proof.email).first()
    if known is not None:
        refuse_staff(known)
    if customer_of_email(proof.email) is None:
        return None
    user = provide_user(proof.email)
    assert user is not None
    EmailAddress.objects.filter(user=user, email__iexact=proof.email).update(verified=True)
    customer = link_customer(user)
    if customer is None:
        raise ConflictError(
            _("Somebody else signs in with this address. Ask us."), code="address_taken"
        )
    _join(proof, user, customer)
    return user


@transaction.atomic
def connect_account(*, user: User, proof: Proof) -> None:
    """Somebody who has signed in otherwise may sign in by this from now on. Again changes nothing.
    Raises ConflictError if it is somebody else's."""
    refuse_staff(user)
    account = _account(proof)
    if account is not None and account.user_id != user.pk:
        raise ConflictError(_("Somebody else signs in with this account."), code="account_taken")
    own = Customer.objects.select_related("merged_into").get(user=user)
    if account is None:
        _join(proof, user, current(own))


@transaction.atomic
def disconnect_account(*, customer: Customer, pk: int, actor: Actor) -> None:
    """It opens nothing any more; the code by e-mail does as ever. Again changes nothing."""
    account = SocialAccount.objects.filter(pk=pk, user__customer__in=_records(customer)).first()
    if account is None:
        return
    record_audit(
        actor=actor, action="customer.sign_in_disconnected", target=customer,
        before={"provider": account.provider},
    )  # fmt: skip
    account.delete()


def refuse_staff(user: User) -> None:
    if user.is_superuser or StaffMember.objects.filter(user=user).exists():
        raise ConflictError(_("Staff sign in with their password or a code."), code="staff_sign_in")


def _join(proof: Proof, user: User, customer: Customer) -> None:
    _found, created = SocialAccount.objects.get_or_create(
        provider=proof.provider, uid=proof.subject,
        defaults={"user": user, "extra_data": {"email": proof.email}},
    )  # fmt: skip
    if created:
        record_audit(
            actor=Actor.of_user(user), action="customer.sign_in_connected", target=customer,
            after={"provider": proof.provider},
        )  # fmt: skip


def _account(proof: Proof) -> SocialAccount | None:
    return (
        SocialAccount.objects.select_related("user")
        .filter(provider=proof.provider, uid=proof.subject)
        .first()
    )


def _records(customer: Customer) -> list[int]:
    merged = Customer.objects.filter(merged_into=customer.pk).values_list("pk", flat=True)
    return [customer.pk, *merged]
