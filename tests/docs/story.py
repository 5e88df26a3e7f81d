"""What happens to one member, told in the words of docs/semantics.md and done by the services."""

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from pydantic import BaseModel

from loyalty.definitions import ProgramDefinition
from loyalty.ledger.balances import holdings
from loyalty.models import Activity, Order, Program, Transfer, Wallet
from loyalty.rule_definitions import RULE_KINDS
from loyalty.selectors.programs import definition_of
from loyalty.services.activities import ActivityInput, record_activities
from loyalty.services.activity_decisions import (
    approve_activity,
    reject_activity,
    reverse_activity,
)
from loyalty.services.adjustments import adjust_units, undo_transfer
from loyalty.services.exchange_rates import RateInput, put_rates
from loyalty.services.expiry import write_down_expired
from loyalty.services.lots import settle_debt
from loyalty.services.memberships import enroll_customer
from loyalty.services.occasion_reversals import undo_occasion
from loyalty.services.occasions import give_occasions
from loyalty.services.order_holds import confirm_order, hold_order, release_order
from loyalty.services.order_inputs import CustomerRef, OrderInput, RefundInput
from loyalty.services.orders import record_orders
from loyalty.services.program_endings import (
    EndingDays,
    call_off_ending,
    end_units,
    plan_ending,
)
from loyalty.services.program_pauses import pause_program, resume_program
from loyalty.services.programs import apply_definition
from loyalty.services.redemptions import redeem_units, reverse_redemption
from loyalty.services.refunds import record_refunds
from loyalty.unit_definitions import WalletTypeDefinition
from members.errors import ConflictError, DomainError
from members.models import Customer
from members.services.audit import SYSTEM
from members.services.customers import create_customer
from tests.docs.tables import parse

NOON = dt.time(12, tzinfo=dt.UTC)


