"""Settings → Connections and Operations → What came in."""

import hashlib
import hmac
import importlib
import json
import re

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from campaigns.connectors import mapping
from campaigns.connectors.presets import PRESETS
from campaigns.models import Connection, InboundMessage
from campaigns.services.connections import change_connection, create_connection, set_api_access
from loyalty.models import Activity, Order
from members.kept_secrets import revealed
from members.models import AuditEntry
from members.services.audit import SYSTEM
from tests.campaigns.shops import SECRET, connect, post, shopify, shopify_order, work
from tests.factories import CustomerFactory
from tests.loyalty.factories import make_type

pytestmark = pytest.mark.django_db
REVIEW = {
    "review_id": "r-9", "rating": 5, "product": {"sku": "CUP", "name": "Blue Cup"},
    "reviewer": {"email": "ann@example.com"}, "created_at": "2024-03-15T12:00:00Z",
}  # fmt: skip


@pytest.fixture
def admin(client_of) -> Client:
    return client_of("administrator")


def url(name: str, *args: object) -> str:
    return reverse(f"connections:{name}", args=args)


def text(response) -> str:
    return response.content.decode()


def test_the_log_has_the_host_of_a_shop_and_no_key_that_follows_it(client_of):
    shop = connect("woocommerce")
    for path in ("Secretname", "Secretname/more"):
        set_api_access(
            connection=shop, shop_url=f"shop.example/{path}", key="k", secret="s", actor=SYSTEM
        )
    shop.refresh_from_db()
    change_connection(
        connection=shop, changes={"shop_url": "https://shop.example/Secretname/2"}, actor=SYSTEM
    )
    kept = list(AuditEntry.objects.filter(target__contains="connection").order_by("pk"))
    assert [entry.after.get("shop_url") for entry in kept[-3:]] == ["https://shop.example/…"] * 3
    assert kept[-1].after["other_path"] is True
    assert "Secretname" not in str([(entry.before, entry.after) for entry in kept])
    page = text(client_of("auditor").get(url("connection", shop.public_id)))
    assert "Secretname" not in page


def test_a_shop_is_connected_step_by_step(admin):
    assert "Nothing is connected yet" in text(admin.get(url("connection_list")))
    form = {"kind": "shopify", "name": "Web shop", "source": "shop"}
    response = admin.post(url("connection_create"), form)
    shop = Connection.objects.get()
    assert response["Location"] == url("connection", shop.public_id)
    page = text(admin.get(url("connection", shop.public_id)))
    assert f"/connections/{shop.public_id}/" in page
    assert "refunds/create" in page
    assert "Paste the secret" in page
    admin.post(url("connection_secret", shop.public_id), {"secret": f" {SECRET} "})
    shop.refresh_from_db()
    assert revealed(shop.secret) == SECRET
    assert SECRET.encode() not in bytes(shop.secret)
    assert SECRET not in text(admin.get(url("connection", shop.public_id)))
    assert not AuditEntry.objects.filter(after__icontains=SECRET).exists()
    assert shopify(shop, "orders/create", shopify_order(updated="2024-03-15T08:00:01Z")) == 202


def test_a_second_shop_with_the_same_numbers_is_refused_with_what_to_do(admin):
    connect()
    form = {"kind": "woocommerce", "name": "Outlet", "source": "shopify"}
    response = admin.post(url("connection_create"), form)
    assert response.status_code == 422
    assert "Put something before those of this shop" in text(response)
    assert Connection.objects.count() == 1


@pytest.mark.parametrize("kind", ["woocommerce", "mapped"])
def test_a_secret_that_is_made_is_not_asked_for_again(admin, kind):
    """Whoever made another would end the one that the shop signs with."""
    admin.post(url("connection_create"), {"kind": kind, "name": "Shop", "source": "shop"})
    shop = Connection.objects.get()
    assert "Make a secret" in text(admin.get(url("connection", shop.public_id)))
    admin.post(url("connection_secret", shop.public_id))
    page = text(admin.get(url("connection", shop.public_id)))
    assert "Make another secret" in page
    assert "Make a secret" not in page


