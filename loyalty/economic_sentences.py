"""The economics of a program in words: each figure with the arithmetic that leads to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.economics import WHOLE, Economics, Inputs, Lift
from members.formatting import format_days, format_money, format_number, format_percent

MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True, slots=True)
class Said:
    """A figure, as people read it. `exact`: for files; None: there is none. `sum`: what lines
    before it come to."""

    code: str
    label: str
    text: str
    how: str
    exact: Decimal | None
    sum: bool = False


class Sayer:
    """Says what follows from some inputs, in a program's currency."""

    def __init__(self, found: Economics, currency: str) -> None:
        self.found, self.inputs, self.currency = found, found.inputs, currency

    def money(self, amount: Decimal) -> str:
        return format_money(amount, self.currency)

    def cost_lines(self) -> Iterator[Said]:
        """What a member costs, part by part; parts that are nothing are left out."""
        found, inputs = self.found, self.inputs
        yield self._line(
            "rewards_for_purchases",
            _("Rewards for purchases"),
            found.purchase_rewards,
            self._part(inputs.reward_rate, inputs.spend_with),
        )
        if inputs.bonuses:
            yield self._line("bonuses", _("Bonuses"), inputs.bonuses, _("as given"))
        if found.never_used:
            yield self._line(
                "never_used",
                _("Never used"),
                -found.never_used,
                self._part(inputs.breakage, found.earned),
            )
        if inputs.administration:
            yield self._line(
                "administration", _("Administration"), inputs.administration, _("as given")
            )
        if inputs.platform_fee:
            how = f"{self.money(inputs.platform_fee)} ÷ {_people(inputs.members)}"
            yield self._line("platform_fee", _("Platform fee"), found.fee, how)
        for code, label, percent, part in (
            ("support", _("Support"), inputs.support, found.support),
            ("messaging", _("Messaging"), inputs.messaging, found.messaging),
        ):
            if percent:
                yield self._line(code, label, part, self._part(percent, found.direct_cost))
        parts = [
            found.purchase_rewards,
            inputs.bonuses,
            -found.never_used,
            inputs.administration,
            found.fee,
            found.support,
            found.messaging,
        ]
        yield self._line("cost_per_member", _("Cost per member"), found.cost, self._sum(parts),
                         of_lines=True)  # fmt: skip

    def gain_lines(self) -> Iterator[Said]:
        """What a member brings, and what is left of it."""
        found, inputs = self.found, self.inputs
        more = f"({self.money(inputs.spend_with)} {MINUS} {self.money(inputs.spend_without)})"
        how = _("%(percent)s of %(amount)s") % {"percent": percent(inputs.margin), "amount": more}
        yield self._line("gain_per_member", _("Gain per member"), found.gain, how)
        how = f"{self.money(found.gain)} {MINUS} {self.money(found.cost)}"
        yield self._line("net_per_member", _("Net per member"), found.net, how, of_lines=True)
        yield Said(
            "roi", _("Return on investment"), times(found.roi),
            f"{self.money(found.net)} ÷ {self.money(found.cost)}" if found.roi is not None
            else _("It costs nothing."),
            found.roi,
        )  # fmt: skip
        for code, label, one, whole in (
            ("total_cost", _("Cost of all members"), found.cost, found.total_cost),
            ("total_net", _("Net of all members"), found.net, found.total_net),
        ):
            how = f"{format_number(inputs.members)} × {self.money(one)}"
            yield self._line(code, label, whole, how)

    def break_even_lines(self) -> Iterator[Said]:
        """From where on nothing is lost."""
        yield self._enough_spent()
        yield self._enough_members()
        yield self._highest_rate()

    def liability_lines(self) -> Iterator[Said]:
        """What is owed at the end of the year."""
        found, inputs = self.found, self.inputs
        left = WHOLE - inputs.redemption - inputs.breakage
        how = _("%(percent)s of %(amount)s: neither spent in the year nor expired") % {
            "percent": percent(left), "amount": self.money(found.earned),
        }  # fmt: skip
        yield self._line(
            "outstanding_per_member", _("Left over per member"), found.outstanding, how
        )
        how = (
            f"{self.money(inputs.owed)} + {format_number(inputs.members)} × "
            f"{self.money(found.outstanding)}"
        )
        yield self._line("liability", _("Liability at the end of the year"), found.liability, how,
                         of_lines=True)  # fmt: skip

    def all_lines(self) -> list[Said]:
        return [*self.cost_lines(), *self.gain_lines(), *self.break_even_lines(),
                *self.liability_lines()]  # fmt: skip

    def _enough_spent(self) -> Said:
        found, inputs = self.found, self.inputs
        label, lift = _("A member must spend more"), found.break_even_lift
        cost, kept = self.money(found.cost_without_lift), percent(found.kept_of_spend * WHOLE)
        words = {"cost": cost, "kept": kept, "without": self.money(inputs.spend_without)}
        if lift is None:
            how = _(
                "No lift is enough: of what is spent more %(kept)s is left, once it has earned its"
                " rewards."
            )
            return Said("break_even_lift", label, "–", how % words, None)
        words["more"] = percent(lift * WHOLE / inputs.spend_without) if inputs.spend_without else ""
        how = _(
            "%(cost)s is what a member costs who spends %(without)s; of what is spent more"
            " %(kept)s is left: %(cost)s ÷ %(kept)s"
        )
        if words["more"]:
            how = _(
                "%(cost)s is what a member costs who spends %(without)s; of what is spent more"
                " %(kept)s is left: %(cost)s ÷ %(kept)s, which is %(more)s more"
            )
        return Said("break_even_lift", label, self.money(lift), how % words, lift)

    def _enough_members(self) -> Said:
        found, inputs = self.found, self.inputs
        label, needed = _("Members from whom on it pays"), found.break_even_members
        if needed is None:
            how = _("At no number: each member loses something before fixed costs.")
            return Said("break_even_members", label, "–", how, None)
        if not inputs.platform_fee:
            how = _("From the first: nothing costs the same however many there are.")
        else:
            how = _("%(fixed)s of fixed cost ÷ %(net)s that each brings before it, rounded up") % {
                "fixed": self.money(inputs.platform_fee * found.on_top),
                "net": self.money(found.net_before_fee),
            }
        return Said("break_even_members", label, format_number(needed), how, Decimal(needed))

    def _highest_rate(self) -> Said:
        found = self.found
        label, rate = _("Highest reward rate"), found.break_even_rate
        if rate is None:
            how = _("It does not pay at any rate, or rewards cost nothing.")
            return Said("break_even_rate", label, "–", how, None)
        how = _("at which %(gain)s of gain pays for all cost, if the rate changes nothing else") % {
            "gain": self.money(found.gain)
        }
        return Said("break_even_rate", label, percent(rate), how, rate)

    def _line(
        self, code: str, label: str, amount: Decimal, how: str, *, of_lines: bool = False
    ) -> Said:
        return Said(code, label, self.money(amount), how, amount, of_lines)

    def _part(self, of_hundred: Decimal, amount: Decimal) -> str:
        """ "3% of $450.00" """
        return _("%(percent)s of %(amount)s") % {
            "percent": percent(of_hundred), "amount": self.money(amount),
        }  # fmt: skip

    def _sum(self, parts: list[Decimal]) -> str:
        """ "$13.50 + $5.00" """
        text = ""
        for part in parts:
            if part:
                sign = (f" {MINUS} " if part < 0 else " + ") if text else (MINUS * (part < 0))
                text += sign + self.money(abs(part))
        return text or self.money(Decimal(0))


