"""The codes of promotions: words and codes that are used once each, from draft to copy."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from campaigns.campaign_definitions import CampaignDefinition, Codes
from campaigns.models import PromoCode
from campaigns.selectors.campaigns import shown_to
from campaigns.services.campaign_forecasts import forecast_campaign
from campaigns.services.campaigns import (
    copy_campaign,
    delete_campaign,
    end_campaign,
    publish_campaign,
    withdraw_campaign,
)
from campaigns.services.promo_codes import make_codes, write_codes
from loyalty.models import Program
from members.errors import ConflictError, DomainError
from members.services.audit import SYSTEM
from tests.campaigns.campaigns import DAY, draft
from tests.campaigns.promo_codes import HOUR, by_word, member, said_of
from tests.loyalty.factories import (
    NOW,
    make_program,
    make_wallet,
    order,
    record,
    spendable,
)
from tests.sharing import anew, shared

pytestmark = pytest.mark.usefixtures("coherent_ledger")


made_once = shared(lambda: make_program(time_zone="Europe/Athens"))


@pytest.fixture
def program(made_once: Program, db: None) -> Program:
    return anew(made_once)


def test_a_word_is_one_promotions_while_that_is_to_come_or_on(program):
    first = by_word(program)
    other = draft(program, name="Other", codes={"kind": "shared", "word": "student10"})
    with pytest.raises(ConflictError, match="Spring") as refused:
        publish_campaign(campaign=other, actor=SYSTEM, now=NOW)
    assert refused.value.errors[0].field == "code_word"
    end_campaign(campaign=first, actor=SYSTEM, now=NOW)
    publish_campaign(campaign=other, actor=SYSTEM, now=NOW)
    assert said_of_member(program) == ""


def said_of_member(program: Program) -> str:
    make_wallet(program)
    return said_of("STUDENT10", at=NOW + HOUR)


def test_what_is_taken_back_leaves_the_word_to_others(program):
    campaign = by_word(program, starts_at=NOW + DAY, ends_at=NOW + 2 * DAY)
    withdraw_campaign(campaign=campaign, actor=SYSTEM, now=NOW)
    assert not PromoCode.objects.exists()
    publish_campaign(campaign=campaign, actor=SYSTEM, now=NOW)
    assert PromoCode.objects.get().written == "STUDENT-10"


def test_codes_that_are_used_once_each_are_made_and_written(program):
    campaign = draft(program, codes={"kind": "single"})
    with pytest.raises(DomainError, match="Make its codes first"):
        publish_campaign(campaign=campaign, actor=SYSTEM, now=NOW)
    assert make_codes(campaign=campaign, number=25, actor=SYSTEM, now=NOW) == 25
    assert write_codes(campaign=campaign, text="ABCD\nabcd\n\nEFGH", actor=SYSTEM, now=NOW) == 2
    assert write_codes(campaign=campaign, text="ABCD", actor=SYSTEM, now=NOW) == 0
    publish_campaign(campaign=campaign, actor=SYSTEM, now=NOW)
    record(order("A", "10", coupons=("ABCD",)), order("B", "10", coupons=("abcd",), buyer="c2"))
    assert (spendable("c1"), spendable("c2")) == (20, 10)
    assert said_of("EFGH", buyer="c2") == ""


def test_what_is_no_code_is_refused_by_its_line(program):
    campaign = draft(program, codes={"kind": "single"})
    with pytest.raises(DomainError, match="“A-1” is no code"):
        write_codes(campaign=campaign, text="ABCD\nA-1", actor=SYSTEM, now=NOW)
    with pytest.raises(ConflictError):
        make_codes(campaign=by_word(program), number=1, actor=SYSTEM, now=NOW)
    with pytest.raises(ValidationError, match="between 4 and 40"):
        Codes(kind="shared", word="A-B")


def test_a_draft_is_thrown_away_with_its_codes(program):
    campaign = draft(program, codes={"kind": "single"})
    make_codes(campaign=campaign, number=3, actor=SYSTEM, now=NOW)
    delete_campaign(campaign=campaign, actor=SYSTEM)
    assert not PromoCode.objects.exists()


def test_a_copy_asks_for_the_same_code(program):
    assert copy_campaign(campaign=by_word(program), actor=SYSTEM, now=NOW).codes == {
        "kind": "shared", "word": "STUDENT-10",
    }  # fmt: skip


def test_members_see_it_with_its_code_unless_it_is_kept_from_their_pages(program):
    make_wallet(program)
    by_word(program)
    by_word(program, name="Quiet", codes={"word": "QUIET", "shown": False})
    assert [item.name for item in shown_to(member(), NOW)] == ["Spring"]


def test_the_forecast_is_as_if_all_had_the_code(program):
    campaign = draft(program, codes={"kind": "shared", "word": "STUDENT10"})
    backtest = forecast_campaign(campaign=campaign, actor=SYSTEM, now=NOW)
    assert "order.promotions" not in str(backtest.draft)


def test_the_words_of_a_definition_are_read_again(program):
    definition = CampaignDefinition.model_validate(
        {"name": "X", "title": "X", "template": "flash", "codes": {"kind": "single"}}
    )
    assert definition.codes == Codes(kind="single")
