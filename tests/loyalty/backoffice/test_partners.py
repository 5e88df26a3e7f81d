"""The pages of partners, as staff and the partner's own people see them."""

import pytest
from django.test import Client
from django.utils import timezone

from loyalty.models import Partner, PartnerRate, PartnerSettlement
from tests.factories import StaffMemberFactory
from tests.loyalty.factories import day, order, record
from tests.loyalty.partnering import BAKERY, bakery, buy, close, coalition

HERE = "/backoffice/programs/club/partners/"


def signed_in(**who) -> Client:
    client = Client()
    client.force_login(StaffMemberFactory(**who).user, "django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def manager(db) -> Client:
    return signed_in(role="marketing_manager")


def somebody_of(partner: Partner) -> Client:
    return signed_in(role="partner", partner=partner.pk, programs=[partner.account.program_id])


def text(answer) -> str:
    return answer.content.decode()


def test_a_partner_is_added_with_its_rates(manager):
    coalition(partners=[])
    assert "No partner yet" in text(manager.get(HERE))
    said = {
        "name": "Corner Café", "summary": "Coffee", "website": "", "since": "2024-03-01",
        "issued_points": "0.01", "taken_in_points": "0.008",
    }  # fmt: skip
    made = manager.post("/backoffice/programs/club/new-partner/", said)
    assert made["Location"] == f"{HERE}corner-cafe/"
    rate = PartnerRate.objects.get()
    assert (str(rate.issued), str(rate.from_on)) == ("0.010000", "2024-03-01")
    wrong = manager.post("/backoffice/programs/club/new-partner/", said | {"website": "x"})
    assert wrong.status_code == 422
    assert "Corner Café" in text(manager.get(HERE))


def test_partners_whose_names_have_no_latin_letters_get_short_names_that_are_free(manager):
    coalition(partners=[])
    said = {
        "summary": "", "website": "", "since": "2024-03-01", "issued_points": "0.01",
        "taken_in_points": "0.008",
    }  # fmt: skip
    for name in ("Καφενείο", "咖啡店", "Φούρνος"):
        made = manager.post("/backoffice/programs/club/new-partner/", said | {"name": name})
        assert made.status_code == 302, text(made)
    codes = Partner.objects.order_by("pk").values_list("account__code", flat=True)
    assert list(codes) == ["partner", "partner-2", "partner-3"]


def test_rates_change_from_a_day_on_and_not_in_settled_months(manager):
    coalition()
    close(day(30))
    said = {"from_on": "2024-03-20", "issued_points": "0.05", "taken_in_points": "0.04"}
    refused = manager.post(f"{HERE}bakery/rates/", said)
    assert refused.status_code == 422
    assert "settled" in text(refused)
    assert manager.post(f"{HERE}bakery/rates/", said | {"from_on": "2024-05-01"}).status_code == 302
    assert PartnerRate.objects.count() == 2


def test_a_partner_is_changed_and_ended(manager):
    coalition()
    said = {"name": "Bread", "summary": "", "website": "", "since": "2024-03-01"}
    assert manager.post(f"{HERE}bakery/edit/", said).status_code == 302
    assert manager.post(f"{HERE}bakery/end/").status_code == 302
    page = text(manager.get(f"{HERE}bakery/"))
    assert "Bread" in page
    assert "This partner has ended" in page


def test_months_are_closed_shown_downloaded_and_paid(manager):
    coalition()
    record(order("A1", "5"))
    buy("B1", "400")
    shown = text(manager.get(f"{HERE}bakery/"))
    assert "$4.00" in shown
    assert "It stays as it was closed." in shown
    answer = manager.post(f"{HERE}bakery/close/")
    settlement = PartnerSettlement.objects.get()
    address = f"/backoffice/partner-settlements/{settlement.public_id}/"
    assert answer["Location"] == address
    assert "$4.00 to be paid by Bread &amp; Butter." in text(manager.get(address))
    lines = b"".join(manager.get(f"{address}file/").streaming_content).decode().splitlines()
    assert lines[0].startswith("day,movement,order")
    assert lines[1].startswith("2024-03-15,")
    assert lines[1].endswith(",B1,issued,points,400,no,1")
    assert len(lines) == 2
    assert (
        manager.post(f"{address}paid/", {"reference": "", "paid_on": "2024-05-01"}).status_code
        == 422
    )
    manager.post(f"{address}paid/", {"reference": "SEPA", "paid_on": "2024-05-01"})
    settlement.refresh_from_db()
    assert (settlement.status, settlement.reference) == ("paid", "SEPA")


def test_somebody_of_a_partner_sees_that_partner_and_nothing_else(manager):
    cafe = {**BAKERY, "code": "cafe", "name": "Corner Café"}
    coalition(partners=[BAKERY, cafe])
    record(order("A1", "5"))
    buy("B1", "400")
    buy("C1", "100", partner=bakery("cafe"))
    own, other = close(day(40)), close(day(40), bakery("cafe"))
    baker = somebody_of(bakery())
    assert baker.get("/")["Location"] == "/backoffice/own-partner/"
    page = text(baker.get("/backoffice/own-partner/"))
    assert "B1" in page
    assert "Owed by you" in page
    assert "C1" not in page
    assert "A1" not in page
    assert "Corner" not in page
    settled = "/backoffice/own-partner/settlements/"
    assert "$4.00" in text(baker.get(f"{settled}{own.public_id}/"))
    assert baker.get(f"{settled}{own.public_id}/file/").status_code == 200
    assert baker.get(f"{settled}{other.public_id}/").status_code == 404
    assert baker.get(f"{settled}{other.public_id}/file/").status_code == 404
    for page in (f"{HERE}bakery/", HERE, "/backoffice/", "/backoffice/customers/",
                 f"/backoffice/partner-settlements/{own.public_id}/"):  # fmt: skip
        assert baker.get(page).status_code == 403


def test_the_page_of_a_partner_needs_no_month(manager):
    coalition(partners=[{**BAKERY, "since": timezone.now().date().isoformat(), "rates": []}])
    assert "No month is closed yet" in text(manager.get(f"{HERE}bakery/"))
    answer = manager.post(f"{HERE}bakery/close/", follow=True)
    assert "No month is over that is not closed." in text(answer)
