"""Where the screens of giving lead to and come from."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _

from loyalty.backoffice.links import Crumbs, program_crumbs
from loyalty.models import Charity, CharityPayout, Program

NAMESPACE = "loyalty_backoffice"


def giving_url(program: Program) -> str:
    return reverse(f"{NAMESPACE}:giving", args=[program.code])


def charity_url(charity: Charity) -> str:
    return reverse(f"{NAMESPACE}:charity", args=[charity.account.program.code, charity.code])


def payout_url(payout: CharityPayout) -> str:
    return reverse(f"{NAMESPACE}:charity_payout", args=[payout.public_id])


def giving_crumbs(program: Program, charity: Charity | None = None) -> Crumbs:
    """From the list of programs down to what is given in one, or to a charity."""
    crumbs = [*program_crumbs(program), (_("Giving"), giving_url(program))]
    return [*crumbs, (charity.account.name, charity_url(charity))] if charity else crumbs
