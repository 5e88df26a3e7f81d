"""What pages ask about signing in."""

from __future__ import annotations

from allauth.socialaccount.models import SocialAccount
from django import template
from django.template import Context

from members.account.second_factor import lacks_second_factor
from members.models import Customer, SignInProvider
from members.selectors.sign_in_providers import accounts_of, offered_providers

register = template.Library()


@register.simple_tag
def offered_sign_ins() -> list[SignInProvider]:
    """Where else customers may sign in."""
    return offered_providers()


@register.simple_tag(takes_context=True)
def second_factor_missing(context: Context) -> bool:
    """Whether the reader's role needs a second factor and they have none."""
    return lacks_second_factor(context["request"])


@register.simple_tag
def sign_ins_left(elsewhere: list[tuple[str, SocialAccount]]) -> list[SignInProvider]:
    """With which others somebody with these accounts could sign in besides."""
    used = {account.provider for _name, account in elsewhere}
    return [item for item in offered_providers() if item.code not in used]


@register.simple_tag
def sign_ins_of(customer: Customer) -> list[tuple[str, SocialAccount]]:
    """By which accounts elsewhere a customer signs in."""
    return accounts_of(customer)
