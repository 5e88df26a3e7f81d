"""Sums that the database keeps (`tally_triggers.py`): how many take part in challenges, how many
are where in journeys, and whom broadcasts and experiments are for."""

from __future__ import annotations

from django.db import models

from campaigns.models.broadcasts import Broadcast
from campaigns.models.challenges import Challenge
from campaigns.models.experiments import Experiment, ExperimentArm
from campaigns.models.journeys import Journey


class ChallengeTally(models.Model):
    """A challenge has as many entries in a state as its rows come to."""

    challenge = models.ForeignKey(Challenge, on_delete=models.CASCADE, related_name="tallies")
    state = models.CharField(max_length=8)
    # Whether it was done, once at least.
    done = models.BooleanField()
    entries = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.challenge_id} {self.state}: {self.entries}"


class JourneyTally(models.Model):
    """A journey has as many members at a step, or who left it for a reason, as its rows come to."""

    journey = models.ForeignKey(Journey, on_delete=models.PROTECT, related_name="tallies")
    state = models.CharField(max_length=8)
    # The step of those who are under way, or why the others left.
    place = models.CharField(max_length=24)
    passages = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.journey_id} {self.place}: {self.passages}"


class BroadcastTally(models.Model):
    """A broadcast is for as many, who were kept aside or told, as its rows come to."""

    broadcast = models.ForeignKey(Broadcast, on_delete=models.PROTECT, related_name="tallies")
    held_out = models.BooleanField()
    # Whether they had their turn, and why they were told nothing.
    settled = models.BooleanField()
    untold = models.CharField(max_length=32, blank=True, default="")
    recipients = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.broadcast_id} {self.untold}: {self.recipients}"


class ExperimentTally(models.Model):
    """An arm of an experiment has as many members as its rows come to."""

    experiment = models.ForeignKey(Experiment, on_delete=models.PROTECT, related_name="tallies")
    arm = models.ForeignKey(
        ExperimentArm, on_delete=models.PROTECT, related_name="tallies", db_index=False
    )
    members = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.arm_id}: {self.members}"
