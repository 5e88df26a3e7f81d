"""What the member saves for, and what is taken by itself: chosen on the page of a reward."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from loyalty.account.chosen import choose_membership
from loyalty.models import Membership
from loyalty.unit_input import ADD, read_units
from members.account.access import CustomerRequest, customer_view
from members.errors import DomainError
from members.formatting import format_units
from members.languages import locale_of
from members.services.audit import Actor
from rewards.models import AutoTake, Reward, RewardGoal
from rewards.selectors.rewards import offered
from rewards.services.eligibility import Offer
from rewards.services.wishes import choose_goal, drop_goal, end_auto_take, set_auto_take
from rewards.texts import told
from rewards.words import icon_of


@dataclass(frozen=True, slots=True)
class GoalCard:
    """The reward that a member saves for. `share`: how far they have come, in percent; `missing`:
    what they lack, in words, or nothing; `reason`: why they could not take it now, if so."""

    reward: Reward
    name: str
    icon: str
    url: str
    has: str
    price: str
    share: int
    missing: str
    reason: str


def goal_card(offer: Offer, membership: Membership, held: int) -> GoalCard:
    """For the home page. `held`: what they can spend of its units."""
    reward, unit = offer.reward, offer.reward.wallet_type
    missing = max(offer.price - held, 0)
    return GoalCard(
        reward=reward,
        name=told(reward, locale_of(membership.customer)).name,
        icon=icon_of(reward),
        url=reverse("rewards_account:reward", args=[membership.public_id, reward.public_id]),
        has=format_units(min(held, offer.price), unit),
        price=format_units(offer.price, unit),
        share=min(100 * max(held, 0) // offer.price, 100) if offer.price else 100,
        missing=format_units(missing, unit) if missing else "",
        reason=offer.refusals[0].words if offer.refusals else "",
    )


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a member has chosen about a reward. `at`: the balance at which it is taken, in words."""

    is_goal: bool
    auto: AutoTake | None
    at: str
    waits: bool


def wishes_about(membership: Membership, reward: Reward) -> Wishes:
    goal = RewardGoal.objects.filter(membership=membership, reward=reward).exists()
    auto = AutoTake.objects.filter(membership=membership, reward=reward).first()
    at = format_units(auto.balance, reward.wallet_type) if auto else ""
    return Wishes(goal, auto, at, bool(auto and not auto.armed))


@require_POST
@customer_view
def reward_goal(
    request: CustomerRequest, public_id: uuid.UUID, reward_id: uuid.UUID
) -> HttpResponse:
    """Save for it, or for nothing any more."""
    member, found = _named(request, public_id, reward_id)
    actor = Actor.of_user(request.user)
    if request.POST.get("goal") == "off":
        drop_goal(membership=member, actor=actor)
        messages.success(request, _("It is not your goal any more."))
    else:
        choose_goal(membership=member, reward=found, actor=actor, now=timezone.now())
        messages.success(request, _("You save for it now. Your home page shows how far you are."))
    return _back(member, found)


@require_POST
@customer_view
def reward_auto(
    request: CustomerRequest, public_id: uuid.UUID, reward_id: uuid.UUID
) -> HttpResponse:
    """Have it taken whenever there is enough, or by hand again."""
    member, found = _named(request, public_id, reward_id)
    actor = Actor.of_user(request.user)
    if request.POST.get("auto") == "off":
        end_auto_take(membership=member, reward=found, actor=actor)
        messages.success(request, _("It is not taken by itself any more."))
        return _back(member, found)
    try:
        said = request.POST.get("balance", "").strip()[:32]
        balance = read_units(said, found.wallet_type, direction=ADD) if said else None
        set_auto_take(
            membership=member, reward=found, balance=balance, actor=actor, now=timezone.now()
        )
        messages.success(request, _("It will be taken for you when you have enough."))
    except DomainError as error:
        messages.error(request, str(error.message))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return _back(member, found)


def _named(
    request: CustomerRequest, public_id: uuid.UUID, reward_id: uuid.UUID
) -> tuple[Membership, Reward]:
    chosen = choose_membership(request, public_id)
    found = offered(chosen.membership.program).filter(public_id=reward_id) if chosen else None
    reward = found.first() if found is not None else None
    if chosen is None or reward is None:
        raise Http404("The program offers no such reward.")
    return chosen.membership, reward


def _back(member: Membership, reward: Reward) -> HttpResponse:
    address = reverse("rewards_account:reward", args=[member.public_id, reward.public_id])
    return HttpResponseRedirect(address)
