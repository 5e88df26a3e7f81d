"""By which ways members of a program are told of something now: by itself, or by journeys."""

from __future__ import annotations

from campaigns.journey_definitions import MessageStep
from campaigns.models import Experiment
from campaigns.occasions import Occasion
from campaigns.selectors.journeys import live_journeys
from campaigns.selectors.policies import setting_of
from campaigns.selectors.ways import usable_channels


def ways_told(experiment: Experiment, occasion: Occasion) -> set[str]:
    """Of these, those by which something can be told."""
    setting = setting_of(occasion)
    wanted = set(setting.channels) if setting.is_on and not occasion.only_in_journeys else set()
    for found in live_journeys():
        if found.journey.program_id == experiment.program_id:
            wanted |= {
                way
                for step in found.definition.steps
                if isinstance(step, MessageStep) and step.message == occasion.code
                for way in step.channels
            }
    return wanted & {channel.key for channel in usable_channels()}
