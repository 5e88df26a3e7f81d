"""What the fields of a mapping can fill, by what its rows are."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _l

from loyalty.shop_exports import matching

ORDER, CUSTOMER, ACTIVITY, CONSENT = "order", "customer", "activity", "consent"


@dataclass(frozen=True, slots=True)
class Target:
    """A field that can be filled."""

    name: str
    label: str | Promise
    meaning: matching.Meaning
    required: bool = False
    # Of a line of the order rather than of the order.
    of_line: bool = False


_NUMBER_OF_CUSTOMER = Target(
    "customer_number", _l("Customer number"),
    matching.CUSTOMER_NUMBER.led_by("customerid customernumber customerno userid"),
)  # fmt: skip
_MAIL_OF_CUSTOMER = Target("customer_email", _l("Customer’s e-mail"), matching.EMAIL)
TARGETS: dict[str, tuple[Target, ...]] = {
    ORDER: (
        Target("number", _l("Order number"),
               matching.ORDER_NUMBER.led_by("orderid ordernumber orderno id number"),
               required=True),
        Target("placed_at", _l("Placed"), matching.PLACED, required=True),
        Target("total", _l("Total"), matching.TOTAL, required=True),
        Target("currency", _l("Currency"), matching.CURRENCY, required=True),
        _NUMBER_OF_CUSTOMER,
        _MAIL_OF_CUSTOMER,
        Target("status", _l("State"), matching.ORDER_STATE),
        Target("changed_at", _l("Changed"), matching.CHANGED),
        Target("payment_method", _l("Paid by"), matching.PAYMENT_METHOD),
        Target("coupon", _l("Code used"), matching.COUPON),
        Target("line_sku", _l("SKU"), matching.LINE_PRODUCT, of_line=True),
        Target("line_total", _l("Total of the line"),
               matching.LINE_TOTAL.led_by("total").then("amount price"), of_line=True),
        Target("line_quantity", _l("Quantity"), matching.QUANTITY, of_line=True),
        Target("line_name", _l("Name"), matching.PRODUCT_NAME.led_by("name title"), of_line=True),
        Target("line_category", _l("Category"), matching.CATEGORY, of_line=True),
        Target("line_unit_cost", _l("What one cost you"), matching.UNIT_COST, of_line=True),
    ),
    CUSTOMER: (
        Target("number", _l("Customer number"), _NUMBER_OF_CUSTOMER.meaning.then("id number"),
               required=True),
        Target("email", _l("E-mail"), matching.EMAIL),
        Target("given_name", _l("Given name"), matching.GIVEN_NAME),
        Target("family_name", _l("Family name"), matching.FAMILY_NAME),
        Target("phone", _l("Phone"), matching.PHONE),
        Target("country", _l("Country"), matching.COUNTRY),
        Target("birthday", _l("Birthday"), matching.BIRTHDAY),
        Target("gender", _l("Gender"), matching.GENDER),
        Target("consent_email", _l("Wants offers by e-mail"),
               matching.names("acceptsmarketing acceptsemailmarketing emailconsent newsletter")),
        Target("consent_sms", _l("Wants offers by text message"),
               matching.names("acceptssmsmarketing smsconsent")),
        Target("consent_at", _l("Said so"),
               matching.names("consentat consentupdatedat optintime optinat subscribedat")),
        Target("changed_at", _l("Changed"), matching.CHANGED),
    ),
    CONSENT: (
        _NUMBER_OF_CUSTOMER,
        _MAIL_OF_CUSTOMER,
        Target("state", _l("Yes or no"),
               matching.names("status state subscribed consent event optin type"), required=True),
        Target("said_at", _l("When"),
               matching.MOMENT.led_by(
                   "consentat optintime confirmtime subscribedat unsubscribedat occurredat firedat"
               )),
        Target("evidence", _l("How it is known"),
               matching.names("consentsource source listname campaign reason method")),
    ),
    ACTIVITY: (
        Target("number", _l("Number of the activity"),
               matching.names("reviewid eventid submissionid subscriptionid activityid id number"),
               required=True),
        Target("occurred_at", _l("When"),
               matching.MOMENT.led_by(
                   "occurredat createdat submittedat date timestamp subscribedat"
               )),
        _NUMBER_OF_CUSTOMER,
        _MAIL_OF_CUSTOMER,
        Target("subject", _l("What it is about (SKU)"),
               matching.PRODUCT_NUMBER.led_by("productsku sku").then("listid")),
        Target("subject_name", _l("Its name"), matching.PRODUCT_NAME.then("listname")),
        Target("proof", _l("Proof (link or text)"),
               matching.names("reviewurl url link body reviewbody text")),
    ),
}  # fmt: skip
FIXED = {
    ORDER: ("currency",),
    CUSTOMER: (),
    ACTIVITY: ("type",),
    CONSENT: ("channel", "topic", "state"),
}
