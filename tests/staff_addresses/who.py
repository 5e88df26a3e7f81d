"""Who there is, and who may do what with an address."""

from __future__ import annotations

ANALYST, AGENT, MARKETING, ADMINISTRATOR, AUDITOR = (
    "analyst", "support_agent", "marketing_manager", "administrator", "auditor",
)  # fmt: skip
# All who work for the merchant.
EVERYBODY = frozenset({ANALYST, AGENT, MARKETING, ADMINISTRATOR, AUDITOR})
# Somebody of another brand, who sees hardly anything.
PARTNER = "partner"
PARTNERS = frozenset({PARTNER})
ROLES = EVERYBODY | PARTNERS
NOT_AGENTS = EVERYBODY - {AGENT}
NOT_ANALYSTS = EVERYBODY - {ANALYST, AUDITOR}
NOT_AUDITORS = EVERYBODY - {AUDITOR}
PLANNERS = EVERYBODY - {AGENT, AUDITOR}
AGENTS = frozenset({AGENT, ADMINISTRATOR})
MARKETERS = frozenset({MARKETING, ADMINISTRATOR})
ADMINISTRATORS = frozenset({ADMINISTRATOR})
# Pages that those read who do the work, and auditors.
MARKETERS_AND_AUDITORS = MARKETERS | {AUDITOR}
ADMINISTRATORS_AND_AUDITORS = ADMINISTRATORS | {AUDITOR}
NOT_ONLY_ANALYSTS = NOT_ANALYSTS | {AUDITOR}

Who = dict[str, frozenset[str]]


def read(roles: frozenset[str]) -> Who:
    return {"GET": roles}


def write(roles: frozenset[str]) -> Who:
    return {"POST": roles}


def form(roles: frozenset[str]) -> Who:
    return read(roles) | write(roles)
