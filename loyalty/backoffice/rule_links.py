"""Where the pages of earning rules lead to and come from."""

from __future__ import annotations

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from loyalty.backoffice.links import Crumbs, program_crumbs
from loyalty.models import EarningRule, Program
from loyalty.selectors.rules import get_rule
from members.errors import NotFoundError
from members.navigation import Tab


def rules_url(program: Program) -> str:
    return reverse("loyalty_backoffice:rule_list", args=[program.code])


def rule_url(rule: EarningRule, name: str = "rule_page") -> str:
    return reverse(f"loyalty_backoffice:{name}", args=[rule.program.code, rule.code])


def rules_crumbs(program: Program, rule: EarningRule | None = None) -> Crumbs:
    """From the list of programs down to the rules of one, or to one of them."""
    crumbs = [*program_crumbs(program), (_("Earning rules"), rules_url(program))]
    return [*crumbs, (rule.name, rule_url(rule))] if rule else crumbs


def rule_tabs(program: Program, current: str) -> list[Tab]:
    """The two ways to look at the rules of a program."""
    calendar = reverse("loyalty_backoffice:rule_calendar", args=[program.code])
    return [
        Tab(_("Order of evaluation"), rules_url(program), current=current == "list"),
        Tab(_("Calendar"), calendar, current=current == "calendar"),
    ]


def rule_or_404(code: str, rule: str) -> EarningRule:
    program = get_object_or_404(Program, code=code)
    try:
        return get_rule(program, rule)
    except NotFoundError as error:
        raise Http404 from error
