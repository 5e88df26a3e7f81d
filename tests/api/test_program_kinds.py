"""Every kind of program from the wizard to the account page: answered step by step with the answers
of its template and taken live, a basket quoted, an order earned, and what the member then reads.
Quotes and orders agree. The same kinds from the gallery: `test_definitions_of_kinds`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from loyalty.drafted_programs import drafted_program
from loyalty.models import Membership, Program, ProgramDraft
from loyalty.program_templates.kinds import ProgramTemplate, build, read_answers
from loyalty.program_templates.registry import TEMPLATES, template_named
from loyalty.services.program_drafts import begin_draft, keep_in_draft
from members.models import Customer, User
from members.services.outbox import deliver_waiting
from tests.api.conftest import ApiClient, assert_problem
from tests.loyalty.account.reading import text_of
from tests.loyalty.backoffice.wizard import (
    at,
    begin,
    come_to,
    fields,
    go_on,
    sent,
    sent_of,
    typed,
)


@dataclass(frozen=True)
class Basket:
    """What is bought, and what the template's defaults give for it."""

    total: str
    units: str = "0"
    off: str = "0.00"
    category: str = "Goods"
    quantity: str = "1"


@dataclass(frozen=True)
class Case:
    baskets: tuple[Basket, ...]
    # What the account page says then, and what it does not say.
    reads: tuple[str, ...]
    never: tuple[str, ...] = ()
    activity: str = ""
    # What the buyer is before they buy: has the plan of this code, or buys for a company.
    plan: str = ""
    company: bool = False
    # What other pages say then, by their addresses.
    pages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


TABLE = {
    "points": Case(
        (Basket("49.90", "49"),),
        ("49 points", "You can use them from 100 points on: 51 points more."),
    ),
    "stars": Case(
        (Basket("45.00", "4"),),
        ("4 stars", "You can use them from 10 stars on: 6 stars more."),
    ),
    "tiered-points": Case(
        (Basket("600.00", "600"), Basket("100.00", "125")), ("725 points", "Silver"),
    ),
    "gifts": Case(
        (Basket("120.00", "120"),),
        ("120 points", "You can use 100 points now, in steps of 50 points."),
    ),
    "charity": Case((Basket("150.00", "150"),), ("150 hearts", "Worth $3.00", "Give")),
    "stamps-visit": Case(
        (*(Basket("5.00") for _number in range(9)), Basket("5.00", "1"), Basket("5.00")),
        ("1 free item", "1 of 10 stamps", "9 more bring 1 free item."),
    ),
    "stamps-item": Case(
        (Basket("60.00", "2", quantity="20"),), ("2 free items", "2 of 9 stamps"),
    ),
    "stamps-amount": Case(
        (Basket("125.00", "1"),), ("1 free item", "2 of 10 stamps", "A stamp for each $10.00."),
    ),
    "cashback": Case((Basket("200.00", "10"),), ("10 cashback on the way",)),
    "cashback-by-category": Case(
        (Basket("100.00", "5", category="Accessories"), Basket("200.00", "2")),
        ("7 cashback on the way",),
    ),
    "cashback-by-spend": Case(
        (Basket("400.00", "4"), Basket("300.00", "7")), (
            "11 cashback on the way", "You get 3% back",
            "After $800.00 more this year you get 5% back of what follows.",
        ),
    ),
    "discount-card": Case(
        (Basket("100.00", off="5.00"),), ("Discount card", "You get 5% off"), ("0 points",),
    ),
    "discount-by-order": Case(
        (Basket("50.00"), Basket("60.00", off="3.00"), Basket("120.00", off="12.00")),
        ("5% above $50.00, 10% above $100.00",),
        ("0 points",),
    ),
    "discount-by-purchase": Case(
        (
            Basket("5000.00", off="250.00"), Basket("5000.10", off="500.01"),
            Basket("10000.00", off="1000.00"), Basket("20000.00", off="3000.00"),
        ),
        ("5%, 10% above $5,000.00, 15% above $10,000.00",),
        ("0 points",),
    ),
    "progressive-card": Case(
        (Basket("600.00", off="18.00"), Basket("100.00", off="5.00")),
        ("You get 5% off", "Spend more than $823.00 more to get 10% off."),
        ("0 points",),
    ),
    "cashback-tiers": Case(
        (Basket("600.00", "12"), Basket("100.00", "3")), ("15 cashback on the way", "Silver"),
    ),
    "paid-membership": Case(
        (Basket("100.00", off="10.00"),), ("Plus", "$49.00 a year"), ("0 credit",), plan="plus",
    ),
    "plan-credits": Case(
        (Basket("100.00", off="5.00"),), ("Monthly", "24 credit"), plan="monthly",
    ),
    "points-plan": Case(
        (Basket("49.90", "99"),), ("99 points", "Plus", "$4.90 a month"), plan="plus",
    ),
    "companies": Case(
        (
            Basket("200.00", "200", quantity="99"),
            Basket("200.00", "190", off="10.00", quantity="100"),
        ),
        ("Hart Supplies", "390 points"), company=True,
    ),
    "companies-by-spend": Case(
        (Basket("3000.00", "3000"), Basket("100.00", "98", off="2.00")),
        ("Hart Supplies", "3,098 points"), company=True,
    ),
    "points-actions": Case((Basket("50.00", "100"),), ("120 points",), activity="review"),
    "pledge": Case(
        (Basket("50.00", "50"), Basket("30.00", "30")), ("80 leaves",),
        pages={"/me/giving/": ("A charity of your choice", "1 tree for each order.", "2 trees")},
    ),
    "games": Case(
        (Basket("50.00", "50"),), ("50 points", "Spin and win"),
        pages={"/me/games/": ("Spin and win", "1 play")},
    ),
    "referrals": Case(
        (Basket("50.00", "50"),), ("50 points",),
        pages={"/me/invite/": ("10% of the first purchase in points", "100 points")},
    ),
    "coalition": Case(
        (Basket("50.00", "50"),), ("50 points",),
        pages={"/programs/corner-club/terms/": ("Our partners", "A partner of your choice")},
    ),
    "experiences": Case(
        (Basket("600.00", "700"),), ("700 points", "Insider"),
        pages={
            "/me/events/": ("Members’ evening", "In our shop"),
            "/me/rewards/": ("A look behind the scenes", "500 points"),
        },
    ),
}  # fmt: skip


