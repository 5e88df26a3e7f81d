"""The catalog of a program: all rewards, one of them, and the form that changes it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from loyalty.models import Program
from loyalty.plain_numbers import units_text
from members.formatting import format_percent, format_units
from members.forms import errors_on, posted
from members.free_codes import first_free
from members.list_files import ListFile, hand_out
from members.navigation import Tab
from members.paging import paginate
from members.plain_money import money_text
from members.policy import acting, is_allowed, staff_view
from rewards.backoffice.links import (
    NAMESPACE,
    catalog_crumbs,
    catalog_url,
    new_stored_value_url,
    own_screen,
    reward_url,
)
from rewards.backoffice.reward_figures import figures
from rewards.backoffice.reward_forms import RewardForm
from rewards.backoffice.shared_codes import shared_codes_of
from rewards.models import GiftDay, Reward
from rewards.selectors.overrides import with_overrides
from rewards.selectors.redemptions import redemptions
from rewards.selectors.rewards import definition_of, rewards, with_figures
from rewards.services.pictures import copy_picture
from rewards.services.rewards import change_reward, create_reward, move_rewards
from rewards.texts import LANGUAGES
from rewards.words import conditions_of, gift_day_words, gives, icon_of

Status = Reward.Status
SHOWN = {"": Status.LIVE, "draft": Status.DRAFT, "archived": Status.ARCHIVED}


FILE: ListFile[Reward] = ListFile(
    "rewards",
    {
        "reward": lambda row: row.code,
        "name": lambda row: row.name,
        "program": lambda row: row.program.code,
        "kind": lambda row: row.kind,
        "state": lambda row: row.status,
        "price": lambda row: units_text(row.price, row.wallet_type.scale),
        "unit": lambda row: row.wallet_type.code,
        "stock": lambda row: row.stock,
        "taken": lambda row: row.taken_ever,  # type: ignore[attr-defined]
        "taken_in_30_days": lambda row: row.taken_lately,  # type: ignore[attr-defined]
        "cost_of_one": lambda row: money_text(row.cost),
    },
)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.view")
def reward_list(request: HttpRequest, code: str) -> HttpResponse:
    """The rewards of a program as cards, in the order in which members find them."""
    program = get_object_or_404(Program, code=code)
    shown = request.GET.get("show", "")
    status = SHOWN.get(shown, Status.LIVE)
    now = timezone.now()
    found = list(with_figures(rewards().filter(program=program, status=status), program, now))
    if request.method == "POST":
        return hand_out(request, FILE, found)
    path = catalog_url(program)
    context = {
        "program": program,
        "file": FILE.offered(request),
        "title": _("Rewards"),
        "breadcrumbs": catalog_crumbs(program)[:-1],
        "cards": [_card(reward) for reward in found],
        "status": status,
        "moved": request.GET.get("moved", ""),
        "any": bool(found) or Reward.objects.filter(program=program).exists(),
        "may_edit": _may_edit(request),
        "tabs": [
            Tab(_("Live"), path, current=status == Status.LIVE),
            Tab(_("Drafts"), f"{path}?show=draft", current=status == Status.DRAFT),
            Tab(_("Archived"), f"{path}?show=archived", current=status == Status.ARCHIVED),
        ],
    }
    return render(request, "rewards/backoffice/reward_list.html", context)


@require_safe
@staff_view("programs.view")
def reward_page(request: HttpRequest, code: str, reward_code: str) -> HttpResponse:
    """What a reward is, how often it is taken, and by whom."""
    reward, now = _reward(code, reward_code), timezone.now()
    found = with_figures(rewards().filter(pk=reward.pk), reward.program, now).get()
    page = paginate(
        with_overrides(redemptions().filter(reward=reward)),
        request=request,
        orderings={"": ("-created_at", "-pk")},
        default="",
        per_page=10,
    )
    context = {
        "program": reward.program,
        "reward": found,
        "title": reward.name,
        "breadcrumbs": catalog_crumbs(reward.program),
        "card": _card(found),
        "sentences": list(conditions_of(found, for_members=False)),
        "page": page,
        "may_edit": _may_edit(request),
        "gift_days": [_gift_day(item) for item in reward.gift_days.filter(stopped_at=None)],
        "may_see_codes": is_allowed(request.user, "rewards.give"),
        "tier_prices": [
            (item.tier, format_units(item.price, found.wallet_type))
            for item in found.tier_prices.all()
        ],
        "shared_codes": shared_codes_of(found),
        "can_share": found.takes_off or found.kind == Reward.Kind.ACCESS,
        "languages": [LANGUAGES[language] for language in found.texts],
        **figures(found, now),
    }
    return render(request, "rewards/backoffice/reward_page.html", context)


@require_safe
@staff_view("programs.view")
def reward_by_id(_request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Where the log's entries lead to."""
    return redirect(reward_url(get_object_or_404(rewards(), public_id=public_id)))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def reward_create(request: HttpRequest, code: str) -> HttpResponse:
    """A new reward; it is a draft until it is put on the shelf."""
    program = get_object_or_404(Program, code=code)
    form = RewardForm(posted(request), program=program, reward=None, now=timezone.now())
    if form.is_valid() and (definition := form.definition()):
        with errors_on(form):
            code = _free(program, definition.code)
            definition = definition.model_copy(update={"code": code})
            reward = create_reward(program=program, definition=definition, actor=acting(request))
            messages.success(request, _("The reward is a draft. Look at it, then put it live."))
            return redirect(reward_url(reward))
    context = {
        "title": _("New reward"),
        "submit": _("Save as draft"),
        "back": catalog_url(program),
    }
    return _form_page(request, program, form, context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def reward_edit(request: HttpRequest, code: str, reward_code: str) -> HttpResponse:
    """Another price, other terms, from now on; what was taken stays as it was told."""
    reward = _reward(code, reward_code)
    if place := own_screen(reward):
        return redirect(place)
    form = RewardForm(posted(request), program=reward.program, reward=reward, now=timezone.now())
    if form.is_valid() and (definition := form.definition()):
        with errors_on(form):
            change_reward(reward=reward, definition=definition, actor=acting(request))
            messages.success(request, _("The reward was changed."))
            return redirect(reward_url(reward))
    context = {
        "title": _("Change %s") % reward.name, "submit": _("Save"), "back": reward_url(reward),
        "reward": reward,
    }  # fmt: skip
    return _form_page(request, reward.program, form, context)


@require_POST
@staff_view("programs.edit")
def reward_state(request: HttpRequest, code: str, reward_code: str) -> HttpResponse:
    """Put it on the shelf, take it off, or let it be a draft again."""
    reward = _reward(code, reward_code)
    wanted = request.POST.get("status", "")
    words = {
        Status.LIVE: _("Members can take it now."),
        Status.ARCHIVED: _("Nobody can take it any more. What was taken can still be used."),
        Status.DRAFT: _("It is a draft again."),
    }
    if wanted in words:
        definition = definition_of(reward).model_copy(update={"status": wanted})
        change_reward(reward=reward, definition=definition, actor=acting(request))
        messages.success(request, words[Status(wanted)])
    return HttpResponseRedirect(reward_url(reward))


@require_POST
@staff_view("programs.edit")
def reward_duplicate(request: HttpRequest, code: str, reward_code: str) -> HttpResponse:
    """A draft that is like it."""
    reward = _reward(code, reward_code)
    if place := own_screen(reward):
        return redirect(place)
    name = (_("%s (copy)") % reward.name)[:80]
    changes: dict[str, Any] = {
        "code": _free(reward.program, reward.code), "status": "draft", "name": name,
    }  # fmt: skip
    copy = create_reward(
        program=reward.program, definition=definition_of(reward).model_copy(update=changes),
        actor=acting(request),
    )  # fmt: skip
    copy_picture(of=reward, to=copy, actor=acting(request))
    return redirect(reverse(f"{NAMESPACE}:reward_edit", args=[code, copy.code]))


@require_POST
@staff_view("programs.edit")
def reward_move(request: HttpRequest, code: str, reward_code: str) -> HttpResponse:
    """One place earlier or later among those that are shown with it, or to where it was dragged
    (`place`, from 0)."""
    reward = _reward(code, reward_code)
    shelf = Reward.objects.filter(program=reward.program, status=reward.status)
    siblings = list(shelf.values_list("pk", flat=True))
    wanted = _place(request, siblings.index(reward.pk))
    if wanted is not None and 0 <= wanted < len(siblings):
        siblings.remove(reward.pk)
        siblings.insert(wanted, reward.pk)
        move_rewards(program=reward.program, order=siblings, actor=acting(request))
    shown = {status: name for name, status in SHOWN.items()}[Status(reward.status)]
    asked = urlencode({"show": shown, "moved": reward.code} if shown else {"moved": reward.code})
    return HttpResponseRedirect(f"{catalog_url(reward.program)}?{asked}")


def _place(request: HttpRequest, before: int) -> int | None:
    """Where it is to be, from 0; None: nobody said so."""
    dragged, way = request.POST.get("place", ""), request.POST.get("to", "")
    if dragged:
        return int(dragged) if dragged.isascii() and dragged.isdecimal() else None
    return {"earlier": before - 1, "later": before + 1}.get(way)


def _reward(code: str, reward_code: str) -> Reward:
    return get_object_or_404(rewards(), program__code=code, code=reward_code)


def _card(reward: Reward) -> dict[str, Any]:
    left, stock = reward.left, reward.stock
    return {
        "reward": reward,
        "url": reward_url(reward),
        "icon": icon_of(reward),
        "gives": gives(reward),
        "price": format_units(reward.price, reward.wallet_type),
        "left": left,
        "used": _used_share(reward),
        "share": int(100 * (left or 0) / stock) if stock else None,
    }


def _gift_day(gift_day: GiftDay) -> GiftDay:
    """With what is said of it."""
    gift_day.words = gift_day_words(gift_day)  # type: ignore[attr-defined]
    return gift_day


def _used_share(reward: Reward) -> str:
    """Of what was taken, where that was counted."""
    taken = getattr(reward, "taken_ever", 0)
    return format_percent(getattr(reward, "used_ever", 0) / taken, digits=0) if taken else "–"


def _free(program: Program, stem: str) -> str:
    """The code, or the first with a number after it that no reward of the program has."""
    return first_free(stem[:56], set(program.rewards.values_list("code", flat=True)))


def _form_page(
    request: HttpRequest, program: Program, form: RewardForm, context: dict[str, Any]
) -> HttpResponse:
    shown = {
        "program": program, "form": form,
        "stored_value_url": new_stored_value_url(program) if form.lacks_stored_value else "",
        "breadcrumbs": catalog_crumbs(program, context.get("reward")), **context,
    }  # fmt: skip
    status = 422 if form.errors else 200
    return render(request, "rewards/backoffice/reward_form.html", shown, status=status)


def _may_edit(request: HttpRequest) -> bool:
    return is_allowed(request.user, "programs.edit")
