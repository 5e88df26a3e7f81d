"""Sums that the database keeps as those of loyalty are (`loyalty/models/tally_triggers.py`): how
many take part in challenges, how many are where in journeys, and whom broadcasts and experiments
are for."""

from __future__ import annotations

from loyalty.models.tally_triggers import Tally, register_tallies

ENTRIES = Tally(
    "campaigns_challengetally", "campaigns_challengeentry",
    {"challenge_id": "r.challenge_id", "state": "r.state", "done": "r.rounds > 0"},
    {"entries": "1"},
    said="'challenge ' || x.challenge_id || ', ' || x.state || ', done: ' || x.done",
)  # fmt: skip
PASSAGES = Tally(
    "campaigns_journeytally", "campaigns_passage",
    {
        "journey_id": "r.journey_id", "state": "r.state",
        "place": "CASE r.state WHEN 'active' THEN r.step ELSE r.why END",
    },
    {"passages": "1"},
    said="'journey ' || x.journey_id || ', ' || x.state || ' ' || x.place",
)  # fmt: skip
RECIPIENTS = Tally(
    "campaigns_broadcasttally", "campaigns_broadcastrecipient",
    {
        "broadcast_id": "r.broadcast_id", "held_out": "r.held_out",
        "settled": "r.settled_at IS NOT NULL", "untold": "r.untold",
    },
    {"recipients": "1"},
    said="'broadcast ' || x.broadcast_id || ', settled: ' || x.settled || ' ' || x.untold",
)  # fmt: skip
ARMS = Tally(
    "campaigns_experimenttally", "campaigns_experimentmember",
    {"experiment_id": "r.experiment_id", "arm_id": "r.arm_id"}, {"members": "1"},
    said="'experiment ' || x.experiment_id || ', arm ' || x.arm_id",
)  # fmt: skip


def register() -> None:
    """Called once, when the application is ready."""
    register_tallies(ENTRIES, PASSAGES, RECIPIENTS, ARMS)