@pytest.fixture
def buyer(customer: Customer) -> Client:
    customer.user = User.objects.create_user(customer.email)
    customer.save()
    client = Client()
    client.force_login(customer.user, "django.contrib.auth.backends.ModelBackend")
    return client


def plain(value: Any) -> str:
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


def fields_of(start: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What the template answers, by the names of the fields that ask for it."""
    for name, value in start.items():
        if isinstance(value, tuple):
            rows = (row for row in value if isinstance(row, Mapping))
            for number, row in enumerate(rows):
                for part, cell in row.items():
                    yield f"{name}-{number}-{part}", plain(cell)
        elif value is not None:
            yield name, plain(value)


def launch(manager: Client, template: ProgramTemplate) -> Program:
    """Step by step, and live: what the template's own answers build. What members would read, and
    what is confirmed, as pages."""
    draft = begin(manager, "full")
    go_on(draft, margin="40", buyers="200", orders_each="4", basket="50")
    go_on(draft, template=template.code)
    answers = dict(fields_of(template.start("USD"))) | {"program_name": "Corner Club"}
    assert manager.get(come_to(draft, "terms", **answers)).status_code == 200
    place = come_to(draft, "review", status="live")
    done = sent(manager, place, fields(manager, place))
    assert done == reverse("loyalty_backoffice:program_page", args=["corner-club"])
    program = Program.objects.get()
    assert program.status == "live"
    return program


def assert_as_in_the_gallery(template: ProgramTemplate) -> None:
    """What the wizard made of the template's answers is what the gallery makes of them."""
    given = {"program_name": "Corner Club", "code": "corner-club", "currency": "USD"}
    said = build(template, read_answers(template, given)).model_copy(update={"status": "live"})
    assert drafted_program(ProgramDraft.objects.get(), code="corner-club") == said


def prepare(api: ApiClient, case: Case, program: Program) -> str:
    """The buyer joins, and takes the plan that is paid for by hand, or founds a company: where its
    wallet is then."""
    if not (case.plan or case.company):
        return ""
    joins = {"program": program.code, "customer": {"external_id": "C-1"}}
    joined = api.post("/memberships", joins)
    assert joined.status_code == 201, joined.content
    member = joined.json()["id"]
    if case.company:
        made = api.post("/companies", {"owner": member, "name": "Hart Supplies"})
        assert made.status_code == 201, made.content
        assert made.json()["most_at_once"] == 2000
        return f"/pools/{made.json()['id']}"
    if case.plan:
        address = f"/memberships/{member}/subscriptions"
        taken = api.post(address, {"plan": case.plan}, Idempotency_Key="plan")
        assert taken.status_code == 201, taken.content
        for invoice in taken.json()["invoices"]:
            paid = api.post(f"/invoices/{invoice['id']}/payment", {}, Idempotency_Key=invoice["id"])
            assert paid.status_code == 200, paid.content
    return ""


def held(api: ApiClient, pool: str) -> Decimal:
    """What the buyer has, or their company, spendable or not."""
    membership = Membership.objects.first()
    if membership is None:
        return Decimal(0)
    whose = pool or f"/memberships/{membership.public_id}"
    found = api.get(f"{whose}/balances").json()["balances"]
    return sum((Decimal(item["spendable"]) + Decimal(item["pending"]) for item in found), Decimal())


def buy(api: ApiClient, basket: Basket, number: int, pool: str = "") -> None:
    """Ask what it costs and earns, pay that, and find the same."""
    line: dict[str, Any] = {
        "sku": "X", "category": basket.category, "quantity": basket.quantity, "total": basket.total,
    }  # fmt: skip
    body: dict[str, Any] = {
        "placed_at": timezone.now().isoformat(), "currency": "USD", "total": basket.total,
        "customer": {"external_id": "C-1"}, "lines": [line],
    }  # fmt: skip
    [quote] = api.post("/quotes", body).json()["programs"]
    [rule] = [item["rule"] for item in quote["discounts"]] or [""]
    assert quote["discount"] == basket.off
    quoted = sum((Decimal(item["units"]) for item in quote["totals"]), Decimal())
    assert quoted == Decimal(basket.units)
    if quote["discounted"]:
        [reduced] = quote["discounted"]["lines"]
        told = {"program": quote["program"], "rule": rule, "amount": quote["discount"]}
        body |= {
            "total": quote["discounted"]["total"],
            "lines": [line | {"total": reduced["total"], "discount": reduced["discount"]}],
            "discounts": [told],
        }
    before = held(api, pool)
    made = api.post("/orders", body | {"source": "shop", "external_id": f"A-{number}"})
    assert made.status_code == 201, made.content
    assert held(api, pool) - before == quoted


def do_something(api: ApiClient, activity: str) -> None:
    """Besides buying."""
    done = {
        "type": activity, "source": "shop", "external_id": "1",
        "customer": {"external_id": "C-1"}, "occurred_at": timezone.now().isoformat(),
    }  # fmt: skip
    assert api.post("/activities", done).status_code == 201


def assert_is_read(case: Case, read: Callable[[str], str]) -> None:
    """What is said on the account page, and once what follows an order was done on the others."""
    text = read("/me/")
    for words in case.reads:
        assert words in text, text
    for words in case.never:
        assert words not in text
    while deliver_waiting():
        pass
    for address, found in case.pages.items():
        text = read(address)
        for words in found:
            assert words in text, text


def test_every_template_is_in_the_table() -> None:
    assert set(TABLE) == {template.code for template in TEMPLATES}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda item: item.code)
