"""What each step of the wizard asks with, and what it shows beside the questions."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from django.db.models import Q

from loyalty.backoffice import wizard_figures as figures
from loyalty.backoffice.wizard_forms import (
    BaseForm,
    CostForm,
    KindForm,
    LaunchForm,
    QuestionsForm,
    SituationForm,
    StepForm,
    beside,
)
from loyalty.backoffice.wizard_steps import RARELY, STARTERS, Step, questions_of
from loyalty.backoffice.wizard_words import phases_in_words, summary_of
from loyalty.definitions import ProgramDefinition
from loyalty.drafted_programs import (
    currency_of,
    drafted_program,
    estimates_of,
    first_reward,
    margin_of,
    plan_share_of,
    template_of,
)
from loyalty.kind_advice import Advice, advise
from loyalty.kind_table import KINDS
from loyalty.models import Order, Program, ProgramDraft
from loyalty.program_templates.kinds import ProgramTemplate
from loyalty.program_templates.registry import TEMPLATES, template_named
from loyalty.projection_figures import Projection
from loyalty.selectors.launches import preview_phases
from loyalty.selectors.order_history import spend_spread
from loyalty.selectors.program_terms import ProgramTermsPage, terms_of
from loyalty.services.program_starts import create_program, suggest_code, with_new_types
from loyalty.services.projections import History, history_of, project
from loyalty.services.rehearsals import rehearse
from loyalty.shop_figures import Shop
from loyalty.suggested_answers import suggest
from members.choices import currencies
from members.errors import DomainError
from members.models import Customer
from members.services.audit import Actor

# Counting goes no further: beyond it "more than" is as good an answer.
COUNTED = 100_000
USED = Decimal(80)
# So many kinds are shown at once, the best first; the others on demand.
BEST = 6
# Shares of the customers that the step of the launch counts.
SHARES = (5, 10, 20, 50)


def history_for(draft: ProgramDraft, now: dt.datetime) -> History:
    return history_of(currency_of(draft), now, estimates_of(draft))


def form_of(draft: ProgramDraft, step: Step, data: Any, now: dt.datetime) -> StepForm | None:
    """The form of a step; None: it asks nothing."""
    match step.code:
        case "situation":
            estimated = history_of(_currency_in(data, draft), now).period is None
            return SituationForm(data, draft=draft, estimated=estimated)
        case "kind":
            return KindForm(data, draft=draft, templates=TEMPLATES, suggested=_best(draft, now))
        case "what":
            return KindForm(data, draft=draft, templates=_starters(), suggested=STARTERS[0],
                            with_name=True)  # fmt: skip
        case "base":
            return BaseForm(data, draft=draft)
        case "cost":
            template = template_of(draft)
            plans = template is not None and "plan_price" in template.asks
            return CostForm(data, draft=draft, plans=plans)
        case "launch":
            return LaunchForm(data, draft=draft)
        case "terms" | "review":
            return None
    return QuestionsForm(data, draft=draft, asked=questions_of(step, draft, currency_of(draft)))


def _currency_in(data: Any, draft: ProgramDraft) -> str:
    """What was chosen just now: in another currency there may be no orders."""
    chosen = str(data.get("currency", "")) if data else ""
    return chosen if chosen in dict(currencies()) else currency_of(draft)


def suggestions(draft: ProgramDraft, template: str, now: dt.datetime) -> dict[str, Any]:
    """Answers that fit the shop's figures, to begin with."""
    found, history = template_named(template), history_for(draft, now)
    if found is None:
        return {}
    spread = spend_spread(history.period) if history.period else None
    return suggest(found, history.habits, margin_of(draft), spread)


def as_answered(draft: ProgramDraft, form: StepForm) -> ProgramDraft:
    """The draft with the answers of a form that is not saved."""
    found = copy.copy(draft)
    if form.part == "template":
        if form.cleaned_data["template"] != draft.template:
            found.answers, found.base = {}, {}
        found.template = form.cleaned_data["template"]
        name = form.cleaned_data.get("program_name")
        found.answers = {**found.answers, **({"program_name": name} if name else {})}
        return found
    setattr(found, form.part, {**getattr(draft, form.part), **form.kept()})
    return found


