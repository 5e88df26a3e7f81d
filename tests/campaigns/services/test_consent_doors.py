"""What somebody wants to be told is asked where they join, and comes in by files and connections;
what was said last counts, whatever comes first."""

import datetime as dt

import pytest

from campaigns.models import Consent, ConsentChange, ConsentWording
from campaigns.services.consent_doors import boxes
from campaigns.services.consents import set_consents
from campaigns.services.policies import set_policy
from members.errors import DomainError
from members.models import Customer
from members.services.audit import SYSTEM
from members.told_consents import ConsentSaid, ConsentsTold, consent_boxes, keep_consents
from tests.factories import CustomerFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("awake")]
NOW = dt.datetime(2026, 3, 10, 12, tzinfo=dt.UTC)


def day(number: int) -> dt.datetime:
    return NOW + dt.timedelta(days=number)


def tell(
    customer: Customer, yes: bool, at: dt.datetime | None = None, source: str = "import",
    proven: str = "", **more: str,
) -> None:  # fmt: skip
    said = ConsentSaid("email", "offers", yes, said_at=at, **more)
    keep_consents(ConsentsTold(customer, [said], source, SYSTEM, NOW, proven=proven))


def state(customer: Customer) -> str:
    found = Consent.objects.filter(customer=customer, channel="email", topic="offers").first()
    return found.state if found else ""


class TestWhatWasSaidLastCounts:
    @pytest.mark.parametrize("source", ["import", "connection", "api"])
    def test_a_withdrawal_that_is_later_wins_whichever_is_told_first(self, source: str) -> None:
        ana, ben = CustomerFactory(), CustomerFactory()
        tell(ana, True, day(-9), source)
        tell(ana, False, day(-5), source)
        tell(ben, False, day(-5), source)
        tell(ben, True, day(-9), source)
        assert (state(ana), state(ben)) == ("denied", "denied")

    def test_a_yes_that_is_later_than_a_no_counts(self) -> None:
        ana = CustomerFactory()
        tell(ana, False, day(-9))
        tell(ana, True, day(-5))
        assert state(ana) == "granted"

    def test_of_two_at_one_time_the_no_counts(self) -> None:
        ana, ben = CustomerFactory(), CustomerFactory()
        for first, customer in ((True, ana), (False, ben)):
            tell(customer, first, day(-5))
            tell(customer, not first, day(-5))
        assert (state(ana), state(ben)) == ("denied", "denied")

    def test_a_yes_said_again_outlives_a_no_from_between(self) -> None:
        ana = CustomerFactory()
        tell(ana, True, day(-9))
        tell(ana, True, day(-2))
        tell(ana, False, day(-5))
        assert state(ana) == "granted"

    def test_a_yes_of_a_file_without_a_time_undoes_no_no(self) -> None:
        ana, ben = CustomerFactory(), CustomerFactory()
        set_consents(
            customer=ana, wanted={("email", "offers"): False}, source="link", actor=SYSTEM,
            now=day(-300),
        )  # fmt: skip
        tell(ana, True)
        tell(ben, True)
        assert (state(ana), state(ben)) == ("denied", "granted")

    def test_a_no_of_a_file_without_a_time_counts_from_now_on(self) -> None:
        ana = CustomerFactory()
        tell(ana, True, day(-9))
        tell(ana, False)
        assert state(ana) == "denied"

    def test_what_has_not_been_yet_is_refused_and_another_systems_clock_may_be_ahead(self) -> None:
        ana = CustomerFactory()
        with pytest.raises(DomainError):
            tell(ana, True, day(1))
        tell(ana, True, day(1), "connection")
        assert Consent.objects.get(customer=ana).changed_at == NOW


class TestEvidence:
    def test_history_says_from_where_when_and_how_it_is_known(self) -> None:
        ana = CustomerFactory()
        tell(ana, True, day(-9), evidence="Fair in May", wording="Yes, write to me.", locale="en")
        change = ConsentChange.objects.get(customer=ana)
        assert (change.source, change.at, change.noted_at) == ("import", day(-9), NOW)
        assert change.evidence == "Fair in May"
        assert change.wording is not None
        assert (change.wording.text, change.wording.version) == ("Yes, write to me.", 1)

    def test_other_words_are_another_version_and_the_same_ones_are_not(self) -> None:
        for words in ("First words.", "Second words.", "First words."):
            tell(CustomerFactory(), True, wording=words, locale="en")
        kept = ConsentWording.objects.order_by("version").values_list("version", "text")
        assert list(kept) == [(1, "First words."), (2, "Second words.")]

    def test_a_way_that_is_not_set_up_is_noted_of_a_file_and_refused_of_a_page(self) -> None:
        ana = CustomerFactory(phone="+60123456789")
        said = [ConsentSaid("sms", "offers", True)]
        keep_consents(ConsentsTold(ana, said, "import", SYSTEM, NOW))
        assert Consent.objects.get(customer=ana).channel == "sms"
        with pytest.raises(DomainError):
            keep_consents(ConsentsTold(ana, said, "join", SYSTEM, NOW))

    def test_what_is_refused_is_named_by_its_own_column(self) -> None:
        said = [
            ConsentSaid("email", "offers", True, field="consent_email_offers"),
            ConsentSaid("email", "nonsense", True, field="consent_email_nonsense"),
        ]
        with pytest.raises(DomainError) as refused:
            keep_consents(ConsentsTold(CustomerFactory(), said, "import", SYSTEM, NOW))
        assert [error.field for error in refused.value.errors] == ["consent_email_nonsense"]


class TestJoining:
    def test_boxes_ask_for_offers_by_the_ways_that_fit_what_is_known(self) -> None:
        [box] = boxes()
        assert (box.channel, box.topic, box.needs) == ("email", "offers", "email")
        assert "Offers" in box.label
        assert consent_boxes(having=["phone"]) == []

    def test_an_address_that_is_proven_is_not_asked_again(self) -> None:
        ana, ben, cy = CustomerFactory(), CustomerFactory(), CustomerFactory()
        tell(ana, True, source="join", proven="email")
        tell(ben, True, source="till")
        set_policy(changes={"double_opt_in": False}, actor=SYSTEM)
        tell(cy, True, source="till")
        assert (state(ana), state(ben), state(cy)) == ("granted", "asked", "granted")