def percent(of_hundred: Decimal) -> str:
    return format_percent(of_hundred / WHOLE, digits=2)


def times(ratio: Decimal | None) -> str:
    """ "3.9×" """
    return "–" if ratio is None else f"{format_number(ratio, digits=1)}×"


def measured_sentence(inputs: Inputs, found: Economics, currency: str) -> str:
    """Between what the net lies where a holdout has measured the lift."""
    if inputs.lift is None or found.ends is None:
        return ""
    low, high = found.ends

    def money(amount: Decimal) -> str:
        return format_money(amount, currency)

    return _(
        "In %(days)s the lift lies between %(low)s and %(high)s; so what is left of a member lies"
        " between %(least)s and %(most)s, and the return between %(least_roi)s and %(most_roi)s."
    ) % {
        "days": days_of(inputs.lift),
        "low": money(low.lift), "high": money(high.lift), "least": money(low.net),
        "most": money(high.net), "least_roi": times(low.roi), "most_roi": times(high.roi),
    }  # fmt: skip


def days_of(lift: Lift) -> str:
    """ "31 days (Mar 1 – 31, 2026)" """
    if lift.since is None or lift.until is None or lift.days is None:
        return _("the days that it lasted")
    days = ngettext("%s day", "%s days", lift.days) % format_number(lift.days)
    return f"{days} ({format_days(lift.since, lift.until)})"


def _people(number: int) -> str:
    return ngettext("%s member", "%s members", number) % format_number(number)
