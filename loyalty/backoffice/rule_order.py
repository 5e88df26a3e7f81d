"""The rules of a program in their order of evaluation, and how somebody puts them in another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from django_htmx.http import trigger_client_event

from loyalty.backoffice.rule_links import rules_url
from loyalty.backoffice.rule_templates import kind_label
from loyalty.discount_words import describe_beside_others
from loyalty.models import Program
from loyalty.rule_words import describe_kind, describe_when
from loyalty.rules.bodies import EarningBody, MultiplierBody, RuleBody, WindowedBody
from loyalty.rules.discount_bodies import DiscountBody
from loyalty.selectors.rules import ENDED, RuleRow, rule_rows
from loyalty.services.rules import order_rules
from members.errors import ConflictError, DomainError
from members.formatting import format_number
from members.policy import acting, staff_view
from members.responses import is_htmx


@dataclass(frozen=True, slots=True)
class ShownRule:
    """A rule in a list: its sentence, and what is the case with it. `number`: its place among
    those of its stage, from 1, of `last`."""

    row: RuleRow
    sentence: str
    more: list[str]
    kind: str
    number: int = 0
    last: int = 0

    @property
    def code(self) -> str:
        return self.row.rule.code

    @property
    def state(self) -> str:
        return self.row.state


@dataclass(frozen=True, slots=True)
class RuleGroup:
    """Rules that are evaluated together."""

    title: str
    text: str
    icon: str
    rules: list[ShownRule]

    @property
    def seen(self) -> str:
        """The order that somebody looks at, to tell whether it is another meanwhile."""
        return " ".join(rule.code for rule in self.rules)


def rule_groups(rows: Iterable[RuleRow]) -> list[RuleGroup]:
    """The stages of an evaluation, with the rules of each in order; without those that are over."""
    stages: dict[str, list[ShownRule]] = {}
    for row in rows:
        if row.state != ENDED:
            stages.setdefault(_stage(row.body), []).append(shown_rule(row))
    words = {
        "discounts": (_("Before all: what members pay less"), "tag",
                      _("Discounts are off the price, told in quotes. What is left to pay earns.")),
        "base": (_("First: what an order earns"), "coins",
                 _("Rates, cashback, fixed awards and bonuses, one after the other.")),
        "multipliers": (_("Then: what multiplies it"), "trending-up",
                        _("Multipliers change what rates and cashback give.")),
        "windows": (_("Besides: what several orders earn together"), "calendar-repeat",
                    _("Cards, streaks, N-th purchases and bonuses of a period. They are judged by"
                      " themselves and are never multiplied.")),
        "grants": (_("Apart from orders: what people do, and days of the year"), "confetti",
                   _("Activities, birthdays and anniversaries. They are judged by themselves,"
                     " too.")),
    }  # fmt: skip
    return [
        RuleGroup(title, text, icon, _numbered(stages[stage]))
        for stage, (title, icon, text) in words.items()
        if stage in stages
    ]


def _stage(body: RuleBody) -> str:
    if isinstance(body, MultiplierBody):
        return "multipliers"
    if isinstance(body, WindowedBody) and body.windowed:
        return "windows"
    if isinstance(body, DiscountBody):
        return "discounts"
    return "base" if isinstance(body, EarningBody) else "grants"


def _numbered(rules: Sequence[ShownRule]) -> list[ShownRule]:
    return [
        replace(rule, number=number, last=len(rules)) for number, rule in enumerate(rules, start=1)
    ]


def shown_rule(row: RuleRow) -> ShownRule:
    body, rule = row.body, row.rule
    more = list(describe_when(body))
    if isinstance(body, EarningBody) and body.group:
        more.append(_("Group “%s”: only the one that gives most counts.") % body.group)
    if isinstance(body, EarningBody) and body.stops:
        more.append(_("Later rules for the same units give nothing where this one does."))
    if isinstance(body, DiscountBody):
        more += describe_beside_others(body)
    sentence = describe_kind(body, rule.wallet_type, rule.program.currency)
    return ShownRule(row, sentence, more, str(kind_label(body.kind)))


@require_POST
@staff_view("rules.draft")
def rule_order(request: HttpRequest, code: str) -> HttpResponse:
    """One rule to another place among those of its stage: one up or down (`way`), or where it was
    dragged to (`place`, from 0)."""
    program = get_object_or_404(Program, code=code)
    moving, said = request.POST.get("rule", ""), ""
    try:
        wanted = _moved(request, program, moving)
        if wanted is not None:
            order_rules(program=program, codes=wanted, actor=acting(request), now=timezone.now())
            said = _place_in_words(program, moving)
    except DomainError as error:
        if not is_htmx(request):
            messages.error(request, str(error.message))
        return _answer(request, program, refused=str(error.message))
    return _answer(request, program, moved=moving, said=said)


def _answer(
    request: HttpRequest, program: Program, *, moved: str = "", said: str = "", refused: str = ""
) -> HttpResponse:
    """The list as it is now; the button that was pressed keeps the focus."""
    if not is_htmx(request):
        return redirect(rules_url(program))
    context = {
        "program": program,
        "groups": rule_groups(rule_rows(program, timezone.now())),
        "may_draft": True,
        "moved": moved,
        "way": request.POST.get("way", ""),
        "said": said,
    }
    response = render(request, "loyalty/backoffice/rule_groups.html", context)
    if refused:
        toast = {"items": [{"level": "error", "text": refused}]}
        trigger_client_event(response, "setia:toast", toast)
    return response


def _moved(request: HttpRequest, program: Program, moving: str) -> list[str] | None:
    """The whole order after the step; None where there is no place to go to. Raises
    ConflictError, if the order is not the one that somebody looked at."""
    rows = rule_rows(program, timezone.now())
    group = _group_of(rows, moving)
    if group is None:
        return None
    if request.POST.get("seen", group.seen) != group.seen:
        raise ConflictError(
            _("The rules have changed meanwhile. Look at the list again."), code="changed_meanwhile"
        )
    before = [rule.code for rule in group.rules]
    place = _wanted_place(request, before.index(moving))
    if place is None or not 0 <= place < len(before):
        return None
    after = [code for code in before if code != moving]
    after.insert(place, moving)
    # The places of the stage among those of all rules stay; its rules take them in the new order.
    theirs = iter(after)
    return [next(theirs) if row.rule.code in before else row.rule.code for row in rows]


def _wanted_place(request: HttpRequest, place: int) -> int | None:
    way, dragged_to = request.POST.get("way", ""), request.POST.get("place", "")
    if dragged_to.isascii() and dragged_to.isdigit():
        return int(dragged_to[:4])
    return {"up": place - 1, "down": place + 1}.get(way)


def _group_of(rows: Sequence[RuleRow], code: str) -> RuleGroup | None:
    return next(
        (group for group in rule_groups(rows) if code in {rule.code for rule in group.rules}), None
    )


def _place_in_words(program: Program, code: str) -> str:
    """Read out after the step."""
    group = _group_of(rule_rows(program, timezone.now()), code)
    assert group is not None
    rule = next(rule for rule in group.rules if rule.code == code)
    return _("“%(rule)s” is number %(number)s of %(last)s now.") % {
        "rule": rule.row.rule.name,
        "number": format_number(rule.number),
        "last": format_number(rule.last),
    }