def test_a_secret_that_was_made_with_its_connection_and_seen_by_nobody_is_asked_for_again(admin):
    made = {
        kind: create_connection(
            kind=kind, name=kind, source=kind, actor=SYSTEM, now=timezone.now(),
            customer_prefix=kind[0],
        )
        for kind in ("shopify", "woocommerce", "mapped")
    }  # fmt: skip
    Connection.objects.update(secret=b"unseen")
    tool = connect("mapped", source="tool")
    migration = importlib.import_module("campaigns.migrations.0027_secrets_nobody_has_seen")
    migration.empty_unseen(apps, None)
    found = {kind: bytes(Connection.objects.get(pk=row.pk).secret) for kind, row in made.items()}
    assert found == {"shopify": b"unseen", "woocommerce": b"", "mapped": b""}
    assert revealed(Connection.objects.get(pk=tool.pk).secret) == SECRET
    assert "Make a secret" in text(admin.get(url("connection", made["mapped"].public_id)))


def test_a_secret_of_ours_is_shown_once_and_ends_the_one_before(admin):
    tool = connect("mapped")
    page = text(admin.post(url("connection_secret", tool.public_id)))
    secret = re.search(r'id="connection-secret" type="text" value="([\w-]+)"', page).group(1)
    body = json.dumps(REVIEW).encode()
    assert post(tool, body, {"Authorization": f"Bearer {SECRET}"}) == 401
    assert post(tool, body, {"Authorization": f"Bearer {secret}"}) == 202
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    assert post(tool, body, {"X-Setia-Signature": f"sha256={digest}"}) == 202
    assert post(tool, body + b" ", {"X-Setia-Signature": f"sha256={digest}"}) == 401
    assert secret not in text(admin.get(url("connection", tool.public_id)))


def test_the_log_says_what_came_what_it_became_and_what_was_wrong(admin, beans):
    shop = connect()
    good = shopify_order(updated="2024-03-15T08:00:01-04:00", currency=beans.currency)
    shopify(shop, "orders/create", good)
    shopify(shop, "orders/updated", good | {"id": 2, "line_items": [{"price": "1"}]})
    shopify(shop, "orders/updated", good, secret="guess")
    work()
    page = text(admin.get(url("message_list")))
    assert "Order 820982911946154508: new" in page
    assert "line_items[0].quantity: This is required." in page
    failed = InboundMessage.objects.get(state="failed")
    only = text(admin.get(url("message_list"), {"state": "failed"}))
    assert str(failed.public_id) in only
    assert "Order 820982911946154508: new" not in only
    assert "820982911946154508: new" in text(
        admin.get(url("message_list"), {"number": "820982911946154508"})
    )
    detail = text(admin.get(url("message", failed.public_id)))
    assert "This is required." in detail
    assert "taxes_included" in detail
    order = Order.objects.get()
    done = InboundMessage.objects.get(state="done")
    assert reverse("loyalty_backoffice:order_page", args=[order.pk]) in text(
        admin.get(url("message", done.public_id))
    )
    refused = InboundMessage.objects.get(state="refused")
    assert "nobody knows who sent it" in text(admin.get(url("message", refused.public_id)))
    assert "1 message in 24 hours was not signed" in text(
        admin.get(url("connection", shop.public_id))
    )


def test_one_that_failed_is_taken_in_again_by_a_button(admin, beans):
    shop = connect()
    shopify(shop, "orders/create", {"id": 5})
    work()
    message = InboundMessage.objects.get()
    assert message.state == "failed"
    assert "needs a look" in text(admin.get(url("home_panel")))
    admin.post(url("message_replay", message.public_id))
    message.refresh_from_db()
    assert message.state == "waiting"
    work()
    admin.post(url("connection_replay", shop.public_id))
    message.refresh_from_db()
    assert message.state == "waiting"


