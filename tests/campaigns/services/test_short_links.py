"""Links of texts: short ones of the merchant's own address, by which it is counted that they were
followed, only where it may be."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from campaigns.models import Delivery, DeliveryClick, ShortLink
from campaigns.selectors.figures import figures_of_occasion
from campaigns.services.consents import set_consents
from campaigns.services.policies import set_policy
from campaigns.short_links import CODE_LENGTH, as_if_short, with_short_links
from members.models import Customer
from members.services.audit import SYSTEM
from members.services.customers import erase_customer_details
from tests.campaigns.factories import send, tell, write
from tests.campaigns.receiver import Receiver
from tests.campaigns.ways import agree, gateway, use, wanting

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("awake")]
PHONE = {"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Safari/604.1"}
SALE = "https://shop.example/sale?a=1&b=2"
SHORT = re.compile(r"http://localhost:8000/l/[A-Za-z0-9]{11}(?![A-Za-z0-9])")


@pytest.fixture(autouse=True)
def ways(receiver: Receiver) -> None:
    for channel in ("sms", "whatsapp"):
        use(channel, gateway(receiver))


def told(customer: Customer, *, channel: str = "sms") -> Delivery:
    write("gift", "Gift", f"{{{{ gift }}}}: {SALE}. Yours: {{{{ link }}}}", channel=channel)
    tell(customer, channels=(channel,))
    send()
    return Delivery.objects.latest("pk")


def text_of(receiver: Receiver) -> str:
    return str(receiver.got[-1].message["message"])


def follow(link: str, **headers: str) -> str:
    path = link.removeprefix("http://localhost:8000")
    return Client().get(path, headers={**PHONE, **headers}).headers.get("Location", "")


def count(customer: Customer, *, yes: bool) -> None:
    set_consents(
        customer=customer, wanted={("email", "tracking"): yes}, source="account", actor=SYSTEM,
        now=timezone.now(),
    )  # fmt: skip


@pytest.mark.parametrize("channel", ["sms", "whatsapp"])
def test_links_become_short_ones_that_lead_on_and_are_counted(
    receiver: Receiver, channel: str
) -> None:
    row = told(wanting(channel), channel=channel)
    sale, own = SHORT.findall(text_of(receiver))
    assert SALE not in text_of(receiver)
    # The sentence ends where it did.
    assert f"{sale}. Yours" in text_of(receiver)
    assert follow(sale) == SALE
    assert follow(own) == row.message.values["link"]
    follow(sale)
    row.refresh_from_db()
    assert row.counts_clicks
    assert row.clicked_at is not None
    assert DeliveryClick.objects.get(link="shop.example/sale").count == 2
    found = figures_of_occasion("gift", days=7, now=timezone.now())
    assert (found.by_channel[channel].counts_clicks, found.by_channel[channel].clicked) == (1, 1)


def test_programs_that_look_at_links_are_led_on_uncounted(receiver: Receiver) -> None:
    row = told(wanting())
    sale = SHORT.findall(text_of(receiver))[0]
    assert follow(sale, **{"User-Agent": "WhatsApp/2.23.20.0"}) == SALE
    row.refresh_from_db()
    assert row.clicked_at is None


def test_who_said_no_to_being_counted_has_links_as_they_are_written(receiver: Receiver) -> None:
    ana = wanting()
    count(ana, yes=False)
    row = told(ana)
    assert SALE in text_of(receiver)
    assert not row.counts_clicks
    assert not ShortLink.objects.exists()


def test_who_says_no_later_is_led_on_uncounted(receiver: Receiver) -> None:
    ana = wanting()
    row = told(ana)
    count(ana, yes=False)
    assert follow(SHORT.findall(text_of(receiver))[0]) == SALE
    row.refresh_from_db()
    assert row.clicked_at is None


def test_a_merchant_who_counts_nothing_sends_links_as_they_are(receiver: Receiver) -> None:
    set_policy(changes={"track_clicks": False}, actor=SYSTEM)
    told(wanting())
    assert SALE in text_of(receiver)


def test_a_text_without_a_link_is_not_among_those_of_which_clicks_are_seen() -> None:
    write("gift", "Gift", "{{ gift }} for you", channel="sms")
    tell(wanting(), channels=("sms",))
    send()
    assert not Delivery.objects.get().counts_clicks


def test_the_link_by_which_somebody_declines_stays(receiver: Receiver) -> None:
    use("sms", gateway(receiver), stop_word="")
    tell(wanting(), channels=("sms",))
    send()
    assert "/messages/stop/" in text_of(receiver)
    assert all("/stop/" not in link.target for link in ShortLink.objects.all())


def test_handed_over_again_it_has_the_same_links(receiver: Receiver) -> None:
    row = told(wanting())
    first = SHORT.findall(text_of(receiver))
    again, links = with_short_links(f"See {SALE}!", row.public_id)
    assert again == f"See {first[0]}!"
    assert ShortLink.objects.get(pk=links[0].code).target == SALE
    # Those of another delivery are others.
    other = wanting(phone="+60123456788")
    agree(other, "sms")
    tell(other, "two", channels=("sms",))
    send()
    assert not set(first) & set(SHORT.findall(text_of(receiver)))


@pytest.mark.parametrize("after", [" for you", "/for you", "{{ link }}"])
def test_a_link_in_what_somebody_is_called_is_not_led_to_by_the_merchants_address(
    receiver: Receiver, after: str
) -> None:
    """Or whoever may choose a name could have the merchant's address lead anywhere."""
    write("gift", "Gift", f"{{{{ giver }}}}{after}. See {SALE}", channel="sms")
    tell(wanting(), channels=("sms",), giver="https://phish.example/login")
    send()
    assert text_of(receiver).startswith("https://phish.example/login")
    assert [link.target for link in ShortLink.objects.filter(target__contains="phish")] == []
    assert ShortLink.objects.filter(target=SALE).exists()


def test_a_link_that_there_is_none_of_leads_nowhere(receiver: Receiver) -> None:
    ana = wanting()
    told(ana)
    sale = SHORT.findall(text_of(receiver))[0]
    assert Client().get("/l/aaaaaaaaaaa", headers=PHONE).status_code == 404
    for code in ("a" * 500, "a%00bcdefghij", "%F0%9F%98%80"):
        assert Client().get(f"/l/{code}", headers=PHONE).status_code == 404
    erase_customer_details(customer=ana, actor=SYSTEM)
    assert follow(sale) == ""


def test_the_preview_counts_characters_with_short_links() -> None:
    long = f"https://shop.example/{'a' * 200}"
    assert len(as_if_short(f"See {long}")) == len("See http://localhost:8000/l/") + CODE_LENGTH
