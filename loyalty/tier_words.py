"""Tiers in words: what is missing, what keeps one, what is lost when, and what each brings."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from loyalty.lot_words import last_day
from loyalty.models import TierSet
from loyalty.tier_definitions import BenefitDefinition
from loyalty.tiers.facts import Why
from loyalty.tiers.ladders import Ladder, Metric
from loyalty.tiers.progress import Goal, Standing
from members.formatting import UnitNames, format_day, format_money, format_number, format_units

WHY = {
    "joined": gettext_lazy("Joined"),
    "reached": gettext_lazy("Reached"),
    "revoked": gettext_lazy("What had carried it came back"),
    "review": gettext_lazy("Not reached again in the period"),
    "grace": gettext_lazy("Not reached again in the grace period"),
    "dropped_out": gettext_lazy("Older things no longer count"),
    "changed": gettext_lazy("The tiers changed"),
    "manual": gettext_lazy("Given by hand"),
    "manual_ended": gettext_lazy("What was given by hand has ended"),
}


@dataclass(frozen=True, slots=True)
class TierVoice:
    """How one program speaks of its tiers. `names`: by code; `unit`: of what counts, where that is
    units."""

    currency: str
    zone: zoneinfo.ZoneInfo
    names: Mapping[str, str]
    unit: UnitNames | None = None

    def name(self, code: str) -> str:
        return self.names.get(code, code)

    def amount(self, ladder: Ladder, amount: Decimal) -> str:
        """So much of what counts: "$327.00", "3 orders", "120 points"."""
        match ladder.metric:
            case "spend":
                return format_money(amount, self.currency)
            case "orders":
                words = ngettext("%s order", "%s orders", int(amount))
                return words % format_number(amount)
            case "units" if self.unit is not None:
                return format_units(int(amount.scaleb(self.unit.scale)), self.unit)
        return _("%s in activities") % format_number(amount)

    def to_next(self, stands: Standing) -> str:
        """ "Spend 327.00 more by Jan 3, 2027 (43 days) to reach Gold."; empty at the top."""
        goal = stands.next
        if goal is None:
            return ""
        return self._ask(stands, goal) % {
            "amount": self.amount(stands.ladder, goal.missing), "tier": self.name(goal.tier),
            **self._by(stands, goal),
        }  # fmt: skip

    def to_keep(self, stands: Standing) -> str:
        """What keeps the tier that was reached, or until when it is safe; empty for the first."""
        if stands.tier != stands.earned:
            return self._by_hand(stands)
        goal = stands.keep
        if goal is None:
            return ""
        tier, by = self.name(goal.tier), self._by(stands, goal)
        if not goal.missing:
            if stands.lost is None:
                return _("You keep %(tier)s.") % {"tier": tier}
            until = format_day(last_day(stands.lost.at, self.zone))
            return _("%(tier)s is yours to the end of %(day)s at least.") % {
                "tier": tier, "day": until,
            }  # fmt: skip
        words = {
            "spend": _("Spend %(amount)s more by %(day)s (%(days)s) to keep %(tier)s."),
            "orders": _("%(amount)s more by %(day)s (%(days)s) keep %(tier)s."),
        }.get(
            stands.ladder.metric,
            _("Collect %(amount)s more by %(day)s (%(days)s) to keep %(tier)s."),
        )
        return words % {"amount": self.amount(stands.ladder, goal.missing), "tier": tier, **by}

    def lost(self, stands: Standing) -> str:
        """What happens without anything more."""
        if stands.lost is None:
            return ""
        return _("Without anything more it is %(tier)s from %(day)s on.") % {
            "tier": self.name(stands.lost.tier), "day": format_day(stands.lost.at, self.zone),
        }  # fmt: skip

    def leaving(self, stands: Standing) -> str:
        """What drops out of a rolling window next."""
        if stands.leaving is None or stands.leaving.amount <= 0:
            return ""
        return _("From %(day)s on %(amount)s of it is older than a year and no longer counts.") % {
            "day": format_day(stands.leaving.at, self.zone),
            "amount": self.amount(stands.ladder, stands.leaving.amount),
        }  # fmt: skip

    def sentences(self, stands: Standing) -> list[str]:
        """All there is to say, the most useful first."""
        said = (
            self.to_next(stands), self.to_keep(stands), self.lost(stands), self.leaving(stands)
        )  # fmt: skip
        return [words for words in said if words]

    def _by_hand(self, stands: Standing) -> str:
        if stands.lost is None:
            return _("%(tier)s was given by hand.") % {"tier": self.name(stands.tier)}
        return _("%(tier)s was given by hand, to the end of %(day)s.") % {
            "tier": self.name(stands.tier),
            "day": format_day(last_day(stands.lost.at, self.zone)),
        }  # fmt: skip

    def _ask(self, stands: Standing, goal: Goal) -> str:
        if goal.until is None:
            return {
                "spend": _("Spend %(amount)s more to reach %(tier)s."),
                "orders": _("%(amount)s more reach %(tier)s."),
            }.get(stands.ladder.metric, _("Collect %(amount)s more to reach %(tier)s."))
        return {
            "spend": _("Spend %(amount)s more by %(day)s (%(days)s) to reach %(tier)s."),
            "orders": _("%(amount)s more by %(day)s (%(days)s) reach %(tier)s."),
        }.get(
            stands.ladder.metric,
            _("Collect %(amount)s more by %(day)s (%(days)s) to reach %(tier)s."),
        )

    def _by(self, stands: Standing, goal: Goal) -> dict[str, str]:
        if goal.until is None:
            return {}
        last = last_day(goal.until, self.zone)
        return {"day": format_day(last), "days": days_left(stands.at, last, self.zone)}


def days_left(now: dt.datetime, last: dt.date, zone: zoneinfo.ZoneInfo) -> str:
    """ "43 days"; the last day itself is "today"."""
    days = (last - now.astimezone(zone).date()).days
    if days <= 0:
        return _("today")
    return ngettext("%s day", "%s days", days) % format_number(days)


def why_words(why: Why) -> str:
    return str(WHY[why.kind])


def benefit_words(benefit: BenefitDefinition, currency: str, units: Mapping[str, UnitNames]) -> str:
    """What members read: the benefit, and the merchant's own text about it."""
    title = _title(benefit, currency, units)
    return f"{title}: {benefit.text}" if benefit.text else title