def test_a_kind_from_the_wizard_to_the_account_page(
    template: ProgramTemplate, manager: Client, buyer: Client, api: ApiClient
) -> None:
    case, program = TABLE[template.code], launch(manager, template)
    assert_as_in_the_gallery(template)
    pool = prepare(api, case, program)
    for number, basket in enumerate(case.baskets):
        buy(api, basket, number, pool)
    if case.activity:
        do_something(api, case.activity)
    assert_is_read(case, lambda address: text_of(buyer, address))
    assert buyer.get(reverse("programs:terms", args=["corner-club"])).status_code == 200


def draft_of(kind: str) -> ProgramDraft:
    """With the template's answers, and all its steps open."""
    now, template = timezone.now(), template_named(kind)
    assert template is not None
    owner = User.objects.get(staff_member__role="marketing_manager")
    draft = begin_draft(owner=owner, mode=ProgramDraft.Mode.FULL, step="situation", now=now)
    estimates = {"margin": "40", "buyers": "200", "orders_each": "4", "basket": "50"}
    start = template.start("USD")
    answers = {name: value for name, value in start.items() if name in template.asks}
    return keep_in_draft(
        draft=draft, now=now, template=kind, reached=lambda _draft: "review",
        parts={"situation": estimates, "answers": answers | {"program_name": "Corner Club"}},
    )  # fmt: skip


