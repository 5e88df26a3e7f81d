"""What messages are about: the topics that come with Setia, and the merchant's own."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_http_methods, require_safe

from campaigns.backoffice.places import NAMESPACE, crumbs, tabs
from campaigns.models import OwnTopic
from campaigns.models.consents import TOPIC_CODE, TOPIC_WORDS
from campaigns.selectors.consents import Answered
from campaigns.selectors.policies import get_policy
from campaigns.services.topics import TEXTS, change_topic, create_topic, put_away
from campaigns.slow_figures import TOPICS_SAID
from campaigns.topics import TOPICS, own_topics
from members.forms import errors_on, posted
from members.policy import acting, is_allowed, staff_view
from members.responses import dialog_done, figures_for
from members.selectors.merchants import get_merchant
from rewards.texts import other_languages

ACTION = "messages.edit"


class TopicForm(forms.Form):
    """A topic; what is empty in another language is as in the merchant's own."""

    code = forms.RegexField(
        TOPIC_CODE, label=_l("Code"), max_length=16, error_messages={"invalid": TOPIC_WORDS},
        help_text=_l("For files and programs, like “new_products”. It does not change."),
    )  # fmt: skip
    name = forms.CharField(label=_l("Name"), max_length=60)
    sentence = forms.CharField(
        label=_l("In a sentence"), max_length=200,
        help_text=_l("What somebody gets who says yes to it."),
    )  # fmt: skip
    opt_in_only = forms.BooleanField(
        label=_l("Only with a yes"), required=False, initial=True,
        help_text=_l("Nobody is told who has not said yes, whatever holds for others."),
    )  # fmt: skip
    asked_at_join = forms.BooleanField(
        label=_l("Ask whoever joins"), required=False,
        help_text=_l("With a box that is not ticked, for each way that you write by."),
    )  # fmt: skip
    is_away = forms.BooleanField(
        label=_l("Offered no more"), required=False,
        help_text=_l("What people said of it stays on record."),
    )  # fmt: skip

    def __init__(self, data: Any = None, *, topic: OwnTopic | None = None) -> None:
        initial: dict[str, Any] = {}
        if topic is not None:
            names = ("name", "sentence", "opt_in_only", "asked_at_join")
            initial = {name: getattr(topic, name) for name in names}
            initial["is_away"] = topic.archived_at is not None
        super().__init__(data, initial=initial)
        self.fields.pop("code" if topic is not None else "is_away")
        self.languages = other_languages(get_merchant().locale)
        texts = topic.texts if topic is not None else {}
        for code, language in self.languages:
            for name, longest in TEXTS.items():
                self.fields[f"{name}_{code}"] = forms.CharField(
                    label=f"{self.fields[name].label} · {language}", max_length=longest,
                    required=False, initial=texts.get(code, {}).get(name, ""),
                )  # fmt: skip

    def said(self) -> dict[str, Any]:
        data = self.cleaned_data
        names = ("name", "sentence", "opt_in_only", "asked_at_join")
        texts = {
            code: {name: data[f"{name}_{code}"] for name in TEXTS} for code, _name in self.languages
        }
        return {name: data[name] for name in names} | {"texts": texts}


@require_safe
@staff_view("programs.view")
def topic_list(request: HttpRequest) -> HttpResponse:
    """All of them, with how many said yes and no."""
    figures = figures_for(request, TOPICS_SAID, timezone.now())
    assumed, said = get_policy().assumed_topics, figures.value if figures else {}
    own = {topic.code for topic in own_topics()}
    rows = [
        (topic, topic.code in own, topic.code in assumed, said.get(topic.code, Answered()))
        for topic in [*TOPICS.values(), *own_topics(put_away=True)]
    ]
    away = set(OwnTopic.objects.exclude(archived_at=None).values_list("pk", flat=True))
    context = {
        "title": _("What messages are about"), "breadcrumbs": crumbs(), "tabs": tabs("topic_list"),
        "figures": figures, "rows": rows, "away": away, "own": own | away,
        "may_edit": is_allowed(request.user, ACTION),
    }  # fmt: skip
    return render(request, "messages/backoffice/topic_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(ACTION)
def topic_create(request: HttpRequest) -> HttpResponse:
    """A further topic."""
    form = TopicForm(posted(request))
    if form.is_valid():
        with errors_on(form):
            made = create_topic(
                code=form.cleaned_data["code"], actor=acting(request), **form.said()
            )
            return _done(request, _("Messages can be about “%s” from now on.") % made.name)
    return _dialog(request, form, _("New topic"), _("Add topic"))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(ACTION)
def topic_edit(request: HttpRequest, code: str) -> HttpResponse:
    """What a topic of the merchant's is called, and who is told."""
    topic = get_object_or_404(OwnTopic, pk=code)
    form = TopicForm(posted(request), topic=topic)
    if form.is_valid():
        with errors_on(form):
            changed = change_topic(topic=topic, actor=acting(request), **form.said())
            put_away(
                topic=changed, away=form.cleaned_data["is_away"], actor=acting(request),
                now=timezone.now(),
            )  # fmt: skip
            return _done(request, _("“%s” is saved.") % changed.name)
    return _dialog(request, form, topic.name, _("Save topic"))


def _dialog(request: HttpRequest, form: TopicForm, title: str, submit: str) -> HttpResponse:
    context = {"title": title, "form": form, "submit": submit, "back": _url()}
    status = 422 if form.is_bound else 200
    return render(request, "loyalty/backoffice/settings_dialog.html", context, status=status)


def _done(request: HttpRequest, message: str) -> HttpResponse:
    return dialog_done(request, url=_url(), changed="topic", message=message)


def _url() -> str:
    return reverse(f"{NAMESPACE}:topic_list")
