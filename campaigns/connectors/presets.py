"""Ready mappings for tools that are widely used: a sample in the shape that the tool documents, and
where what we need is in it. They are a beginning: whoever picks one looks over it and saves it as
their own mapping."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from campaigns.connectors.targets import ACTIVITY, CONSENT


@dataclass(frozen=True, slots=True)
class Preset:
    """`activity`: the code of the type of activities that it is usually kept as, where there is one
    of that code. Names of tools are theirs, and are not translated."""

    key: str
    name: str
    sample: str
    fields: Mapping[str, str]
    activity: str
    rows: str = ""
    keep: Sequence[str] = ()
    what: str = ACTIVITY
    # What a consent is about, by the names of the form.
    fixed: Mapping[str, str] = field(default_factory=dict)


def _written(sample: object) -> str:
    return json.dumps(sample, indent=2, ensure_ascii=False)


# https://judge.me/api/docs: a review as its API and its webhooks have it.
_JUDGE_ME = Preset(
    "judge-me", "Judge.me: reviews",
    _written({"review": {
        "id": 41000123, "title": "Lovely", "body": "My new favorite.", "rating": 5,
        "product_external_id": 7001, "reviewer": {
            "id": 5100, "external_id": 900, "email": "ann@example.com", "name": "Ann Lee",
        },
        "source": "email", "curated": "ok", "published": True, "hidden": False,
        "verified": "buyer", "featured": False, "created_at": "2026-03-01T09:15:00+00:00",
        "updated_at": "2026-03-01T09:15:00+00:00", "has_published_pictures": True,
    }}),
    rows="review",
    fields={
        "number": "id", "occurred_at": "created_at", "customer_email": "reviewer.email",
        "customer_number": "reviewer.external_id", "subject": "product_external_id",
    },
    keep=("rating", "verified", "has_published_pictures"),
    activity="review",
)  # fmt: skip
# https://apidocs.yotpo.com: retrieving all reviews.
_YOTPO = Preset(
    "yotpo", "Yotpo: reviews",
    _written({"reviews": [{
        "id": 398111, "title": "Lovely", "content": "My new favorite.", "score": 5,
        "votes_up": 2, "votes_down": 0, "created_at": "2026-03-01T09:15:00.000Z",
        "updated_at": "2026-03-01T09:15:00.000Z", "sentiment": 0.98, "sku": "ESPRESSO",
        "name": "Ann L.", "email": "ann@example.com", "reviewer_type": "verified_buyer",
        "deleted": False, "archived": False, "escalated": False,
    }]}),
    rows="reviews",
    fields={
        "number": "id", "occurred_at": "created_at", "customer_email": "email", "subject": "sku",
    },
    keep=("score", "reviewer_type"),
    activity="review",
)  # fmt: skip
# https://help.klaviyo.com: the body of a flow's webhook is written in the flow; this one is to be.
_KLAVIYO = Preset(
    "klaviyo", "Klaviyo: subscribed to a list (webhook of a flow)",
    _written({
        "event_id": "6Kq3Xz", "email": "ann@example.com", "external_id": "",
        "list_id": "Y6nRLr", "list_name": "Newsletter", "subscribed_at": "2026-03-01T09:15:00Z",
    }),
    fields={
        "number": "event_id", "occurred_at": "subscribed_at", "customer_email": "email",
        "customer_number": "external_id", "subject": "list_id", "subject_name": "list_name",
    },
    activity="newsletter",
)  # fmt: skip
# https://mailchimp.com/help/view-export-contacts: the file of subscribed contacts.
_MAILCHIMP = Preset(
    "mailchimp", "Mailchimp: subscribed contacts (file)",
    '"Email Address","First Name","Last Name",MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME,LEID,EUID\n'
    'ann@example.com,Ann,Lee,4,"2026-03-01 09:14:02","2026-03-01 09:15:00",500123,a1b2c3d4e5\n',
    fields={
        "number": "EUID", "occurred_at": "CONFIRM_TIME", "customer_email": "Email Address",
    },
    keep=("MEMBER_RATING",),
    activity="newsletter",
)  # fmt: skip
# https://developers.klaviyo.com: a flow begun by "Unsubscribed from list" or by a subscription,
# whose webhook says this.
_KLAVIYO_CONSENT = Preset(
    "klaviyo-consent", "Klaviyo: subscribed and unsubscribed (webhook of a flow)",
    _written({
        "email": "ann@example.com", "external_id": "", "consent": "unsubscribed",
        "occurred_at": "2026-03-01T09:15:00Z", "list_name": "Newsletter",
    }),
    fields={
        "customer_email": "email", "customer_number": "external_id", "state": "consent",
        "said_at": "occurred_at", "evidence": "list_name",
    },
    what=CONSENT, activity="", fixed={"channel": "email", "topic": "offers"},
)  # fmt: skip
# https://mailchimp.com/help/view-export-contacts: the files of subscribed and of unsubscribed
# contacts; the second has UNSUB_TIME in place of CONFIRM_TIME.
_MAILCHIMP_YES = Preset(
    "mailchimp-yes", "Mailchimp: subscribed contacts as a yes (file)",
    '"Email Address","First Name","Last Name",MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME,LEID,EUID\n'
    'ann@example.com,Ann,Lee,4,"2026-03-01 09:14:02","2026-03-01 09:15:00",500123,a1b2c3d4e5\n',
    fields={"customer_email": "Email Address", "said_at": "CONFIRM_TIME"},
    what=CONSENT, activity="", fixed={"channel": "email", "topic": "offers", "always": "yes"},
)  # fmt: skip
_MAILCHIMP_NO = Preset(
    "mailchimp-no", "Mailchimp: unsubscribed contacts as a no (file)",
    '"Email Address","First Name","Last Name",OPTIN_TIME,UNSUB_TIME,UNSUB_REASON,LEID,EUID\n'
    'ann@example.com,Ann,Lee,"2026-03-01 09:14:02","2026-04-01 09:15:00",N/A,500123,a1b2c3d4e5\n',
    fields={
        "customer_email": "Email Address", "said_at": "UNSUB_TIME", "evidence": "UNSUB_REASON",
    },
    what=CONSENT, activity="", fixed={"channel": "email", "topic": "offers", "always": "no"},
)  # fmt: skip
# https://developer.rechargepayments.com: charge/paid, version 2021-11.
_RECHARGE = Preset(
    "recharge", "Recharge: paid charges of subscriptions",
    _written({"charge": {
        "id": 706880000, "status": "success", "type": "recurring",
        "customer": {
            "id": 80500, "email": "ann@example.com", "external_customer_id": {"ecommerce": "900"},
        },
        "created_at": "2026-03-01T09:15:00", "processed_at": "2026-03-01T09:15:20",
        "currency": "USD", "total_price": "24.00",
        "line_items": [{"sku": "ESPRESSO", "title": "Espresso", "quantity": 1}],
    }}),
    rows="charge",
    fields={
        "number": "id", "occurred_at": "processed_at", "customer_email": "customer.email",
        "customer_number": "customer.external_customer_id.ecommerce",
    },
    keep=("type", "total_price"),
    activity="subscription",
)  # fmt: skip
PRESETS: Mapping[str, Preset] = {
    item.key: item
    for item in (
        _JUDGE_ME,
        _YOTPO,
        _KLAVIYO,
        _KLAVIYO_CONSENT,
        _MAILCHIMP,
        _MAILCHIMP_YES,
        _MAILCHIMP_NO,
        _RECHARGE,
    )
}
