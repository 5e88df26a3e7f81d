"""What was told of a story."""

from collections import Counter
from functools import cache

from jsonschema import Draft202012Validator

from campaigns.models import WebhookEvent
from campaigns.webhook_events import message_of, message_schema, told_type
from members.models import OutboxEvent
from members.services.outbox import deliver_waiting

LISTENER = "https://listener.example/hooks"


def heard() -> Counter[str]:
    """What was told since the beginning, each by the schema of its type."""
    while deliver_waiting(500):
        pass
    failed = OutboxEvent.objects.exclude(last_error="").values_list("kind", "last_error")
    assert not list(failed)
    for event in WebhookEvent.objects.all():
        schema_of(event.type).validate(message_of(event))
    return Counter(WebhookEvent.objects.values_list("type", flat=True))


@cache
def schema_of(name: str) -> Draft202012Validator:
    kind = told_type(name)
    assert kind is not None
    return Draft202012Validator(message_schema(kind))


def data_of(kind: str) -> dict[str, object]:
    return WebhookEvent.objects.filter(type=kind).latest("pk").data