def test_a_review_tool_is_mapped_tried_and_taken_in(admin, beans):
    make_type("review")
    CustomerFactory(email="ann@example.com", external_id="C-1")
    tool = connect("mapped", source="reviews")
    page = url("connection_mapping", tool.public_id)
    sample = {"sample": json.dumps(REVIEW), "what": "", "rows": "", "step": "look"}
    seen = text(admin.post(page, sample))
    assert "review_id: r-9" in seen
    assert 'value="reviewer.email" selected' in seen
    chosen = sample | {
        "what": "activity", "mapped_what": "activity", "step": "try", "type": "review",
        "number": "review_id", "customer_email": "reviewer.email", "occurred_at": "created_at",
        "subject": "product.sku", "keep": ["rating"],
    }  # fmt: skip
    tried = text(admin.post(page, chosen))
    assert "Activity r-9: new" in tried
    assert not Activity.objects.exists()
    assert admin.post(page, chosen | {"step": "save"}).status_code == 302
    assert post(tool, json.dumps(REVIEW).encode(), {"Authorization": f"Bearer {SECRET}"}) == 202
    work()
    activity = Activity.objects.get()
    assert (activity.external_id, activity.data) == ("r-9", {"rating": 5})
    told_again = json.dumps(REVIEW | {"rating": 4}).encode()
    assert post(tool, told_again, {"Authorization": f"Bearer {SECRET}"}) == 202
    work()
    again = InboundMessage.objects.latest("pk")
    assert (again.state, again.result[0]["outcome"]) == ("done", "unchanged")
    unknown = REVIEW | {"review_id": "r-10", "reviewer": {"email": "who@example.com"}}
    tried = text(admin.post(page, chosen | {"sample": json.dumps([REVIEW, unknown])}))
    assert "Activity r-9: known already" in tried
    assert "Nobody here has this e-mail address." in tried
    # A tool that names its fields otherwise now: what is gone is guessed anew, the rest stays.
    renamed = {"id": "r-11", "rating": 3, "customer_email": "ann@example.com", "sku": "ESPRESSO",
               "created_at": "2026-03-02T10:00:00Z"}  # fmt: skip
    seen = text(admin.post(page, sample | {"sample": json.dumps(renamed)}))
    for path in ("id", "customer_email", "sku", "created_at"):
        assert f'value="{path}" selected' in seen


@pytest.mark.parametrize("like", PRESETS)
def test_a_ready_mapping_is_picked_tried_and_saved_as_ones_own(admin, beans, like):
    preset = PRESETS[like]
    if preset.activity:
        make_type(preset.activity)
    CustomerFactory(email="ann@example.com", external_id="900")
    tool = connect("mapped", source="tool")
    page = url("connection_mapping", tool.public_id)
    assert f"?like={like}" in text(admin.get(page))
    seen = admin.get(page, {"like": like})
    fields = seen.context["fields_form"]
    filled = {name: fields[name].value() for name in fields.fields if fields[name].value()}
    assert {name: filled[name] for name in preset.fields} == dict(preset.fields)
    assert filled.get("type", "") == preset.activity
    assert {name: filled[name] for name in preset.fixed} == dict(preset.fixed)
    chosen = filled | {
        "like": like, "sample": preset.sample, "what": preset.what, "rows": preset.rows,
        "mapped_what": preset.what, "step": "try",
    }  # fmt: skip
    tried = admin.post(page, chosen)
    assert [good for _place, _words, good in tried.context["preview"]] == [True], tried.context[
        "preview"
    ]
    assert admin.post(page, chosen | {"step": "save"}).status_code == 302
    tool.refresh_from_db()
    assert tool.mapping["fields"] == dict(preset.fields)
    assert tool.mapping["keep"] == list(preset.keep)
    assert tool.mapping["rows"] == preset.rows


def test_a_ready_mapping_is_guessed_anew_where_the_tool_names_its_fields_otherwise(admin, beans):
    tool = connect("mapped", source="tool")
    page = url("connection_mapping", tool.public_id)
    own = {"review": {"id": 1, "email": "ann@example.com", "created_at": "2026-03-01T09:15:00Z"}}
    said = {"like": "judge-me", "sample": json.dumps(own), "what": "", "rows": "review"}
    fields = admin.post(page, said).context["fields_form"]
    assert fields["customer_email"].value() == "email"
    assert fields["number"].value() == "id"


def test_what_a_mapping_lacks_is_said_at_its_fields(admin):
    tool = connect("mapped")
    page = url("connection_mapping", tool.public_id)
    form = {"sample": "id,sum\n1,5", "what": "order", "mapped_what": "order", "step": "save",
            "number": "id"}  # fmt: skip
    response = admin.post(page, form)
    assert response.status_code == 422
    assert text(response).count("Say where this is found.") >= 3
    assert "Say where this, or the e-mail address, is found." in text(response)
    # Once above the fields.
    assert text(response).count("Nothing was saved yet") == 1
    tool.refresh_from_db()
    assert tool.mapping == {}
    broken = admin.post(page, {"sample": "{", "step": "look"})
    assert broken.status_code == 422
    assert "This is not JSON" in text(broken)