# A step with rows, and what is typed into the first that is empty.
ROWS = [
    ("games", "game", "prizes", {"units": "500", "percent": "0.5"}),
    ("coalition", "partners", "partners", {"name": "Bakery", "issued": "0.02", "taken_in": "0.01"}),
    ("discount-by-order", "earning", "brackets", {"above": "900", "percent": "15"}),
    ("cashback-by-category", "earning", "categories", {"category": "Tea", "percent": "3"}),
    ("experiences", "tiers", "tiers", {"name": "Patron", "threshold": "9000", "factor": "2"}),
]


@pytest.mark.parametrize(("kind", "step", "name", "said"), ROWS, ids=[row[0] for row in ROWS])
def test_a_row_is_added_where_there_is_none_yet(
    kind: str, step: str, name: str, said: dict[str, str], manager: Client
) -> None:
    draft = draft_of(kind)
    before = draft.answers[name]
    shown = manager.get(at(draft, step)).content.decode()
    typing = {f"{name}-{len(before)}-{part}": text for part, text in said.items()}
    assert set(typing) <= typed(shown)
    sent(manager, at(draft, step), {**sent_of(shown), **typing})
    draft.refresh_from_db()
    *kept, added = draft.answers[name]
    assert len(kept) == len(before)
    assert {part: str(added[part]) for part in said} == said


def test_the_gallery_shows_every_kind_with_what_it_gives(manager: Client) -> None:
    page = manager.get(reverse("loyalty_backoffice:template_gallery"))
    text = page.content.decode()
    for template in TEMPLATES:
        assert reverse("loyalty_backoffice:template_page", args=[template.code]) in text
        assert str(template.summary).replace("'", "&#x27;") in text
    assert "10 stamps fill a card" in text


def test_a_taken_short_name_is_refused_where_it_was_typed(manager: Client) -> None:
    address = reverse("loyalty_backoffice:template_page", args=["stars"])
    said = {"program_name": "Corner Club", "currency": "USD", "time_zone": "UTC"}
    assert manager.post(address, said).status_code == 302
    another = said | {"program_name": "Another", "code": "corner-club"}
    page = manager.post(address, another)
    assert page.status_code == 422
    assert page.context["form"].errors["code"] == ["Another program has this short name."]
    assert Program.objects.get().name == "Corner Club"


def test_templates_are_listed_with_what_they_ask(
    api: ApiClient, outsider: ApiClient, key_with: Callable[..., ApiClient]
) -> None:
    shown = api.get("/program-templates?currency=JPY").json()
    assert [item["code"] for item in shown["results"]] == [item.code for item in TEMPLATES]
    stars = next(item for item in shown["results"] if item["code"] == "stars")
    asked = {question["name"]: question for question in stars["questions"]}
    assert (asked["earn_per"]["default"], asked["earn_per"]["mode"]) == ("1000", "starter")
    assert asked["expiry"]["choices"][0] == {"value": "never", "label": "Never"}
    assert stars["in_words"] == [
        "1\N{NO-BREAK SPACE}star for each ¥1,000 spent.",
        "1\N{NO-BREAK SPACE}star is worth ¥50.",
    ]
    assert_problem(outsider.get("/program-templates"), 401, "unauthorized")
    assert_problem(key_with("orders:read").get("/program-templates"), 403, "insufficient_scope")
    wrong = api.get("/program-templates?currency=yen")
    assert_problem(wrong, 400, "invalid_parameter", "currency")