class Story:
    """`play` does one step; answers with its movement, and spendable, pending, owed after it."""

    def __init__(self) -> None:
        self.now = dt.datetime.min.replace(tzinfo=dt.UTC)
        self.orders: dict[str, OrderInput] = {}
        self.keys = 0
        self.number = "Maya"
        self.program: Program
        self.customer: Customer

    def play(self, day: dt.date, step: str) -> tuple[str, int, int, int]:
        self.now = dt.datetime.combine(day, NOON)
        last = Transfer.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        try:
            with transaction.atomic():
                self._do(step)
        except DomainError as error:
            movement = f"refused: {error.code}"
        else:
            new = Transfer.objects.filter(pk__gt=last).select_related("wallet").order_by("pk")
            movement = ", ".join(f"{transfer.signed_amount:+d}" for transfer in new) or "none"
        held = holdings([self.wallet()], self.now)[self.wallet().pk]
        return movement, held.spendable, held.pending, held.owed

    def wallet(self) -> Wallet:
        return Wallet.objects.select_related("wallet_type__program").get(
            account__membership__customer=self.customer, wallet_type__program=self.program
        )

    def _steps(self) -> dict[str, Callable[..., None]]:
        return {
            r"program (\{.*\})": self._start,
            r"rule (\{.*\})": self._change_rule,
            r"order (\w+) ([\d.]+)(?: ([A-Z]{3})(?: at ([\d.]+))?)?(?: placed (\S+))?": self._order,
            r"rate ([A-Z]{3}) ([\d.]+)": self._rate,
            r"order (\w+) ([\d.]+) (placed|paid|fulfilled)(?: sequence (\d+))?": self._told,
            r"(hold|release|confirm) (\w+)": self._by_hand,
            r"redeem (\d+)": self._redeem,
            r"give back(?: (\d+))?": self._bring_back,
            r"settle": self._settle,
            r"write down": lambda: write_down_expired(self.now),
            r"cancel (\w+)": self._cancel,
            r"refund (\w+) of (\w+) ([\d.]+)": self._refund,
            r"return (\w+) ([\d.]+)": self._return,
            r"adjust ([+-]\d+)(?: key (\w+))?": self._adjust,
            r"undo": self._undo,
            r"(review|run) (\w+)(?: about (\w+))?(?: (\{.*\}))?": self._activity,
            r"(approve|reject|take back) (V\w+)": self._decide,
            r"born (\S+)": self._born,
            r"days of the year": lambda: give_occasions(self.now),
            r"take the gift back": self._undo_occasion,
            r"pause(?: until (\S+))?(?: (without spending))?": self._pause,
            r"resume": self._resume,
            r"end: told (\S+), earned to (\S+), spent to (\S+)": self._end,
            r"go on": self._go_on,
            r"end units": self._end_units,
            r"look": lambda: None,
        }

    def _do(self, step: str) -> None:
        for pattern, act in self._steps().items():
            found = re.fullmatch(pattern, step)
            if found:
                act(*found.groups())
                return
        raise AssertionError(f"nobody knows how to {step!r}")

    def _start(self, text: str) -> None:
        given = parse(text)
        units = _taken(given, WalletTypeDefinition)
        rule = _taken(given, RULE_KINDS[given.get("kind", "rate")])
        definition = ProgramDefinition.model_validate(
            {
                "code": "story", "name": "Story", "currency": "USD", "status": "live",
                "wallet_types": [units], "earning_rules": [rule], **given,
            }
        )  # fmt: skip
        self.program = apply_definition(definition, actor=SYSTEM, now=self.now).program
        self._enroll()

    def _pause(self, until: str | None, without: str | None) -> None:
        ends = dt.datetime.combine(dt.date.fromisoformat(until), NOON) if until else None
        pause_program(
            program=self.program, actor=SYSTEM, now=self.now, ends_at=ends, spending=not without
        )

    def _resume(self) -> None:
        resume_program(program=self.program, actor=SYSTEM, now=self.now)

    def _end(self, *days: str) -> None:
        plan = EndingDays(*map(dt.date.fromisoformat, days))
        plan_ending(program=self.program, days=plan, actor=SYSTEM, now=self.now)

    def _go_on(self) -> None:
        call_off_ending(program=self.program, actor=SYSTEM, now=self.now)

    def _end_units(self) -> None:
        while end_units(self.now):
            pass

    def _enroll(self) -> None:
        self.customer = create_customer(actor=SYSTEM, external_id=self.number, given_name="Maya")
        enroll_customer(
            customer=self.customer, program=self.program, source="staff", at=self.now, actor=SYSTEM
        )

    def _change_rule(self, text: str) -> None:
        data = definition_of(self.program, timezone.now()).model_dump(mode="json")
        data["earning_rules"][0] |= parse(text)
        apply_definition(ProgramDefinition.model_validate(data), actor=SYSTEM, now=self.now)

    def _rate(self, currency: str, rate: str) -> None:
        said = RateInput(currency, "USD", self.now.date(), Decimal(rate))
        put_rates([said], actor=SYSTEM, now=self.now)

    def _order(
        self, number: str, total: str, currency: str | None, rate: str | None, placed: str | None
    ) -> None:
        known = self.orders.get(number)
        at = known.placed_at if known else self.now
        if placed:
            at = dt.datetime.combine(dt.date.fromisoformat(placed), NOON)
        self.orders[number] = OrderInput(
            external_id=number, placed_at=at, currency=currency or "USD", total=Decimal(total),
            customer=CustomerRef(external_id=self.number),
            rates=(("USD", Decimal(rate)),) if rate else (),
        )  # fmt: skip
        record_orders([self.orders[number]], now=self.now, transfer_source="api")

    def _told(self, number: str, total: str, status: str, sequence: str | None) -> None:
        known = self.orders.get(number)
        self.orders[number] = OrderInput(
            external_id=number, placed_at=known.placed_at if known else self.now, currency="USD",
            total=Decimal(total), customer=CustomerRef(external_id=self.number), status=status,
            sequence=int(sequence) if sequence else None,
        )  # fmt: skip
        record_orders([self.orders[number]], now=self.now, transfer_source="api")

    def _by_hand(self, what: str, number: str) -> None:
        act = {"hold": hold_order, "release": release_order, "confirm": confirm_order}[what]
        order = Order.objects.get(external_id=number)
        act(order=order, actor=SYSTEM, reason="Story", now=self.now)

    def _redeem(self, units: str) -> None:
        self.keys += 1
        redeem_units(
            wallet=self.wallet(), units=int(units), key=f"redemption-{self.keys}", source="api",
            actor=SYSTEM, now=self.now,
        )  # fmt: skip

    def _bring_back(self, units: str | None) -> None:
        self.keys += 1
        reverse_redemption(
            transfer=Transfer.objects.filter(kind="redemption").latest("pk"),
            units=int(units) if units else None, key=f"back-{self.keys}", source="api",
            actor=SYSTEM, now=self.now,
        )  # fmt: skip

    def _settle(self) -> None:
        settle_debt(
            wallet=self.wallet(), way="repay", actor=SYSTEM, note="Story", key="settled",
            source="backoffice", now=self.now,
        )  # fmt: skip

    def _cancel(self, number: str) -> None:
        order = self.orders[number]
        canceled = OrderInput(
            external_id=number, placed_at=order.placed_at, currency=order.currency,
            total=order.total, customer=order.customer, status="cancelled",
        )  # fmt: skip
        record_orders([canceled], now=self.now, transfer_source="api")

    def _refund(self, number: str, order: str, total: str) -> None:
        known = self.orders.get(order)
        currency = known.currency if known else "USD"
        self._give_back(number, total, order_external_id=order, currency=currency)

    def _return(self, number: str, total: str) -> None:
        self._give_back(number, total, customer=CustomerRef(external_id=self.number))

    def _give_back(self, number: str, total: str, *, currency: str = "USD", **more: Any) -> None:
        # A refund that comes again says when it was made, as it did the first time.
        made = self.orders.setdefault(
            f"refund {number}", OrderInput(number, self.now, "USD", Decimal(total))
        )
        refund = RefundInput(
            external_id=number, refunded_at=made.placed_at, currency=currency,
            total=Decimal(total), **more,
        )  # fmt: skip
        record_refunds([refund], now=self.now, transfer_source="api")

    def _adjust(self, units: str, key: str | None) -> None:
        self.keys += 1
        adjust_units(
            wallet=self.wallet(), units=int(units), reason="goodwill", note="", actor=SYSTEM,
            key=key or f"step-{self.keys}", source="backoffice", now=self.now,
        )  # fmt: skip

    def _undo(self) -> None:
        latest = Transfer.objects.filter(kind="adjustment").latest("pk")
        undo_transfer(transfer=latest, actor=SYSTEM, source="backoffice", now=self.now)

    def _activity(self, kind: str, number: str, subject: str | None, data: str | None) -> None:
        known = Activity.objects.filter(external_id=number).first()
        told = ActivityInput(
            number, CustomerRef(external_id=self.number), kind,
            known.occurred_at if known else self.now, subject=subject or "",
            data={name: int(value) for name, value in parse(data or "{}").items()},
        )  # fmt: skip
        [result] = record_activities([told], now=self.now, transfer_source="api")
        if result.outcome == "over_limit":
            raise ConflictError("over a limit of its type", code="over_limit")

    def _decide(self, what: str, number: str) -> None:
        how: dict[str, Any] = {
            "activity": Activity.objects.get(external_id=number), "actor": SYSTEM, "now": self.now,
        }  # fmt: skip
        if what == "approve":
            approve_activity(source="backoffice", **how)
        elif what == "reject":
            reject_activity(note="Story", **how)
        else:
            reverse_activity(note="Story", source="backoffice", **how)

    def _born(self, day: str) -> None:
        Customer.objects.filter(pk=self.customer.pk).update(birthday=day)

    def _undo_occasion(self) -> None:
        latest = Transfer.objects.exclude(occasion_grant=None).latest("pk")
        undo_occasion(
            transfer=latest, actor=SYSTEM, source="backoffice", now=self.now, note="Story"
        )


def _taken(given: dict[str, Any], kind: type[BaseModel]) -> dict[str, Any]:
    """What belongs to this kind of definition, taken out of what was given."""
    return {name: given.pop(name) for name in [*given] if name in kind.model_fields}
