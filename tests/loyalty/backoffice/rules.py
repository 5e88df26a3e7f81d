"""Short ways through the forms of earning rules."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone

from loyalty.models import EarningRule, Program
from tests.loyalty.backoffice.conftest import url


def form_of(client: Client, address: str) -> dict[str, Any]:
    """What a browser without scripts would send back of a rule's form, unchanged."""
    return sent_back(client.get(address).context["form"])


def sent_back(form: Any) -> dict[str, Any]:
    values = {name: form[name].value() for name in form.fields}
    values["when"] = json.dumps(values["when"] or {}, default=str)
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in values.items()
        if value not in (None, False, (), [])
    }


def write(client: Client, program: Program, template: str, **changes: Any) -> EarningRule:
    address = url("rule_create", program.code, template)
    values = form_of(client, address) | {"name": "New one"} | changes
    before = set(program.earning_rules.values_list("pk", flat=True))
    response = client.post(address, values)
    assert response.status_code == 302, response.context["form"].errors
    return program.earning_rules.exclude(pk__in=before).get()


def edit(client: Client, rule: EarningRule, **changes: Any) -> Any:
    address = url("rule_edit", rule.program.code, rule.code)
    return client.post(address, form_of(client, address) | changes)


def base(program: Program) -> EarningRule:
    return program.earning_rules.get(code="base")


def said(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def in_days(number: int) -> str:
    return (timezone.now() + dt.timedelta(days=number)).date().isoformat()


def tried(client: Client, program: Program, template: str, **changes: Any) -> Any:
    address = url("rule_create", program.code, template)
    form = client.get(address).context["form"]
    values = sent_back(form) | {"name": "New one"} | changes
    response = client.post(url("rule_preview", program.code, form.kind), values)
    return response.context["trial"]


def publish(client: Client, address: str, times: dict[str, str] | None = None) -> Any:
    """Read what the dialog says, and agree."""
    return client.post(address, {"seen": client.get(address).context["seen"], **(times or {})})
