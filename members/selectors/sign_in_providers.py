"""Where else customers may sign in, and by what they do."""

from __future__ import annotations

from allauth.socialaccount.models import SocialAccount
from django.db.models import Count, F, OuterRef, Subquery
from django.db.models.functions import Coalesce

from members.models import Customer, SignInProvider


def offered_providers() -> list[SignInProvider]:
    return list(SignInProvider.objects.filter(is_on=True))


def list_providers() -> list[SignInProvider]:
    """All, each with how many accounts there customers sign in with (`used`)."""
    counted = SocialAccount.objects.filter(provider=OuterRef("code")).order_by().values("provider")
    used = counted.annotate(found=Count("pk")).values("found")
    return list(SignInProvider.objects.annotate(used=Coalesce(Subquery(used), 0)))


def accounts_of(customer: Customer) -> list[tuple[str, SocialAccount]]:
    """The accounts elsewhere by which somebody signs in, under all of their records, each with the
    name of who keeps it."""
    named = SignInProvider.objects.filter(code=OuterRef("provider")).values("name")
    records = Customer.objects.filter(pk=customer.pk) | Customer.objects.filter(
        merged_into=customer.pk
    )
    found = SocialAccount.objects.filter(user__customer__in=records).order_by("pk")
    named_accounts = found.annotate(kept_by=Coalesce(Subquery(named), F("provider")))
    return [(item.kept_by, item) for item in named_accounts]
