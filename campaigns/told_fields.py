"""What conditions can ask of what somebody wants to be told, and of what they did with messages.
The database answers as `told_to` does for rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import attrgetter

from django.db.models import Exists, Max, OuterRef, Q, Subquery
from django.utils.functional import lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns.channels import channel_named, sending_channels
from campaigns.models import Consent, Delivery
from campaigns.topics import choosable_topics, topic_named
from members.conditions import values
from members.conditions.fields import TOLD, Field, FieldFamily
from members.conditions.moments import Moment
from members.conditions.operators import Operator
from members.models import Customer


@lru_cache(maxsize=1024)  # the same name is the same field
def _consent(name: str) -> Field | None:
    channel, _dot, topic = name.partition(".")
    if not topic or channel_named(channel) is None:
        return None
    return Field(
        f"consent.{name}", lazy(_label, str)(channel, topic), values.TEXT, TOLD,
        lambda told: told.said.get((channel, topic)), choices=_states, closed=True,
        query=lambda operator, operand, moment: _consent_query(channel, topic, operator, operand,
                                                               moment),
        help=_("Not known: they have said nothing."),
    )  # fmt: skip


def _label(channel: str, topic: str) -> str:
    """In the language of the page; the merchant may call a topic otherwise by now."""
    way, found = channel_named(channel), topic_named(topic)
    words = {"topic": found.label if found else topic, "way": way.label if way else channel}
    return gettext("consent to %(topic)s (%(way)s)") % words


def _consent_query(
    channel: str, topic: str, operator: Operator, operand: object, moment: Moment
) -> Q:
    rows = Consent.objects.filter(customer=OuterRef("pk"), channel=channel, topic=topic)
    asked = operator.query("state", operand, moment)
    return ~Q(Exists(rows.exclude(asked))) if operator.unknown else Q(Exists(rows.filter(asked)))


def _last(column: str) -> Callable[[Operator, object, Moment], Q]:
    def query(operator: Operator, operand: object, moment: Moment) -> Q:
        """The latest before the moment."""
        known = {f"{column}__lt": moment.now}
        rows = Delivery.objects.filter(message__customer=OuterRef("pk"), **known).order_by()
        latest = rows.values("message__customer").annotate(latest=Max(column)).values("latest")
        people = Customer.objects.filter(pk=OuterRef("pk")).annotate(last_act=Subquery(latest))
        asked = operator.query("last_act", operand, moment)
        if operator.unknown:
            return ~Q(Exists(people.exclude(asked | Q(last_act=None))))
        return Q(Exists(people.filter(asked & Q(last_act__isnull=False))))

    return query


def _states() -> Sequence[tuple[str, str]]:
    return [(code, str(label)) for code, label in Consent.State.choices]


def _names() -> Sequence[tuple[str, str]]:
    """Every way with every topic that people can say yes or no to."""
    topics = choosable_topics()
    return [
        (f"{way.key}.{topic.code}", f"{topic.label} · {way.label}")
        for way in sending_channels()
        for topic in topics
    ]


CONSENTS = (
    FieldFamily(
        "consent.", _("consent"), TOLD, _consent, names=_names,
        help=_("What they said of a topic by a way, now."),
    ),
)  # fmt: skip
MESSAGES = (
    Field("messages.last_opened", _("last message opened"), values.INSTANT, TOLD,
          attrgetter("opened_at"), query=_last("opened_at"),
          help=_("As far as it is counted and can be seen.")),
    Field("messages.last_clicked", _("last message followed"), values.INSTANT, TOLD,
          attrgetter("clicked_at"), query=_last("clicked_at"),
          help=_("When they last followed a link in one, as far as it is counted.")),
)  # fmt: skip
