"""Surprises: seeds are committed to as they are planned; a job draws, and gives what was drawn, to
each once."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator
from dataclasses import asdict
from decimal import Decimal
from itertools import count

from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from campaigns.campaign_definitions import offer_of
from campaigns.campaign_rules import SURPRISED, budget_in_units, subject_of
from campaigns.campaign_words import told_campaign
from campaigns.fair_draws import commitment_of, new_seed
from campaigns.models import Campaign, SurpriseDraw, SurpriseTicket
from campaigns.ready_activities import SURPRISE
from campaigns.selectors.surprises import (
    can_be_drawn,
    is_surprise,
    rehearse,
    reward_of,
    role_of,
)
from campaigns.surprise_draws import hash_of_list, in_drawn_order, places_for
from loyalty.ledger.posting import lock_wallets
from loyalty.models import Activity, ActivityType, Membership, Transfer
from loyalty.rules.calendar import add_months
from loyalty.selectors.adjustment_limits import BOUNDLESS, Limits, limits_of
from loyalty.selectors.memberships import wallet_ids, wallets_of_orders
from loyalty.services.activities import ActivityInput, record_activities
from loyalty.services.order_inputs import CustomerRef
from members.errors import ConflictError, DomainError
from members.kept_secrets import hidden, revealed
from members.languages import locale_of
from members.selectors.merges import current
from members.services.audit import SYSTEM, Actor
from rewards.models import Redemption, Reward
from rewards.services.gifts import give_reward

logger = logging.getLogger(__name__)
PIECE = 100
SOURCE = "surprise"


def needs_second_person(campaign: Campaign, actor: Actor, now: dt.datetime) -> bool:
    """Whether a round of it may give more than somebody of this role gives on their own word."""
    if not is_surprise(campaign) or actor.user is None:
        return False
    return _limits(campaign, actor).needs_approval(rehearse(campaign, now).units)


def prepare_surprise(campaign: Campaign, actor: Actor, now: dt.datetime) -> None:
    """It is being planned: commit to the seed of its first round. Raises DomainError where what it
    gives is not there, ConflictError where it is more than this person may let be given."""
    if not is_surprise(campaign):
        return
    found = rehearse(campaign, now)
    if actor.user is not None and not _limits(campaign, actor).allows(found.units):
        raise ConflictError(
            _("It may give more than your role may give at once."), code="limit_exceeded",
            status=403,
        )  # fmt: skip
    # Being surprised is an activity, as having done a challenge is.
    ActivityType.objects.get_or_create(code=SURPRISED, defaults=asdict(SURPRISE))
    assert campaign.starts_at is not None
    _begin_round(campaign, 1, max(campaign.starts_at, now))


def take_surprise_back(campaign: Campaign) -> None:
    """It is a draft again: nothing was drawn."""
    campaign.surprise_draws.filter(drawn_at=None).delete()


def next_round(draw: SurpriseDraw, now: dt.datetime) -> None:
    """Commit to the seed of the round after this one, if there is one before it ends. Rounds whose
    time went by meanwhile, as it rested, are left out: nobody is surprised twice at once."""
    campaign = draw.campaign
    if offer_of(campaign).rounds == "once":
        return
    assert campaign.ends_at is not None
    due = next(at for at in _due_times(campaign) if at > max(draw.due_at, now))
    if due < campaign.ends_at:
        _begin_round(campaign, draw.number + 1, due)


def _due_times(campaign: Campaign) -> Iterator[dt.datetime]:
    """Of all rounds from the first on, at the same time of day."""
    assert campaign.starts_at is not None
    first = campaign.starts_at.astimezone(campaign.program.zone)
    for number in count():
        if offer_of(campaign).rounds == "week":
            yield first + dt.timedelta(days=7 * number)
        else:
            day = add_months(first.date(), number)
            yield first.combine(day, first.time(), first.tzinfo)


def draw_round(draw: SurpriseDraw, now: dt.datetime) -> None:
    """Who can be drawn, and who is: written down once, and the seed revealed with it. The draw is
    held."""
    seed = revealed(draw.secret)
    if not seed:
        raise ConflictError(
            _("The key that its seed was encrypted with is gone."), code="seed_unreadable"
        )
    members = {
        str(name): pk
        for pk, name in can_be_drawn(draw.campaign, now).values_list("pk", "public_id")
    }
    chosen = places_for(offer_of(draw.campaign), len(members))
    with connection.cursor() as cursor, cursor.copy(
        "COPY campaigns_surpriseticket"
        " (draw_id, membership_id, name, proof, place, chosen, ungiven) FROM STDIN"
    ) as copy:  # fmt: skip
        for place, (name, proof) in enumerate(in_drawn_order(seed, members)):
            copy.write_row((draw.pk, members[name], name, proof, place + 1, place < chosen, ""))
    draw.revealed, draw.list_hash = seed, hash_of_list(members)
    draw.eligible, draw.chosen, draw.drawn_at = len(members), chosen, now
    draw.save()


def give_some(draw: SurpriseDraw, now: dt.datetime) -> int:
    """What was drawn, to the next of those who have not got it. Returns to how many: 0: all have.
    The draw is held, so nobody else gives it."""
    tickets = list(
        draw.tickets.filter(chosen=True, settled_at=None)
        .select_related("membership__customer", "membership__merged_into")
        .order_by("place")[:PIECE]
    )
    _lock([ticket.membership for ticket in tickets])
    reward = reward_of(draw.campaign)
    left = _rewards_left(draw.campaign, reward) if reward is not None else None
    for ticket in tickets:
        if _is_drawn_as_another(ticket):
            ticket.ungiven = _("They are one person with somebody else who was drawn.")
        elif reward is None:
            _give_units(ticket, draw, now)
        elif left is not None and left <= 0:
            ticket.ungiven = _("Its budget is used up.")
        else:
            _give_reward(ticket, draw, reward, now)
            if left is not None and ticket.redemption is not None:
                left -= 1
        ticket.settled_at = now
        ticket.save()
    return len(tickets)


def _is_drawn_as_another(ticket: SurpriseTicket) -> bool:
    """Whether it is a duplicate's, and whoever it became was drawn as well, or another duplicate
    of theirs before it."""
    kept = ticket.membership.merged_into_id
    if kept is None:
        return False
    before = Q(membership__merged_into=kept, place__lt=ticket.place)
    others = SurpriseTicket.objects.filter(Q(membership=kept) | before, draw=ticket.draw_id)
    return others.filter(chosen=True).exists()


def _begin_round(campaign: Campaign, number: int, due_at: dt.datetime) -> None:
    seed = new_seed()
    SurpriseDraw.objects.create(
        campaign=campaign, number=number, due_at=due_at, secret=hidden(seed),
        commitment=commitment_of(seed),
    )  # fmt: skip


def _limits(campaign: Campaign, actor: Actor) -> Limits:
    return limits_of(role_of(actor), campaign.program) if actor.user is not None else BOUNDLESS


def _lock(members: list[Membership]) -> None:
    """All before the first is given anything: those that units lock for one after the other."""
    if members:
        of_orders = wallets_of_orders({member.customer_id for member in members})
        lock_wallets(list({*wallet_ids(members), *of_orders}))


def _rewards_left(campaign: Campaign, reward: Reward) -> int | None:
    """How many more fit into the budget, each at its price; None: it has none."""
    budget = budget_in_units(campaign, reward.wallet_type)
    if budget is None or not reward.price:
        return None
    given = SurpriseTicket.objects.filter(draw__campaign=campaign, redemption__isnull=False)
    return int(budget // Decimal(reward.price)) - given.count()


def _give_units(ticket: SurpriseTicket, draw: SurpriseDraw, now: dt.datetime) -> None:
    """As of the draw: what counted then counts, though it is given later."""
    campaign = draw.campaign
    assert draw.drawn_at is not None
    given = ActivityInput(
        external_id=f"{draw.pk}:{ticket.name}", source=SOURCE, type=SURPRISED,
        customer=CustomerRef(key=current(ticket.membership.customer).pk),
        occurred_at=draw.drawn_at,
        subject=subject_of(campaign), subject_name=_title(ticket, campaign)[:200],
    )  # fmt: skip
    try:
        with transaction.atomic():
            [result] = record_activities(
                [given], now=now, transfer_source=Transfer.Source.JOB.value
            )
    except DomainError as error:
        logger.warning("surprise ticket %s brings no units: %s", ticket.pk, error.code)
        ticket.ungiven = str(error.message)[:200]
        return
    ticket.activity = result.activity
    if result.activity is None:
        ticket.ungiven = result.reason[:200]
        return
    units = list(result.activity.awards.values_list("units", flat=True))
    if not any(units) and result.activity.state != Activity.State.PENDING:
        ticket.ungiven = (
            _("Its budget is used up.") if units else _("No rule counted when it was given.")
        )


def _give_reward(
    ticket: SurpriseTicket, draw: SurpriseDraw, reward: Reward, now: dt.datetime
) -> None:
    member = ticket.membership.merged_into or ticket.membership
    try:
        with transaction.atomic():
            ticket.redemption, _again = give_reward(
                membership=member, reward=reward, gift=Redemption.Gift.MANY.value,
                message=_title(ticket, draw.campaign), key=f"surprise:{draw.pk}:{ticket.name}",
                source=Transfer.Source.JOB.value, actor=SYSTEM, now=now,
            )  # fmt: skip
    except DomainError as error:
        logger.warning("surprise ticket %s brings no reward: %s", ticket.pk, error.code)
        ticket.ungiven = str(error.message)[:200]


def _title(ticket: SurpriseTicket, campaign: Campaign) -> str:
    """In their language: what it is called, and why."""
    told = told_campaign(campaign, locale_of(ticket.membership.customer))
    return f"{told.title}. {told.text}" if told.text else told.title
