"""What shops and tools tell of what somebody wants to be told, in whatever order it comes."""

import json

import pytest

from campaigns.connectors.mapping import look_at, read
from campaigns.connectors.presets import PRESETS
from campaigns.connectors.records import Reading
from campaigns.models import Consent, ConsentChange, InboundMessage
from members.models import Customer
from tests.campaigns.shops import (
    SECRET,
    connect,
    post,
    shopify,
    shopify_customer,
    tool_with,
    woocommerce,
    work,
)
from tests.factories import CustomerFactory
from tests.loyalty.factories import day, make_program
from tests.sharing import of_each_test

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("program")]
BOB = "207119551"


_made_once, program = of_each_test(lambda: make_program(at=day(-30)))


def consent(state: str, at: str, **more: str) -> dict[str, str]:
    return {"state": state, "opt_in_level": "single_opt_in", "consent_updated_at": at} | more


def states() -> dict[str, str]:
    return dict(Consent.objects.filter(topic="offers").values_list("channel", "state"))


def test_a_shopify_customer_brings_what_they_said_of_each_way_with_its_own_time() -> None:
    shop = connect()
    told = shopify_customer(
        updated="2024-03-15T08:00:00-04:00",
        email_marketing_consent=consent("subscribed", "2024-03-14T08:00:00-04:00"),
        sms_marketing_consent=consent("unsubscribed", "2024-03-10T08:00:00-04:00"),
    )
    shopify(shop, "customers/create", told)
    work()
    assert states() == {"email": "granted", "sms": "denied"}
    change = ConsentChange.objects.get(channel="email")
    assert (change.source, change.at.isoformat()) == ("connection", "2024-03-14T12:00:00+00:00")
    assert change.evidence == "shopify: single_opt_in"


def test_who_was_never_asked_or_has_not_confirmed_it_says_nothing() -> None:
    shop = connect()
    told = shopify_customer(
        updated="2024-03-15T08:00:00-04:00",
        email_marketing_consent=consent("not_subscribed", "2024-03-14T08:00:00-04:00"),
        sms_marketing_consent=consent("pending", "2024-03-10T08:00:00-04:00"),
    )
    shopify(shop, "customers/create", told)
    work()
    assert (states(), Customer.objects.count()) == ({}, 1)


def test_a_withdrawal_in_shopify_wins_whichever_message_comes_first() -> None:
    shop = connect()
    shopify(shop, "customers/create", shopify_customer(updated="2024-03-13T08:00:00-04:00"))
    work()
    for state, at in (("unsubscribed", "2024-03-15"), ("subscribed", "2024-03-14")):
        told = {
            "customer_id": int(BOB), "email_address": "bob@example.com",
            "email_marketing_consent": consent(state, f"{at}T08:00:00-04:00"),
        }  # fmt: skip
        shopify(shop, "customers_email_marketing_consent/update", told)
        work()
    assert states() == {"email": "denied"}


def test_what_the_mailchimp_plugin_of_woocommerce_keeps_is_read() -> None:
    shop = connect("woocommerce")
    told = {
        "id": 25, "date_created_gmt": "2024-03-14T12:00:00",
        "date_modified_gmt": "2024-03-14T12:00:00", "email": "jo@example.com",
        "first_name": "Jo", "last_name": "Lee", "billing": {},
        "meta_data": [{"id": 1, "key": "mailchimp_woocommerce_is_subscribed", "value": "1"}],
    }  # fmt: skip
    woocommerce(shop, "customer.created", told)
    work()
    assert states() == {"email": "granted"}


def test_a_mapping_of_customers_has_fields_for_consents() -> None:
    tool = tool_with({
        "number": "id", "email": "email", "consent_email": "accepts_marketing",
        "consent_at": "opted_at",
    })  # fmt: skip
    told = [
        {"id": "7", "email": "a@example.com", "accepts_marketing": True, "opted_at": "2024-03-01"},
        {"id": "8", "email": "b@example.com", "accepts_marketing": "no", "opted_at": "2024-03-02"},
        {"id": "9", "email": "c@example.com", "accepts_marketing": "perhaps"},
    ]
    _tell(tool, told)
    said = Consent.objects.order_by("customer__external_id").values_list("state", flat=True)
    assert list(said) == ["granted", "denied"]
    [error] = InboundMessage.objects.get().errors
    assert "neither yes nor no" in error["message"]


@pytest.mark.parametrize(
    ("key", "state"),
    [("klaviyo-consent", "denied"), ("mailchimp-yes", "granted"), ("mailchimp-no", "denied")],
)
def test_ready_mappings_read_what_their_tools_tell(key: str, state: str) -> None:
    CustomerFactory(email="ann@example.com")
    preset = PRESETS[key]
    sample = look_at(preset.sample, preset.rows)
    assert set(preset.fields.values()) <= set(sample.fields)
    fixed = {"channel": "email", "topic": "offers"}
    if always := preset.fixed.get("always"):
        fixed["state"] = always
    tool = connect("mapped")
    tool.mapping = {
        "what": preset.what, "fields": dict(preset.fields), "rows": preset.rows, "fixed": fixed
    }  # fmt: skip
    tool.save(update_fields=["mapping"])
    [part] = read("", preset.sample, "", Reading("tool", mapping=tool.mapping))
    assert part.records is not None
    _tell(tool, preset.sample)
    assert states() == {"email": state}
    assert ConsentChange.objects.get().at.year == 2026


def _tell(tool: object, content: object) -> None:
    written = content if isinstance(content, str) else json.dumps(content)
    kind = "application/json" if written.lstrip()[:1] in "[{" else "text/csv"
    headers = {"Authorization": f"Bearer {SECRET}", "Content-Type": kind}
    assert post(tool, written.encode(), headers) == 202  # type: ignore[arg-type]
    work()
