"""Writing what the arms of an experiment on a message say, in the editor of messages; and what the
better arm said as what is to be saved there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from csp.constants import SELF
from csp.decorators import csp_update
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_POST

from campaigns.backoffice.editor import (
    Place,
    archive_page,
    preview_page,
    test_page,
    words_page,
)
from campaigns.backoffice.experiment_menu import NAMESPACE
from campaigns.backoffice.experiments import crumbs, experiment_url, find_experiment
from campaigns.backoffice.occasions import shown_ways, ways_of
from campaigns.channels import Channel, channel_named
from campaigns.models import Experiment, ExperimentArm
from campaigns.occasions import occasion_named
from campaigns.ready_texts import ready_languages
from campaigns.selectors.policies import setting_of
from campaigns.selectors.templates import templates_of, versions_of_variants
from campaigns.services.arm_words import put_arm_words_away, write_arm_words
from members.policy import acting, is_allowed, require, staff_view
from members.selectors.merchants import get_merchant

# What customers of all programs may come to read, as the words of messages are.
WRITE = "messages.edit"


@dataclass(frozen=True, slots=True)
class ArmWords:
    """What an arm says by a way, in a language; without a subject what it might say. `use_url`:
    where it is saved as what the message says."""

    way: Channel
    locale: str
    url: str
    subject: str = ""
    use_url: str = ""


def words_by_arm(found: Experiment) -> dict[int, list[ArmWords]]:
    """By place; nothing where no words are compared."""
    if not found.occasion:
        return {}
    arms = list(found.arms.all())
    rows = versions_of_variants([arm.variant for arm in arms])
    return {
        arm.place: [
            ArmWords(
                way, row.template.locale, _url(found, arm.place, way, row.template.locale),
                row.subject, _use_url(found, arm, way, row.template.locale),
            )
            for row in rows[arm.variant]
            if (way := channel_named(row.template.channel)) is not None
        ]
        for arm in arms
    }  # fmt: skip


def unwritten(found: Experiment, arm: ExperimentArm, written: Sequence[ArmWords]) -> list[ArmWords]:
    """Where it could say something, and does not yet; the merchant's language first."""
    occasion = occasion_named(found.occasion)
    if occasion is None or arm.place == 0:
        return []
    known = {(item.way.key, item.locale) for item in written}
    own = [template.locale for template, _number, _at in templates_of(occasion.code)]
    locales = dict.fromkeys([get_merchant().locale, *own, *ready_languages()])
    return [
        ArmWords(way, locale, _url(found, arm.place, way, locale))
        for locale in locales
        for way in shown_ways(occasion, setting_of(occasion))
        if (way.key, locale) not in known
    ]


def usable_words(found: Experiment, words: Mapping[int, Sequence[ArmWords]]) -> list[ArmWords]:
    """Those of the better arm, once it has ended."""
    if found.status != Experiment.Status.ENDED or found.winner is None:
        return []
    return list(words.get(found.winner, ()))


@csp_update({"frame-src": [SELF]})  # type: ignore[arg-type]
@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.view")
def arm_words(
    request: HttpRequest, public_id: UUID, place: int, channel: str, locale: str
) -> HttpResponse:
    """The words, with what they may use beside them, and as they will be read."""
    if request.method == "POST":
        require(request.user, WRITE)
    return words_page(request, _place(request, public_id, place, channel, locale))


@xframe_options_sameorigin
@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.view")
def arm_preview(
    request: HttpRequest, public_id: UUID, place: int, channel: str, locale: str
) -> HttpResponse:
    """What it says, or what is being written, as it will be read."""
    return preview_page(request, _place(request, public_id, place, channel, locale))


@csp_update({"frame-src": [SELF]})  # type: ignore[arg-type]
@require_POST
@staff_view(WRITE)
def arm_test(
    request: HttpRequest, public_id: UUID, place: int, channel: str, locale: str
) -> HttpResponse:
    """Send what is being written to oneself; nothing is saved."""
    return test_page(request, _place(request, public_id, place, channel, locale))


@require_POST
@staff_view(WRITE)
def arm_archive(
    request: HttpRequest, public_id: UUID, place: int, channel: str, locale: str
) -> HttpResponse:
    """It says what is said without the experiment."""
    return archive_page(request, _place(request, public_id, place, channel, locale))


def _place(request: HttpRequest, public_id: UUID, place: int, channel: str, locale: str) -> Place:
    found = find_experiment(public_id)
    arm = next((arm for arm in found.arms.all() if arm.place == place), None)
    occasion = occasion_named(found.occasion)
    way = channel_named(channel)
    if arm is None or occasion is None or not place or way not in ways_of(occasion):
        raise Http404("It says nothing there.")
    assert way is not None
    return Place(
        occasion, way, locale,
        is_allowed(request.user, WRITE) and found.status == Experiment.Status.DRAFT,
        lambda page, of: reverse(
            f"{NAMESPACE}:arm_{page}", args=[public_id, place, way.key, of]
        ),
        experiment_url(found), crumbs(found),
        save=lambda words: write_arm_words(
            arm=arm, channel=way, locale=locale, words=words, actor=acting(request),
            now=timezone.now(),
        ),
        put_away=lambda template: put_arm_words_away(
            arm=arm, template=template, actor=acting(request), now=timezone.now()
        ),
        program=found.program, variant=arm.variant, label=arm.name,
    )  # fmt: skip


def _url(found: Experiment, place: int, way: Channel, locale: str) -> str:
    return reverse(f"{NAMESPACE}:arm_words", args=[found.public_id, place, way.key, locale])


def _use_url(found: Experiment, arm: ExperimentArm, way: Channel, locale: str) -> str:
    url = reverse("messages_backoffice:words", args=[found.occasion, way.key, locale])
    return f"{url}?{urlencode({'of': arm.variant})}"
