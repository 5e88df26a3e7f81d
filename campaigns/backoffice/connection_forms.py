"""What staff fill in about connections. The services check the values; these forms ask for them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from campaigns.channels import sending_channels
from campaigns.connectors.mapping import Sample
from campaigns.connectors.said_consents import TOPIC
from campaigns.connectors.targets import ACTIVITY, CONSENT, CUSTOMER, ORDER, TARGETS, Target
from campaigns.models import Connection, InboundMessage
from campaigns.selectors.connections import Wanted, known_topics, list_connections
from campaigns.topics import choosable_topics
from loyalty.models import Program
from loyalty.selectors.activity_types import activity_type_choices

LONGEST_SAMPLE = 100_000
PLAIN = {"spellcheck": "false", "autocomplete": "off"}
WHATS = {
    ORDER: _l("Orders"),
    CUSTOMER: _l("Customers"),
    ACTIVITY: _l("Something that people did: a review, a subscription, a visit"),
    CONSENT: _l("What people want to be told: a yes, or a no"),
}


def _program() -> forms.ModelChoiceField[Program]:
    return forms.ModelChoiceField(
        Program.objects.order_by("name"), label=_l("Program"), required=False,
        empty_label=_l("All programs"), to_field_name="code",
        help_text=_l("With one, its orders count in no other."),
    )  # fmt: skip


class ConnectionForm(forms.Form):
    """A new one. What is asked for depends little on its kind, so it is asked at once."""

    kind = forms.ChoiceField(
        label=_l("What is connected"), widget=forms.RadioSelect, initial=Connection.Kind.SHOPIFY,
        choices=[
            (Connection.Kind.SHOPIFY, _l("A Shopify shop")),
            (Connection.Kind.WOOCOMMERCE, _l("A WooCommerce shop")),
            (Connection.Kind.MAPPED,
             _l("Something else: reviews, a newsletter, subscriptions, another shop")),
        ],
    )  # fmt: skip
    name = forms.CharField(
        label=_l("Name"), max_length=100, help_text=_l("For colleagues, for example: Web shop.")
    )
    source = forms.CharField(
        label=_l("Source"), max_length=32, initial="shop", widget=forms.TextInput(attrs=PLAIN),
        help_text=_l("Under this name its orders are kept. If you have brought in orders of this"
                     " shop before, write the source that you used."),
    )  # fmt: skip
    customer_prefix = forms.CharField(
        label=_l("Before customer numbers"), max_length=16, required=False,
        widget=forms.TextInput(attrs=PLAIN),
        help_text=_l("Only for a second shop, whose customer 17 is somebody else than the first"
                     " one’s: for example “outlet-”."),
    )  # fmt: skip
    program = _program()


class EditForm(forms.Form):
    name = forms.CharField(label=_l("Name"), max_length=100)
    program = _program()


class SecretForm(forms.Form):
    secret = forms.CharField(
        label=_l("Secret of the shop"), max_length=200,
        widget=forms.TextInput(attrs=PLAIN | {"class": "mono"}),
        help_text=_l("It is kept encrypted and not shown again."),
    )  # fmt: skip


class HistoryForm(forms.Form):
    """Where the shop's API is and what opens it; left empty, what is kept goes on to open it."""

    shop_url = forms.CharField(
        label=_l("Address of the shop"), max_length=300, widget=forms.TextInput(attrs=PLAIN)
    )
    key = forms.CharField(
        label=_l("Key"), max_length=200, required=False,
        widget=forms.TextInput(attrs=PLAIN | {"class": "mono"}),
    )  # fmt: skip
    secret = forms.CharField(
        label=_l("Secret of the key"), max_length=200, required=False,
        widget=forms.TextInput(attrs=PLAIN | {"class": "mono"}),
    )  # fmt: skip
    since = forms.DateField(
        label=_l("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_l("Empty: from the beginning."),
    )  # fmt: skip

    def __init__(self, data: Any, *, connection: Connection) -> None:
        super().__init__(data, initial={"shop_url": connection.shop_url})
        self._kept = bool(connection.api_access)
        self._shop_url = connection.shop_url
        kept = _l("Empty: the one that is kept.") if self._kept else ""
        if connection.kind == Connection.Kind.SHOPIFY:
            self.fields["key"].label = _l("Access token of the Admin API")
            self.fields["key"].help_text = kept or _l("It begins with “shpat_”.")
            self.fields["shop_url"].help_text = _l("Like your-shop.myshopify.com.")
            del self.fields["secret"]
        else:
            self.fields["key"].help_text = kept or _l("It begins with “ck_”.")
            self.fields["secret"].help_text = kept or _l("It begins with “cs_”.")

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        elsewhere = data.get("shop_url", "").strip().rstrip("/") != self._shop_url
        if not data.get("key") and (not self._kept or elsewhere):
            # A key that is kept goes to nobody but the shop that it was given for.
            self.add_error("key", _("Paste what the shop shows."))
        return data


class ExportForm(forms.Form):
    file = forms.FileField(
        label=_l("File"), help_text=_l("Shopify’s export of orders (CSV), up to 20 MB.")
    )
    program = forms.ModelChoiceField(
        Program.objects.filter(status=Program.Status.LIVE).order_by("name"), label=_l("Program"),
        to_field_name="code", help_text=_l("Whose rules its orders earn by."),
    )  # fmt: skip


class FileForm(forms.Form):
    file = forms.FileField(
        label=_l("File"), help_text=_l("CSV or JSON with the fields of the mapping, up to 20 MB.")
    )


class MessageFilterForm(forms.Form):
    """Which messages a list shows. What the URL says that is no choice is passed over."""

    connection = forms.ChoiceField(
        label=_l("Connection"), required=False, widget=forms.Select(attrs={"class": "form-select"})
    )
    state = forms.ChoiceField(
        label=_l("State"), required=False, widget=forms.Select(attrs={"class": "form-select"}),
        choices=[("", _l("Every state")), *InboundMessage.State.choices],
    )  # fmt: skip
    topic = forms.ChoiceField(
        label=_l("Kind"), required=False, widget=forms.Select(attrs={"class": "form-select"})
    )
    number = forms.CharField(
        label=_l("Number"), required=False, max_length=128,
        widget=forms.TextInput(attrs={"class": "form-control", **PLAIN}),
    )  # fmt: skip

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        self._connections = {str(item.public_id): item for item in list_connections()}
        self.fields["connection"].choices = [  # type: ignore[attr-defined]
            ("", _("All")), *((key, str(item)) for key, item in self._connections.items())
        ]  # fmt: skip
        self.fields["topic"].choices = [  # type: ignore[attr-defined]
            ("", _("Every kind")), *((topic, topic) for topic in known_topics())
        ]  # fmt: skip

    def wanted(self) -> Wanted:
        self.is_valid()
        data = self.cleaned_data
        return Wanted(
            connection=self._connections.get(data.get("connection", "")),
            state=data.get("state", ""), topic=data.get("topic", ""),
            number=data.get("number", "").strip(),
        )  # fmt: skip


class SampleForm(forms.Form):
    """The first step of a mapping: a sample, and what it is."""

    sample = forms.CharField(
        label=_l("A sample"), max_length=LONGEST_SAMPLE,
        widget=forms.Textarea(attrs=PLAIN | {"rows": 10, "class": "mono"}),
        help_text=_l("A message as the tool sends it (JSON), or the first rows of a file (CSV)."
                     " It is not kept."),
    )  # fmt: skip
    what = forms.ChoiceField(label=_l("It tells of"), choices=list(WHATS.items()), required=False)
    rows = forms.CharField(
        label=_l("Where the rows are"), max_length=200, required=False,
        widget=forms.TextInput(attrs=PLAIN),
        help_text=_l("Only for JSON in which they are inside something, like “data.reviews”."),
    )  # fmt: skip


class FieldsForm(forms.Form):
    """The second step: which field of the sample fills what."""

    def __init__(self, data: Any, *, what: str, sample: Sample, guessed: dict[str, Any]) -> None:
        super().__init__(data, initial=guessed, auto_id="map_%s")
        self.what = what
        choices = [("", _("Not in it")), *((path, _shown(path, value))
                                           for path, value in sample.fields.items())]  # fmt: skip
        if what == ORDER:
            self.fields["lines"] = forms.ChoiceField(
                label=_("Its lines"), required=False,
                choices=[("", _("None: the total counts")), *((path, path)
                                                             for path in sample.lists)],
            )  # fmt: skip
        if what == ACTIVITY:
            self.fields["type"] = forms.ChoiceField(
                label=_("Which activity"), required=False,
                choices=[("", _("Choose")), *activity_type_choices()],
            )  # fmt: skip
        if what == CONSENT:
            self._ask_about_what()
        for target in TARGETS[what]:
            self._add(target, choices, sample, guessed)
        self._say_what_is_needed()
        if what == ACTIVITY and sample.fields:
            self.fields["keep"] = forms.MultipleChoiceField(
                label=_("Also keep, for rules to ask about"), required=False,
                widget=forms.CheckboxSelectMultiple,
                choices=[(path, _shown(path, value)) for path, value in sample.fields.items()],
            )  # fmt: skip

    def _add(
        self, target: Target, choices: list[tuple[str, str]], sample: Sample,
        guessed: dict[str, Any],
    ) -> None:  # fmt: skip
        if target.of_line:
            inner = {
                path: value for fields in sample.lists.values() for path, value in fields.items()
            }  # fmt: skip
            if not inner:
                return
            choices = [("", _("Not in it")), *((path, _shown(path, value))
                                               for path, value in inner.items())]  # fmt: skip
        label = str(target.label)
        if target.of_line:
            label = _("Line: %s") % label
        self.fields[target.name] = forms.ChoiceField(label=label, choices=choices, required=False)
        if target.name == "currency":
            self.fields["fixed_currency"] = forms.CharField(
                label=_("Currency, where it is not in it"), max_length=3, required=False,
                widget=forms.TextInput(attrs=PLAIN),
            )  # fmt: skip

    def _ask_about_what(self) -> None:
        """The way and the topic, and what it always says where no field does."""
        ways = [(way.key, way.label) for way in sending_channels()]
        topics = [(topic.code, topic.label) for topic in choosable_topics()]
        always = [("", _("As a field says")), ("yes", _("Always yes")), ("no", _("Always no"))]
        for name, label, choices in (
            ("channel", _("By which way"), ways), ("topic", _("About what"), topics),
            ("always", _("What it says"), always),
        ):  # fmt: skip
            initial = {"topic": TOPIC}.get(name)
            self.fields[name] = forms.ChoiceField(
                label=label, choices=choices, required=False, initial=initial
            )

    def _say_what_is_needed(self) -> None:
        """The service says which are missing; none of these is called optional."""
        needed = {target.name for target in TARGETS[self.what] if target.required}
        always = {"type", "customer_number", "customer_email", "fixed_currency"}
        for name in needed | always | {"channel", "topic", "always"}:
            if name in self.fields:
                self.fields[name].conditional = True  # type: ignore[attr-defined]

    def mapping(self, rows: str) -> dict[str, Any]:
        """What was chosen, as the service takes it."""
        data = self.cleaned_data
        fields = {target.name: data.get(target.name, "") for target in TARGETS[self.what]}
        fixed = {
            "currency": data.get("fixed_currency", ""), "type": data.get("type", ""),
            "channel": data.get("channel", ""), "topic": data.get("topic", ""),
            "state": data.get("always", ""),
        }  # fmt: skip
        if fields.get("currency"):
            fixed.pop("currency")
        return {
            "what": self.what, "rows": rows, "fields": fields, "fixed": fixed,
            "lines": data.get("lines", ""), "keep": data.get("keep", []),
        }  # fmt: skip


def _shown(path: str, example: str) -> str:
    return f"{path}: {example}" if example else path
