"""Every recorded reason in plain words, for the member and for staff. No database."""

from typing import Any

import pytest
from django.utils import translation

from loyalty.explanations import Audience, explain_transfer
from loyalty.models import Transfer, Wallet, WalletType
from members.models import User

Kind = Transfer.Kind
BEANS = WalletType(singular="Bean", plural="Beans", scale=0)
CREDIT = WalletType(singular="credit", plural="credits", scale=2)


def make(
    kind: str,
    amount: int = 86,
    *,
    out: bool = False,
    unit: WalletType = BEANS,
    explanation: dict[str, Any] | None = None,
    **values: Any,
) -> Transfer:
    return Transfer(
        kind=kind,
        amount=amount,
        wallet=Wallet(account_id=1),
        wallet_type=unit,
        from_account_id=1 if out else 2,
        to_account_id=2 if out else 1,
        explanation=explanation or {},
        **values,
    )


def read(transfer: Transfer, audience: Audience = "member") -> tuple[str, list[str]]:
    explained = explain_transfer(transfer, audience=audience)
    return explained.title, [step.replace("\xa0", " ") for step in explained.steps]


TITLES = [
    (make(Kind.ACCRUAL, explanation={"order": "4711"}), "Earned with order 4711"),
    (make(Kind.ACCRUAL), "Earned"),
    (make(Kind.REDEMPTION, out=True, explanation={"partner": "Bakery"}), "Spent at Bakery"),
    (
        make(Kind.ACCRUAL, explanation={"order": "4711", "was": 10, "now": 12}),
        "Order 4711 changed and earned more",
    ),
    (
        make(Kind.CLAWBACK, out=True, explanation={"order": "4711", "refund": "R-1"}),
        "Refund of order 4711",
    ),
    (make(Kind.CLAWBACK, out=True, explanation={"refund": "R-1"}), "Refund R-1"),
    (
        make(Kind.CLAWBACK, out=True, explanation={"order": "4711", "was": 10, "now": 4}),
        "Order 4711 changed and earns less",
    ),
    (
        make(Kind.CLAWBACK, out=True, explanation={"order": "4711", "was": 10, "now": 0}),
        "Order 4711 was canceled",
    ),
    (make(Kind.ADJUSTMENT, reason="goodwill"), "Added by our team"),
    (make(Kind.ADJUSTMENT, out=True, reason="fraud"), "Taken off by our team"),
    # A reason of the merchant's own that is coded so, given over the API with an internal note.
    (make(Kind.ADJUSTMENT, reason="game", note="Called twice"), "Added by our team"),
    (make(Kind.ADJUSTMENT, explanation={"game": "Spin"}), "Won in a game: Spin"),
    (make(Kind.ADJUSTMENT, out=True, explanation={"game": "Spin"}), "Taken off by our team"),
    (make(Kind.REVERSAL, reason="goodwill"), "An adjustment was undone"),
    (make(Kind.EXPIRY, out=True), "Expired"),
    (make(Kind.REDEMPTION, out=True), "Redeemed"),
    (make(Kind.REDEMPTION, out=True, explanation={"order": "4711"}), "Paid for order 4711"),
    (make(Kind.REVERSAL, explanation={"undone": "redemption"}), "A redemption was undone"),
    (
        make(Kind.REVERSAL, explanation={"undone": "redemption", "order": "4711"}),
        "What order 4711 was paid with came back",
    ),
    (make(Kind.REINSTATEMENT), "Expired units were brought back"),
    (make(Kind.REINSTATEMENT, explanation={"code": "taken_back"}), "Not expired after all"),
    (make(Kind.WRITE_OFF), "Debt written off"),
    (
        make(Kind.WRITE_OFF, explanation={"code": "beyond_balance", "order": "4711"}),
        "Owed after order 4711 and written off",
    ),
    (make(Kind.SETTLEMENT, out=True), "Used to settle what was owed"),
    (make(Kind.SETTLEMENT), "Debt settled"),
]


@pytest.mark.parametrize(("transfer", "title"), TITLES)
def test_titles_for_members(transfer: Transfer, title: str) -> None:
    assert read(transfer)[0] == title


STEPS = [
    (["eligible", "3", "3"], []),
    (["eligible", "1", "3"], ["Items that earn: 1 of 3."]),
    (["goods", "43.12"], ["Goods that earn: $43.12."]),
    (["quantity", "2.5"], ["Quantity that earns: 2.5."]),
    (["before_discounts", "4"], ["Discounts count as paid: +$4.00."]),
    (["order_discount", "-2.5"], ["Share of the order's discount: −$2.50."]),
    (["tax_out", "-7.1"], ["Tax, which does not earn: −$7.10."]),
    (["tax_in", "7.1"], ["Tax, which earns too: +$7.10."]),
    (["shipping", "5"], ["Shipping, which earns too: +$5.00."]),
    (["paid_in_kind", "-10"], ["Paid with points or gift cards: −$10.00."]),
    (["rate", "2", "1", "money"], ["Rate: 2 Beans for each $1.00."]),
    (["rate", "0.5", "1", "money"], ["Rate: 0.5 Beans for each $1.00."]),
    (["rate", "1", "1", "quantity"], ["Rate: 1 Bean each."]),
    (["rate", "1", "10", "quantity"], ["Rate: 1 Bean for each 10."]),
    (["unheard_of", "1"], []),
]