def asked_context(
    draft: ProgramDraft, step: Step, form: StepForm | None, now: dt.datetime
) -> dict[str, Any]:
    """The questions as the template draws them."""
    currency = currency_of(draft)
    if not isinstance(form, QuestionsForm):
        return {"currency": currency, "may_backtest": _may_backtest(draft, step, now)}
    asked_here = form["unit_plural"].value() if "unit_plural" in form.fields else ""
    plural = str(draft.answers.get("unit_plural") or asked_here or "")
    shown = [
        (form[item.name], beside(item, currency, plural), form.rows(currency).get(item.name),
         item.name)
        for item in form.asked
    ]  # fmt: skip
    return {
        "currency": currency,
        "questions": [row for row in shown if row[3] not in RARELY],
        "rare_questions": [row for row in shown if row[3] in RARELY],
        "rare_errors": any(row[0].errors for row in shown if row[3] in RARELY),
    }


def _may_backtest(draft: ProgramDraft, step: Step, now: dt.datetime) -> bool:
    """A backtest replays rules that award units for orders there are."""
    template = template_of(draft)
    if step.code != "cost" or template is None or template.family in ("discount", "plan"):
        return False
    return history_of(currency_of(draft), now).period is not None


def side_context(draft: ProgramDraft) -> dict[str, Any]:
    """The program in a few sentences; none as long as it cannot be one."""
    if template_of(draft) is None:
        return {"said": []}
    try:
        definition = drafted_program(draft)
    except DomainError:
        return {"said": [], "incomplete": True}
    return {"said": summary_of(definition), "program_name": definition.name}


def figures_context(
    draft: ProgramDraft, step: Step, actor: Actor, now: dt.datetime, *, whole: bool
) -> dict[str, Any]:
    """What a step shows of the merchant's own figures; `whole`: with those that look at every
    customer or order, for which a page asks once it is there. Raises DomainError where the answers
    make no program."""
    shown = [_SHOWN[step.code]] if step.code in _SHOWN else []
    if whole and step.code in _LATER:
        shown.append(_LATER[step.code])
    found: dict[str, Any] = {"whole": whole}
    for show in shown:
        found |= show(draft, actor, now)
    return found


def has_figures(step: Step) -> bool:
    """Whether they change with the answers, and so are loaded after the page."""
    return step.code in _LOADED


def _best(draft: ProgramDraft, now: dt.datetime) -> str:
    advice = _advice(draft, history_for(draft, now))
    return str(advice[0].kind.code)


def _advice(draft: ProgramDraft, history: History) -> list[Advice]:
    simplicity = draft.situation.get("simplicity", "balanced")
    customers = draft.situation.get("customers", "people")
    return advise(Shop.of(history.habits, margin_of(draft), simplicity, customers))


def _starters() -> list[ProgramTemplate]:
    return [item for item in TEMPLATES if item.code in STARTERS]


def _situation(draft: ProgramDraft, actor: Actor, now: dt.datetime) -> dict[str, Any]:
    history = history_of(currency_of(draft), now)
    return {
        "habits": history.habits,
        "figures": figures.habit_figures(history.habits) if history.period else [],
        "period_words": figures.period_words(history) if history.period else "",
        "categories": history.habits.categories,
    }


def _kind(draft: ProgramDraft, actor: Actor, now: dt.datetime) -> dict[str, Any]:
    advice = _advice(draft, history_for(draft, now))
    shown = [(item, template_named(item.kind.code)) for item in advice]
    return {"advice": shown[:BEST], "others": shown[BEST:], "kinds": KINDS}


def _what(draft: ProgramDraft, actor: Actor, now: dt.datetime) -> dict[str, Any]:
    return {"starters": _starters()}


def _projection(
    draft: ProgramDraft, now: dt.datetime
) -> tuple[ProgramDefinition, History, Projection]:
    definition, history = drafted_program(draft), history_for(draft, now)
    reward = first_reward(definition)
    return definition, history, _projected(draft, definition, history, reward, now)


def _projected(
    draft: ProgramDraft, definition: ProgramDefinition, history: History, reward: Decimal | None,
    now: dt.datetime,
) -> Projection:  # fmt: skip
    share = plan_share_of(draft)
    return project(definition, history, reward_units=reward, now=now, plan_share=share)


def _used(draft: ProgramDraft) -> Decimal:
    return Decimal(draft.situation.get("used", USED)) / 100


