"""Where the screens of rewards lead to and come from."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _

from loyalty.backoffice.links import Crumbs, program_crumbs
from loyalty.models import Program, WalletType
from members.policy import AnyUser, is_allowed
from rewards.models import GiftCard, Reward

NAMESPACE = "rewards_backoffice"


def catalog_url(program: Program) -> str:
    return reverse(f"{NAMESPACE}:reward_list", args=[program.code])


def preview_url(program: Program) -> str:
    return reverse(f"{NAMESPACE}:reward_preview", args=[program.code])


def reward_url(reward: Reward) -> str:
    return reverse(f"{NAMESPACE}:reward_page", args=[reward.program.code, reward.code])


def gift_card_url(card: GiftCard) -> str:
    return reverse(f"{NAMESPACE}:gift_card_page", args=[card.public_id])


def ways_to_stored_value(user: AnyUser) -> list[tuple[Program, str]]:
    """Where whoever may do so gives programs gift cards and store credit, which have none yet."""
    if not is_allowed(user, "programs.edit"):
        return []
    found = Program.objects.exclude(status=Program.Status.ARCHIVED)
    with_some = WalletType.objects.filter(stored_value=True).values("program")
    return [(item, new_stored_value_url(item)) for item in found.exclude(pk__in=with_some)]


def new_stored_value_url(program: Program) -> str:
    address = reverse("loyalty_backoffice:wallet_type_create", args=[program.code])
    return f"{address}?sort=stored"


def gift_card_crumbs() -> Crumbs:
    """Down to the list of gift cards."""
    return [(_("Gift cards"), reverse(f"{NAMESPACE}:gift_card_list"))]


def catalog_crumbs(program: Program, reward: Reward | None = None) -> Crumbs:
    """From the list of programs down to the catalog of one, or to a reward in it."""
    crumbs = [*program_crumbs(program), (_("Rewards"), catalog_url(program))]
    return [*crumbs, (reward.name, reward_url(reward))] if reward else crumbs


def own_screen(reward: Reward) -> str:
    """Where a reward is changed together with what it is about; nothing for all others."""
    if getattr(reward, "event", None) is not None:
        return reverse(f"{NAMESPACE}:event_edit", args=[reward.program.code, reward.code])
    item = getattr(reward, "content_item", None)
    if item is not None:
        return reverse(f"{NAMESPACE}:content_edit", args=[reward.program.code, item.code])
    return ""
