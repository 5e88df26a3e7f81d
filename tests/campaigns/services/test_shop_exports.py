"""Shopify's export of orders, brought in by the import that there is."""

import pytest

from campaigns.connectors.shopify_export import convert
from campaigns.services.shop_exports import start_export_import
from loyalty.models import Order
from loyalty.services.imports import run_import
from members.errors import DomainError
from members.models import Job
from members.services.audit import SYSTEM
from tests.campaigns.shops import connect, shopify, shopify_order, work
from tests.factories import CustomerFactory
from tests.loyalty.factories import day, make_program, spendable

HEADER = (
    "Name,Email,Financial Status,Paid at,Fulfillment Status,Currency,Subtotal,Shipping,Taxes,Total,"
    "Discount Code,Discount Amount,Created at,Lineitem quantity,Lineitem name,Lineitem price,"
    "Lineitem sku,Cancelled at,Refunded Amount,Id\n"
)
WHEN = "2024-03-15 08:00:01 -0400"
EXPORT = HEADER + (
    f"#1001,Bob@example.com,paid,{WHEN},fulfilled,USD,28.00,5.00,0.00,33.00,SPRING,2.00,{WHEN},2,"
    "Espresso,10.00,ESPRESSO,,0.00,820982911946154508\n"
    "#1001,Bob@example.com,,,,,,,,,,,,1,Cup,10.00,CUP,,,\n"
    f"#1002,who@example.com,paid,{WHEN},,USD,10.00,0.00,0.00,10.00,,0.00,{WHEN},1,Cup,10.00,CUP,,"
    "0.00,2\n"
    f"#1003,bob@example.com,refunded,{WHEN},,USD,10.00,0,0,10.00,,0,{WHEN},1,Cup,10.00,CUP,,4.00,3\n"
    f"#1004,bob@example.com,voided,{WHEN},,USD,10.00,0,0,10.00,,0,{WHEN},1,Cup,10.00,CUP,{WHEN},0,4\n"
    f"#1005,bob@example.com,paid,{WHEN},,USD,ten,0,0,10.00,,0,{WHEN},1,Cup,10.00,CUP,,0,5\n"
)


def test_an_export_becomes_the_two_files_of_an_import():
    found = convert(EXPORT, {"bob@example.com": "207119551"})
    assert found.orders.splitlines()[1:] == [
        "820982911946154508,207119551,2024-03-15T08:00:01-04:00,USD,28.0000,sale,",
        "2,,2024-03-15T08:00:01-04:00,USD,10.0000,sale,",
    ]
    assert found.lines.splitlines()[1:3] == [
        "820982911946154508,1,ESPRESSO,,2.000,10.0000,1.3300,18.6700",
        "820982911946154508,2,CUP,,1.000,10.0000,0.6700,9.3300",
    ]
    assert [name for name, _reason in found.left_out] == ["#1003", "#1004", "#1005"]


@pytest.mark.parametrize("content", ["", "a,b\n1,2", HEADER])
def test_another_kind_of_file_is_refused(content):
    with pytest.raises(DomainError):
        convert(content, {})


@pytest.mark.django_db(transaction=True)
def test_it_is_imported_and_what_the_shop_tells_is_the_same_order():
    program = make_program(at=day(-30))
    CustomerFactory(external_id="207119551", email="bob@example.com")
    shop = connect()
    job = start_export_import(connection=shop, program=program, content=EXPORT, actor=SYSTEM)
    run_import(job.pk)
    job = Job.objects.get(pk=job.pk)
    assert job.state == "succeeded"
    assert job.result["created"] == 2
    assert spendable("207119551") == 28
    assert job.errors.filter(file="export").count() == 3
    told = shopify_order(updated="2024-03-20T08:00:00-04:00", total_tax="0.00")
    shopify(shop, "orders/updated", told)
    work()
    assert Order.objects.filter(external_id="820982911946154508").get().shipping_total == 5
    assert spendable("207119551") == 28