def _title(benefit: BenefitDefinition, currency: str, units: Mapping[str, UnitNames]) -> str:
    unit = units.get(benefit.wallet_type) or next(iter(units.values()), None)
    match benefit.kind:
        case "multiplier" if benefit.factor is not None and unit is not None:
            return _("%(factor)s × %(units)s on purchases") % {
                "factor": format_number(benefit.factor), "units": unit.plural,
            }  # fmt: skip
        case "birthday_bonus" if benefit.units is not None and unit is not None:
            given = format_units(int(benefit.units.scaleb(unit.scale)), unit)
            return _("%s for the birthday") % given
        case "free_shipping":
            if not benefit.above:
                return _("Free shipping")
            return _("Free shipping from %s") % format_money(benefit.above, currency)
        case "early_access" if benefit.hours is not None:
            words = ngettext("%s hour of early access", "%s hours of early access", benefit.hours)
            return words % format_number(benefit.hours)
        case "custom":
            return benefit.name
    return str(KINDS[benefit.kind])


KINDS = {
    "multiplier": gettext_lazy("Multiplier"),
    "birthday_bonus": gettext_lazy("Birthday bonus"),
    "free_shipping": gettext_lazy("Free shipping"),
    "free_returns": gettext_lazy("Free returns"),
    "early_access": gettext_lazy("Early access"),
    "exclusive_products": gettext_lazy("Exclusive products"),
    "service_line": gettext_lazy("Service line"),
    "concierge": gettext_lazy("Concierge"),
    "gift": gettext_lazy("Gift"),
    "invitation": gettext_lazy("Invitations"),
    "custom": gettext_lazy("Another perk"),
}


def tier_amount(
    tier_set: TierSet | None, amount: Decimal, currency: str, units: Mapping[str, UnitNames]
) -> str:
    """A threshold in words: so much of what the tier set counts."""
    if tier_set is None:
        return ""
    unit = units.get(tier_set.wallet_type.code) if tier_set.wallet_type else None
    voice = TierVoice(currency, zoneinfo.ZoneInfo("UTC"), {}, unit)
    return voice.amount(Ladder((), metric=cast("Metric", tier_set.metric)), amount)


def describe_tiers(tier_set: TierSet) -> list[str]:
    """How tiers are reached and how they are lost, for members."""
    counts = {
        "spend": _("What you spend counts, less what you give back."),
        "units": _("The units that you earn count."),
        "orders": _("Your purchases count, by their number."),
        "score": _("What you do counts, beside buying."),
    }
    over = {
        "calendar_year": _("It is added up over the calendar year."),
        "rolling_12_months": _("It is added up over the last 12 months."),
        "membership_year": _("It is added up over each year from the day on which you joined."),
        "lifetime": _("It is added up over all the time that you are a member."),
    }
    falls = {
        "none": _("A tier that you have reached stays."),
        "soft_landing": _("A tier that you do not reach again falls by one step at most."),
        "recompute": _("If you do not reach your tier again, you have the one that you reached."),
        "to_base": _("If you do not reach your tier again, you begin anew with the first."),
        "immediate": _("Your tier is always the one that what counts comes to."),
    }
    said = [
        _("You have a tier from the purchase on that reaches it."),
        counts[tier_set.metric],
        over[tier_set.window],
        falls[tier_set.downgrade],
    ]
    if tier_set.grace_days:
        said.append(
            ngettext(
                "You keep it for %s day more.", "You keep it for %s days more.", tier_set.grace_days
            )
            % format_number(tier_set.grace_days)
        )
    return said
