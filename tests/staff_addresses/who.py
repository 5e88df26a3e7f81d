"""Who there is, and who may do what with an address."""

from __future__ import annotations

ANALYST, AGENT, MARKETING, ADMINISTRATOR = (
    "analyst", "support_agent", "marketing_manager", "administrator",
)  # fmt: skip
EVERYBODY = frozenset({ANALYST, AGENT, MARKETING, ADMINISTRATOR})
NOT_AGENTS = EVERYBODY - {AGENT}
NOT_ANALYSTS = EVERYBODY - {ANALYST}
AGENTS = frozenset({AGENT, ADMINISTRATOR})
MARKETERS = frozenset({MARKETING, ADMINISTRATOR})
ADMINISTRATORS = frozenset({ADMINISTRATOR})

Who = dict[str, frozenset[str]]


def read(roles: frozenset[str]) -> Who:
    return {"GET": roles}


def write(roles: frozenset[str]) -> Who:
    return {"POST": roles}


def form(roles: frozenset[str]) -> Who:
    return read(roles) | write(roles)
