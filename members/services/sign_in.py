"""How customers come to sign in: with the address under which the merchant knows them."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction

from members.models import Customer, User
from members.selectors.identities import customer_of_email
from members.selectors.merges import current
from members.services.audit import Actor, record_audit


def provide_user(email: str) -> User | None:
    """Return the user of an address, made now if a customer has the address and no user yet.

    The user can do nothing until a code sent to the address has proved who it is.
    """
    email = email.strip().lower()
    user = User.objects.filter(email__iexact=email).first()
    if user is None and email and (customer := customer_of_email(email)):
        user = _create_user(email, customer.display_name)
    if user is not None and not EmailAddress.objects.filter(user=user).exists():
        # Entering the code proves an address that is known here; one that is not would be sent
        # another code for that.
        EmailAddress.objects.get_or_create(user=user, email=user.email, defaults={"primary": True})
    return user


def _create_user(email: str, name: str) -> User:
    try:
        with transaction.atomic():
            return User.objects.create_user(email, name=name[:150])
    except IntegrityError:
        # Two requests for a code at once.
        return User.objects.get(email__iexact=email)


@transaction.atomic
def link_customer(user: User) -> Customer | None:
    """Join a user to the customer with its address, once the address is proved to be the user's.

    The address of a duplicate that was merged leads to the customer it was merged into.
    """
    own = Customer.objects.filter(user=user).select_related("merged_into").first()
    if own is not None:
        return current(own)
    if not EmailAddress.objects.filter(user=user, email__iexact=user.email, verified=True).exists():
        return None
    customer = customer_of_email(user.email)
    if customer is None:
        return None
    linked = Customer.objects.filter(pk=customer.pk, user=None).update(user=user)
    if not linked:
        return None
    customer.user = user
    actor = Actor.of_user(user)
    record_audit(actor=actor, action="customer.signed_in_first", target=customer)
    return current(customer)
