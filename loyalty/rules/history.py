"""What a member did, as it becomes known in the course of a replay."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

from loyalty.rules.calendar import period_start
from loyalty.rules.events import Event, GivenBack, Person, Program, Sale
from loyalty.rules.facts import ZERO


class History:
    """What a member had done before a moment; events of the same moment do not see each other."""

    def __init__(
        self,
        program: Program,
        person: Person,
        *,
        with_behavior: bool,
        with_spent: bool,
        with_joined: bool,
    ) -> None:
        self.zone, self.currency = program.zone, program.currency
        self.behavior, self._spent = person.behavior, ZERO
        self._year: dt.date | None = None
        # Who is no member yet joins with their first order.
        self._joined_at, self._since_joining = person.enrolled_at, person.orders_as_member
        self._with_behavior, self._with_spent = with_behavior, with_spent
        self._with_joined = with_joined
        # Whether somebody asks what happened.
        self.noted = with_behavior or with_spent or with_joined
        self._waiting: list[Event] = []

    def note(self, event: Event) -> None:
        if self.noted:
            self._waiting.append(event)

    def reach(self, at: dt.datetime) -> None:
        """Everything before this moment has happened."""
        if self._waiting and self._waiting[0].at < at:
            for event in self._waiting:
                self._happen(event)
            self._waiting.clear()

    def spent_before(self, at: dt.datetime) -> Decimal:
        """In the calendar year so far."""
        return max(self._spent, ZERO) if self._year == self._year_of(at) else ZERO

    def orders_since_joining(self, at: dt.datetime) -> int | None:
        """How many they had placed as a member; not known of what was before they joined."""
        before = self._joined_at is not None and at < self._joined_at
        return None if before else self._since_joining

    def _happen(self, event: Event) -> None:
        back = isinstance(event, GivenBack)
        if self._with_joined and isinstance(event, Sale):
            if self._joined_at is None and event.judged:
                self._joined_at = event.at
            if self._joined_at is not None and event.at >= self._joined_at:
                self._since_joining += 1
        if self._with_behavior:
            self.behavior = (
                replace(self.behavior, returned=self.behavior.returned + event.given.total)
                if isinstance(event, GivenBack)
                else self.behavior.after(event.occasion.bought, event.at)
            )
        amount = self._amount(event) if self._with_spent else None
        if amount is not None:
            year = self._year_of(event.at)
            if year != self._year:
                self._year, self._spent = year, ZERO
            self._spent += -amount if back else amount

    def _amount(self, event: Event) -> Decimal | None:
        """What it comes to in the program's currency; None: it does not count in it."""
        if isinstance(event, Sale):
            own = event.occasion.currency == self.currency or event.occasion.exchange
            return event.occasion.basket.total if own else None
        if event.exchange is not None:
            return event.exchange.amount(event.given.total)
        return event.given.total if event.currency == self.currency else None

    def _year_of(self, at: dt.datetime) -> dt.date:
        return period_start("year", at, self.zone)