def _earning(draft: ProgramDraft, actor: Actor, now: dt.datetime) -> dict[str, Any]:
    definition, history, found = _projection(draft, now)
    if history.habits.is_empty:
        return {"no_history": True}
    collects = first_reward(definition) is not None
    kind, hint = figures.reward_hint(found) if collects else ("", "")
    return {
        "chart": figures.reward_chart(found) if collects else None,
        "chart_words": figures.reward_words(found) if collects else "",
        "hint_kind": kind,
        "hint": hint,
        **_costs(draft, history, found),
    }


def _costs(draft: ProgramDraft, history: History, found: Any) -> dict[str, Any]:
    currency, margin = currency_of(draft), margin_of(draft)
    return {
        "figures": figures.cost_figures(found, currency, margin, _used(draft)),
        "period_words": figures.period_words(history),
        "sample_words": " ".join([figures.sample_words(found), *figures.plan_words(found)]),
    }


def _tiers(draft: ProgramDraft, actor: Actor, now: dt.datetime) -> dict[str, Any]:
    definition, history, found = _projection(draft, now)
    if history.habits.is_empty:
        return {"no_history": True}
    return {
        "program": Program(currency=definition.currency),
        "tier_cost": figures.money_words(found.from_tiers, currency_of(draft)),
        "tier_rows": figures.tier_rows(found),
        "period_words": figures.period_words(history),
        "sample_words": figures.sample_words(found),
        **figures.ladder_context(definition, history, draft),
    }


def _cost(draft: ProgramDraft, actor: Actor, now: dt.datetime) -> dict[str, Any]:
    _definition, history, found = _projection(draft, now)
    if history.habits.is_empty:
        return {"no_history": True}
    kind, hint = figures.cost_hint(found, margin_of(draft))
    return {
        "chart": figures.margin_chart(found, currency_of(draft), margin_of(draft)),
        "hint_kind": kind,
        "hint": hint,
        "rows": figures.cost_rows(found, currency_of(draft)),
        "tier_rows": figures.tier_rows(found),
        **_costs(draft, history, found),
    }


def _terms(draft: ProgramDraft, actor: Actor, now: dt.datetime) -> dict[str, Any]:
    """The public page's own words: the program is made, read, and undone again."""
    code = suggest_code(draft.name or "program")
    definition = drafted_program(draft, code=code).model_copy(update={"status": "live"})

    def read() -> ProgramTermsPage:
        program = create_program(definition=with_new_types(definition), actor=actor, now=now)
        return terms_of(program, now)

    found, _wallets = rehearse(read, wallets=(), now=now)
    return {"terms": found, "program": Program(name=definition.name, time_zone=definition.time_zone,
                                               description=definition.description)}  # fmt: skip


def _launch(draft: ProgramDraft, actor: Actor, now: dt.datetime) -> dict[str, Any]:
    """How many are among the best customers, as phases take them in."""
    found = zip(SHARES, preview_phases(SHARES), strict=True)
    return {"shares": [(percent, item) for percent, item in found if item.customers]}


def _review(draft: ProgramDraft, actor: Actor, now: dt.datetime) -> dict[str, Any]:
    definition = drafted_program(draft)
    orders = Order.objects.filter(currency=definition.currency).order_by()
    customers = Customer.objects.filter(Q(merged_into=None)).order_by()
    return {
        "definition": definition,
        "starter": draft.mode == ProgramDraft.Mode.STARTER,
        "orders": orders[: COUNTED + 1].count(),
        "customers": customers[: COUNTED + 1].count(),
        "counted": COUNTED,
        "said": summary_of(definition),
    }


def _review_whole(draft: ProgramDraft, actor: Actor, now: dt.datetime) -> dict[str, Any]:
    """Whom the phases take in, and what the program would have cost in the last year."""
    definition, history, found = _projection(draft, now)
    costs = {} if history.habits.is_empty else _costs(draft, history, found)
    return {"phases": phases_in_words(definition.launch), **costs}


Shower = Callable[[ProgramDraft, Actor, dt.datetime], dict[str, Any]]
_LOADED = frozenset(
    {"earning", "rate", "reward", "expiry", "plan", "companies", "tiers", "base", "cost"}
)
_SHOWN: Mapping[str, Shower] = {
    "situation": _situation,
    "kind": _kind,
    "what": _what,
    "rate": _earning,
    "reward": _earning,
    "earning": _earning,
    "expiry": _earning,
    "plan": _earning,
    "companies": _earning,
    "base": _earning,
    "tiers": _tiers,
    "cost": _cost,
    "terms": _terms,
    "review": _review,
}
_LATER: Mapping[str, Shower] = {"launch": _launch, "review": _review_whole}