def test_a_file_is_read_row_by_row_and_the_same_file_again_changes_nothing(
    admin, beans, monkeypatch
):
    monkeypatch.setattr(mapping, "MOST_ROWS", 20)
    tool = connect("mapped", source="market")
    form = {
        "sample": "id,day,sum,who\n1,2024-03-15,5.00,C1", "what": "order", "step": "save",
        "mapped_what": "order", "number": "id", "placed_at": "day", "total": "sum",
        "customer_number": "who", "fixed_currency": beans.currency,
    }  # fmt: skip
    assert admin.post(url("connection_mapping", tool.public_id), form).status_code == 302
    rows = "".join(f"{number},2024-03-15,5.00,C{number % 7}\n" for number in range(1, 23))
    for _time in range(2):
        file = SimpleUploadedFile("orders.csv", f"id,day,sum,who\n{rows}x,never,1,C1\n".encode())
        admin.post(url("connection_file", tool.public_id), {"file": file})
        work()
    assert Order.objects.count() == 22
    assert list(InboundMessage.objects.order_by("pk").values_list("state", "times")) == [
        ("done", 2), ("failed", 2),
    ]  # fmt: skip
    assert InboundMessage.objects.get(state="failed").errors[0]["field"] == "row 3 placed_at"


def test_it_is_changed_switched_off_and_deleted_and_what_came_by_it_stays(admin, beans):
    shop = connect()
    order = shopify_order(updated="2024-03-15T08:00:01-04:00", currency=beans.currency)
    shopify(shop, "orders/create", order)
    work()
    admin.post(url("connection_edit", shop.public_id), {"name": "Main", "program": beans.code})
    shop.refresh_from_db()
    assert (shop.name, shop.program) == ("Main", beans)
    admin.post(url("connection_switch", shop.public_id))
    assert "It is off" in text(admin.get(url("connection", shop.public_id)))
    admin.post(url("connection_switch", shop.public_id), {"on": "1"})
    admin.post(url("connection_delete", shop.public_id))
    assert not Connection.objects.exists()
    assert Order.objects.exists()
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert {"connection.changed", "connection.switched_off", "connection.deleted"} <= actions


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_pages_can_be_used_by_everybody(page, live_server, sign_in, assert_no_axe_violations):
    sign_in("administrator")
    tool, shop = connect("mapped"), connect()
    shopify(shop, "orders/create", {"id": 5})
    work()
    message = InboundMessage.objects.get()
    for path in (
        url("connection_list"), url("connection", shop.public_id),
        url("connection", tool.public_id), url("connection_create"), url("message_list"),
        url("message", message.public_id),
    ):  # fmt: skip
        page.goto(live_server.url + path)
        assert_no_axe_violations(page)
    page.goto(live_server.url + url("connection_mapping", tool.public_id))
    page.get_by_role("textbox", name="A sample").fill(
        "order_id,date,total,email\n1,2024-03-15,5.00,a@b.example"
    )
    page.get_by_role("button", name="See its fields").click()
    expect(page.get_by_label("Order number")).to_have_value("order_id")
    assert_no_axe_violations(page)


def test_an_auditor_reads_how_a_connection_does_and_finds_nothing_to_change(admin, client_of):
    shop = connect("shopify")
    assert shopify(shop, "orders/create", shopify_order(updated="2024-03-15T08:00:01Z")) == 202
    auditor = client_of("auditor")
    for name, args, button in (
        ("connection_list", (), "New connection"),
        ("connection", (shop.public_id,), "Switch it off"),
        ("connection", (shop.public_id,), "Delete"),
        ("connection", (shop.public_id,), url("connection_secret", shop.public_id)),
    ):
        assert button in text(admin.get(url(name, *args)))
        page = text(auditor.get(url(name, *args)))
        assert str(shop) in page
        assert button not in page
        assert SECRET not in page
    for name in ("connection_edit", "connection_secret", "connection_switch", "connection_delete"):
        assert auditor.post(url(name, shop.public_id), {}).status_code == 403
    Connection.objects.all().delete()
    page = text(auditor.get(url("connection_list")))
    assert "Nothing is connected yet" in page
    assert "New connection" not in page