@pytest.mark.parametrize(("step", "sentences"), STEPS)
def test_steps_of_the_arithmetic(step: list[str], sentences: list[str]) -> None:
    explanation = {"currency": "USD", "steps": [step]}

    assert read(make(Kind.ACCRUAL, explanation=explanation))[1] == sentences


ROUNDED = [
    ("down", "order", "12.90", "25", "That makes, rounded down: 25 Beans."),
    ("nearest", "order", "12.90", "26", "That makes, rounded to the nearest: 26 Beans."),
    ("up", "order", "12.10", "25", "That makes, rounded up: 25 Beans."),
    ("down", "line", "12.90", "24", "That makes, each item rounded down: 24 Beans."),
    ("down", "order", "12.50", "25", "That makes: 25 Beans."),
    ("down", "order", "0.50", "1", "That makes: 1 Bean."),
]


@pytest.mark.parametrize(("mode", "per", "goods", "units", "sentence"), ROUNDED)
def test_rounding_is_named_only_where_it_changed_something(
    mode: str, per: str, goods: str, units: str, sentence: str
) -> None:
    steps = [["goods", goods], ["rate", "2", "1", "money"], ["rounded", mode, per, units]]
    explanation = {"currency": "USD", "steps": steps}

    assert read(make(Kind.ACCRUAL, explanation=explanation))[1][-1] == sentence


def test_units_with_decimals_keep_them() -> None:
    steps = [
        ["goods", "43.12"],
        ["rate", "0.05", "1", "money"],
        ["rounded", "down", "order", "2.15"],
    ]
    explanation = {"currency": "USD", "steps": steps}

    assert read(make(Kind.ACCRUAL, 215, unit=CREDIT, explanation=explanation))[1][1:] == [
        "Rate: 0.05 credits for each $1.00.",
        "That makes, rounded down: 2.15 credits.",
    ]


def test_an_order_judged_again_says_before_and_after() -> None:
    explanation = {"order": "4711", "refund": "R-1", "was": 60, "now": 40}

    assert read(make(Kind.CLAWBACK, 20, out=True, explanation=explanation))[1] == [
        "The order had earned: 60 Beans.",
        "It now earns: 40 Beans.",
    ]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (30, "Already spent, so settled by what is earned next: 30 Beans."),
        (-1, "Settled what was still owed: 1 Bean."),
    ],
)
def test_debts_are_told(change: int, sentence: str) -> None:
    assert read(make(Kind.CLAWBACK, out=True, debt_change=change))[1] == [sentence]


def test_a_debt_that_blocks_is_not_said_to_settle_itself() -> None:
    owes = make(Kind.CLAWBACK, out=True, debt_change=30)
    owes.wallet.debt_blocks = True

    assert read(owes)[1] == ["Already spent, so still to settle: 30 Beans."]


CIRCUMSTANCES: list[tuple[str, dict[str, Any], int, list[str]]] = [
    (
        Kind.REINSTATEMENT,
        {"code": "taken_back"},
        0,
        ["A refund, or a redemption told later, used them"],
    ),
    (Kind.REINSTATEMENT, {"until": "2026-03-04"}, 0, ["Usable until: Mar 4, 2026."]),
    (
        Kind.WRITE_OFF,
        {"code": "beyond_balance", "was": 60, "now": 40, "steps": [["goods", "1"]]},
        -20,
        ["More was taken back than there was", "No longer owed: 20 Beans."],
    ),
    (
        Kind.SETTLEMENT,
        {"code": "expiring"},
        -5,
        ["They would have expired", "Settled what was still owed: 5 Beans."],
    ),
]


@pytest.mark.parametrize(("kind", "explanation", "change", "told"), CIRCUMSTANCES)
def test_what_the_title_leaves_open_is_told(
    kind: str, explanation: dict[str, Any], change: int, told: list[str]
) -> None:
    assert read(make(kind, explanation=explanation, debt_change=change))[1] == told


ADJUSTMENTS: list[tuple[str, list[str], str]] = [
    ("goodwill", ["Reason: Goodwill."], "Adjusted: Goodwill"),
    ("fraud", [], "Adjusted: Misuse"),
    ("other", [], "Adjusted: Other"),
]


@pytest.mark.parametrize(("reason", "told", "title"), ADJUSTMENTS)
def test_members_read_the_reasons_that_are_for_them(
    reason: str, told: list[str], title: str
) -> None:
    transfer = make(
        Kind.ADJUSTMENT, reason=reason, note="Called twice", actor=User(id=1, name="Sam")
    )

    assert read(transfer)[1] == told
    assert read(transfer, "staff") == (title, ["Note: Called twice.", "By: Sam."])


def test_staff_read_the_rule_and_the_refund() -> None:
    explanation = {"rule": "Base rate", "version": 3, "order": "4711", "refund": "R-1"}

    assert read(make(Kind.CLAWBACK, out=True, explanation=explanation), "staff")[1] == [
        "Rule: Base rate, version 3.",
        "Refund: R-1.",
    ]


def test_numbers_are_written_as_the_reader_writes_them() -> None:
    explanation = {"currency": "EUR", "steps": [["goods", "1234.5"]]}

    with translation.override("de"):
        assert read(make(Kind.ACCRUAL, explanation=explanation))[1] == [
            "Goods that earn: 1.234,50 €."
        ]
