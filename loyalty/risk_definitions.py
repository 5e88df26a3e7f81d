"""What a program may say of when something is suspicious, checked in one place for the form and
whatever else writes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from django.utils.translation import gettext as _
from pydantic import Field, model_validator

from loyalty.risk_scores import MOST
from loyalty.risk_signals import risk_signal, risk_signals
from loyalty.rules.body_parts import Part

Points = Annotated[int, Field(ge=1, le=MOST)]


class SignalTerms(Part):
    """What one signal asks for. Limits that are not named are the usual ones."""

    weight: int = Field(ge=0, le=MOST, description="0: it is not looked for.")
    limits: dict[str, int] = Field(default_factory=dict)


class RiskDefinition(Part):
    """From when on somebody is suspicious, and what follows."""

    days: int = Field(180, ge=1, le=730, description="How many days back are looked at.")
    medium: Points = Field(30, description="From so many points on a risk is medium.")
    high: Points = Field(60, description="From so many points on it is high.")
    review: Points = Field(40, description="From so many points on somebody has to look.")
    hold: bool = Field(False, description="Whether members are held without anybody deciding it.")
    hold_from: Points = Field(80, description="From so many points on.")
    signals: dict[str, SignalTerms] = Field(default_factory=dict)

    @model_validator(mode="after")
    def levels_rise(self) -> Self:
        if self.medium >= self.high:
            raise ValueError(_("High risk begins above medium risk."))
        if self.hold_from < self.review:
            raise ValueError(_("Nobody is held who is not looked at."))
        return self

    @model_validator(mode="after")
    def signals_are_known(self) -> Self:
        for key, terms in self.signals.items():
            signal = risk_signal(key)
            if signal is None:
                raise ValueError(_("There is no signal called %s.") % key)
            known = {limit.name: limit for limit in signal.limits}
            for name, value in terms.limits.items():
                limit = known.get(name)
                if limit is None:
                    raise ValueError(_("There is no limit called %s.") % name)
                if not limit.low <= value <= limit.high:
                    raise ValueError(
                        _("%(label)s: give a number from %(low)s to %(high)s.")
                        % {"label": limit.label, "low": limit.low, "high": limit.high}
                    )
        return self

    @classmethod
    def stored(cls, definition: Mapping[str, Any]) -> Self:
        """As it was written, without signals and limits that there are no more, and numbers that
        are not taken any more: of these the usual ones hold."""
        there = {signal.key: signal for signal in risk_signals()}
        kept = {}
        for key, terms in definition.get("signals", {}).items():
            if key in there:
                known = {limit.name: limit for limit in there[key].limits}
                limits = {
                    name: value for name, value in terms.get("limits", {}).items()
                    if name in known and known[name].low <= value <= known[name].high
                }  # fmt: skip
                kept[key] = {**terms, "limits": limits}
        return cls.model_validate({**definition, "signals": kept})

    @property
    def weights(self) -> dict[str, int]:
        """Of each signal that there is."""
        return {
            signal.key: self.signals[signal.key].weight
            if signal.key in self.signals
            else signal.weight
            for signal in risk_signals()
        }

    @property
    def limits(self) -> dict[str, dict[str, int]]:
        """Of each signal that there is, by their names."""
        return {
            signal.key: {limit.name: limit.usual for limit in signal.limits}
            | (self.signals[signal.key].limits if signal.key in self.signals else {})
            for signal in risk_signals()
        }

    def level(self, points: int) -> str:
        """low, medium or high."""
        if points >= self.high:
            return "high"
        return "medium" if points >= self.medium else "low"

    def whole(self) -> dict[str, Any]:
        """With every number that holds, as it is kept and shown."""
        found = self.model_dump(mode="json")
        found["signals"] = {
            key: {"weight": weight, "limits": self.limits[key]}
            for key, weight in self.weights.items()
        }
        return found
