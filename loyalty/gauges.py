"""Whether the books agree, and what waits for a decision of somebody."""

from __future__ import annotations

import datetime as dt

from loyalty.selectors.adjustment_requests import waiting_requests
from loyalty.selectors.risk import waiting_cases
from loyalty.selectors.self_checks import latest_verdict
from members.gauges import Gauge, Readings, age, register_gauges


def _broken(now: dt.datetime) -> Readings:
    latest = latest_verdict()
    return {} if latest is None else {(): latest.broken}


def _checked(now: dt.datetime) -> Readings:
    latest = latest_verdict()
    return {} if latest is None else {(): age(latest.started_at, now)}


def _adjustments(now: dt.datetime) -> Readings:
    return {(): waiting_requests(now).count()}


def _cases(now: dt.datetime) -> Readings:
    return {(): waiting_cases()}


def register() -> None:
    """Called once, when the application is ready."""
    register_gauges(
        [
            Gauge("setia_ledger_broken_rules", "Rules that the books do not keep.", _broken),
            Gauge(
                "setia_ledger_checked_seconds", "How long ago the last look at the books began.",
                _checked,
            ),
            Gauge(
                "setia_adjustments_waiting", "Adjustments that wait for a second person.",
                _adjustments,
            ),
            Gauge("setia_risk_cases_waiting", "Members whom somebody is to look at.", _cases),
        ]
    )  # fmt: skip
