"""What staff fill in about posts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from campaigns.models import Post
from campaigns.post_words import TEXTS
from campaigns.services.posts import LONGEST, PostTerms
from loyalty.models import Program
from loyalty.rule_conditions import OCCASION_SCOPES
from members.backoffice.condition_builder import ConditionField
from rewards.backoffice.event_forms import MomentField, said_moment, shown_moment
from rewards.models import ContentItem

_MARKDOWN = _l(
    "Markdown: # for a heading, **bold**, *leaning*, - for a list, [words](https://…) for a link."
)


class PostForm(forms.Form):
    """What it says, who may read it, and when."""

    title = forms.CharField(label=_l("Title"), max_length=120)
    teaser = forms.CharField(
        label=_l("Teaser"), max_length=300, required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_l("All members see it, also those who may not read the rest."),
    )  # fmt: skip
    body = forms.CharField(
        label=_l("Text"), max_length=LONGEST, required=False, help_text=_MARKDOWN,
        widget=forms.Textarea(attrs={"rows": 12}),
    )  # fmt: skip
    item = forms.ModelChoiceField(
        ContentItem.objects.none(), label=_l("Something of the library with it"), required=False,
        empty_label=_l("Nothing"),
    )  # fmt: skip
    picture = forms.FileField(
        label=_l("Picture"), required=False,
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
        help_text=_l("PNG, JPEG or WebP, at most 512 kB, best twice as wide as high."),
    )  # fmt: skip
    no_picture = forms.BooleanField(label=_l("Go without a picture"), required=False)
    when = ConditionField(
        scopes=OCCASION_SCOPES, label=_l("Who may read it"), everything=_l("Every member."),
    )  # fmt: skip
    publish_at = MomentField(
        label=_l("Appears"), required=False, help_text=_l("Empty: when you publish it.")
    )
    opens_at = MomentField(
        label=_l("Opens for everybody"), required=False,
        help_text=_l("Before that it is read by members whose tier has early access, as many hours"
                     " earlier as it says. Empty: everybody at once."),
    )  # fmt: skip
    pinned = forms.BooleanField(label=_l("On top of the others"), required=False)
    comments_open = forms.BooleanField(
        label=_l("Members may comment"), required=False, initial=True,
        help_text=_l("Nothing is shown before you let it through."),
    )  # fmt: skip
    by_message = forms.BooleanField(
        label=_l("Tell those who may read it"), required=False,
        help_text=_l("As far as they want to be told of what is new. The occasion “Something new to"
                     " read” has to be on."),
    )  # fmt: skip

    def __init__(self, data: Any, files: Any, *, program: Program, post: Post | None) -> None:
        self.program = program
        super().__init__(data, files, initial=_initial(post) if post else {})
        choice = self.fields["item"]
        assert isinstance(choice, forms.ModelChoiceField)
        choice.queryset = program.content.exclude(status="archived").order_by("title")
        if post is None or not post.picture:
            del self.fields["no_picture"]

    def terms(self) -> PostTerms:
        data = self.cleaned_data
        plain = ("title", "teaser", "body", "item", "pinned", "comments_open", "by_message")
        return PostTerms(
            **{name: data[name] for name in plain}, when=data["when"] or {},
            publish_at=said_moment(data["publish_at"], self.program),
            opens_at=said_moment(data["opens_at"], self.program),
        )  # fmt: skip


class PostTextsForm(forms.Form):
    """A post in another language; what is left empty is as in the first one."""

    title = forms.CharField(label=_l("Title"), max_length=120, required=False)
    teaser = forms.CharField(
        label=_l("Teaser"), max_length=300, required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip
    body = forms.CharField(
        label=_l("Text"), max_length=LONGEST, required=False, help_text=_MARKDOWN,
        widget=forms.Textarea(attrs={"rows": 12}),
    )  # fmt: skip

    def __init__(self, data: Any, *, post: Post, language: str) -> None:
        super().__init__(data, initial=post.texts.get(language, {}))
        for name in ("title", "teaser"):
            if said := getattr(post, name):
                self.fields[name].help_text = _("In the first language: %s") % said

    def texts(self) -> dict[str, str]:
        return {name: self.cleaned_data[name] for name in TEXTS}


def _initial(post: Post) -> dict[str, Any]:
    plain = (
        "title", "teaser", "body", "item", "when", "pinned", "comments_open", "by_message",
    )  # fmt: skip
    return {
        **{name: getattr(post, name) for name in plain},
        "publish_at": shown_moment(post.publish_at, post.program),
        "opens_at": shown_moment(post.opens_at, post.program),
    }
