"""The demonstration's experiments: one that runs, one that has ended and says something, a draft,
and one that compares the words of a message."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from campaigns.campaign_definitions import CampaignDefinition
from campaigns.experiment_definitions import ExperimentDefinition
from campaigns.models import Experiment, ExperimentMember, OccasionSetting
from campaigns.news import News
from campaigns.services.campaigns import create_campaign
from campaigns.services.experiment_clock import look_at
from campaigns.services.experiments import create_experiment, start_experiment
from campaigns.services.messages import write_messages
from campaigns.services.told_rewards import BIRTHDAY
from loyalty.demo.parts import register_demo_part
from loyalty.models import Membership, Program, Transfer
from loyalty.rules.calendar import start_of_day
from loyalty.services.order_inputs import CustomerRef, LineInput, OrderInput
from loyalty.services.orders import record_orders
from members.services.audit import SYSTEM

# After the promotions, in the order of names; before the challenges, which count what is bought.
PART = "told_campaigns_experiments"
# After the messages are told.
WORDS_PART = "told_messages_experiments"
SOURCE = "demo-experiments"
BASKETS = {
    "name": "Bonus or nothing", "question": "Do members spend more if an order of 30 brings 100 "
    "Acorns on top?", "measure": "revenue", "smallest": 25, "weeks": 1,
}  # fmt: skip
REACH = {
    "name": "From 60 or from 90", "question": "Do members spend more for 80 Acorns from 60 or for "
    "150 Acorns from 90?", "measure": "revenue", "smallest": 20, "weeks": 4,
}  # fmt: skip
OFF = {
    "name": "Percent or Acorns", "question": "Is 5% off worth more to members than twice the "
    "Acorns?", "measure": "ordered", "smallest": 15,
}  # fmt: skip
GREETING = {
    "name": "Plain or warm", "question": "Do more members buy after a warmer birthday message?",
    "measure": "ordered", "smallest": 30, "weeks": 4, "compares": "messages",
    "message": BIRTHDAY.code,
}  # fmt: skip
WARM = {
    "channel": "inbox", "locale": "en", "subject": "Happy birthday{{#given_name}}, "
    "{{ given_name }}{{/given_name}}!", "body": "We thought of you: {{ gift }} from all of us.",
}  # fmt: skip
# Some of those who have not found anything else in their inbox.
GREETED = slice(40, 240)
# By the arm's place: the share who buy, and what they spend on average.
ENDED_LIKE, RUNNING_LIKE = ((0.35, 31), (0.75, 52)), ((0.25, 33), (0.29, 34))
GIFT = {"gift": "100 Acorns", "words": "", "code": "", "until": ""}
Offer = tuple[str, str, dict[str, Any]]


def register() -> None:
    """Called once, when the application is ready."""
    register_demo_part(PART, show_experiments)
    register_demo_part(WORDS_PART, show_words)


@transaction.atomic
def show_experiments(program: Program) -> None:
    """Made once, however often the demonstration is loaded."""
    if Experiment.objects.filter(program=program, compares="promotions").exists():
        return
    now = timezone.now()
    today = now.astimezone(program.zone).date()

    def at(days: int) -> dt.datetime:
        return start_of_day(today + dt.timedelta(days=days), program.zone)

    bonus: Offer = ("100 Acorns from 30", "spend-get", {"reach": 30, "units": 100})
    over = _write(program, BASKETS, at(-21), [("As it is", 50, None), ("Bonus", 50, bonus)])
    over = start_experiment(experiment=over, actor=SYSTEM, now=at(-20))
    # Not a week of the calendar later: the clocks may change in it.
    assert over.ends_at is not None
    _buy(over, ENDED_LIKE, over.ends_at)
    look_at(over, over.ends_at)
    lower: Offer = ("80 Acorns from 60", "spend-get", {"reach": 60, "units": 80})
    higher: Offer = ("150 Acorns from 90", "spend-get", {"reach": 90, "units": 150})
    runs = _write(program, REACH, at(-4), [("From 60", 50, lower), ("From 90", 50, higher)])
    runs = start_experiment(experiment=runs, actor=SYSTEM, now=at(-3))
    _buy(runs, RUNNING_LIKE, now)
    look_at(runs, now)
    percent: Offer = ("5% off", "percent-off", {"percent": 5})
    again: Offer = ("Twice the Acorns", "points-weekend", {"factor": 2})
    _write(program, OFF, now, [("Acorns", 50, again), ("Percent", 50, percent)])


@transaction.atomic
def show_words(program: Program) -> None:
    """Made once; members had their birthday since it began."""
    setting = OccasionSetting.objects.filter(code=BIRTHDAY.code, is_on=True).first()
    known = Experiment.objects.filter(program=program, compares="messages")
    if setting is None or known.exists():
        return
    now = timezone.now()
    arms = [{"name": "As it is", "share": 50}, {"name": "Warm", "share": 50, "words": [WARM]}]
    definition = ExperimentDefinition.model_validate({**GREETING, "arms": arms})
    began = now - dt.timedelta(days=9)
    runs = create_experiment(program=program, definition=definition, actor=SYSTEM, now=began)
    runs = start_experiment(experiment=runs, actor=SYSTEM, now=began)
    setting.channels = ["inbox"]
    members = Membership.objects.filter(program=program, status=Membership.Status.ACTIVE)
    for number, member in enumerate(members.select_related("customer").order_by("pk")[GREETED]):
        write_messages(
            occasion=BIRTHDAY, setting=setting, now=began + dt.timedelta(hours=1 + number),
            news=[News(member.customer, f"{SOURCE}:{member.pk}", lambda: GIFT, member)],
        )  # fmt: skip
    _buy(runs, RUNNING_LIKE, now)
    look_at(runs, now)


def _write(
    program: Program, said: dict[str, Any], now: dt.datetime,
    arms: list[tuple[str, int, Offer | None]],
) -> Experiment:  # fmt: skip
    """With the drafts of what its arms get."""
    shown = [
        {"name": name, "share": share, "promotion": _draft(program, offer, now) if offer else ""}
        for name, share, offer in arms
    ]
    definition = ExperimentDefinition.model_validate({**said, "arms": shown})
    return create_experiment(program=program, definition=definition, actor=SYSTEM, now=now)


def _draft(program: Program, offer: Offer, now: dt.datetime) -> str:
    name, template, gives = offer
    definition = CampaignDefinition.model_validate(
        {"name": name, "title": name, "template": template, "offer": gives}
    )
    return create_campaign(program=program, definition=definition, actor=SYSTEM, now=now).code


def _buy(experiment: Experiment, like: tuple[tuple[float, int], ...], until: dt.datetime) -> None:
    """Members order in its time, those of one arm more than those of the other."""
    orders = list(_orders(experiment, like, until))
    for first in range(0, len(orders), 50):
        record_orders(
            orders[first : first + 50], now=until, transfer_source=Transfer.Source.API,
            program_ids=[experiment.program_id],
        )  # fmt: skip


def _orders(
    experiment: Experiment, like: tuple[tuple[float, int], ...], until: dt.datetime
) -> Iterator[OrderInput]:
    assert experiment.started_at is not None
    chance = random.Random(experiment.code)
    rows = ExperimentMember.objects.filter(experiment=experiment)
    for row in rows.select_related("membership", "arm").order_by("pk"):
        share, mean = like[row.arm.place]
        if chance.random() >= share:
            continue
        total = Decimal(str(round(max(6, chance.gauss(mean, 12)), 2)))
        since = row.since or experiment.started_at
        at = since + (until - since) * chance.uniform(0.02, 0.98)
        yield OrderInput(
            f"{experiment.code}-{row.pk}", at, experiment.program.currency, total,
            CustomerRef(key=row.membership.customer_id), SOURCE, channel="store",
            lines=(LineInput(1, total, sku="BASKET", name="Groceries", category="GROCERY"),),
        )  # fmt: skip
