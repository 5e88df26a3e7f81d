"""Rewards and items of the library that come with a sale: each member's own time counts."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction

from loyalty.models import Program
from loyalty.program_files import dump_program, load_program
from loyalty.selectors.programs import definition_of as whole_definition
from loyalty.services.programs import apply_definition
from members.errors import DomainError
from members.models import Segment, SegmentMember, StaffMember, User
from members.services.audit import SYSTEM, Actor
from rewards.definitions import RewardDefinition
from rewards.errors import ContentRefusedError, RewardRefusedError
from rewards.models import AccessWindow, ContentItem, Redemption, Reward
from rewards.selectors.rewards import definition_of, offered
from rewards.services.access_windows import WindowTerms, archive_window, save_window
from rewards.services.bulk_changes import BulkChange, plan_changes
from rewards.services.content import (
    ContentTerms,
    change_content,
    create_content,
    entries_for,
    fetch_content,
)
from rewards.services.eligibility import offers_for
from rewards.services.overrides import Override
from rewards.services.previews import preview_shelf
from rewards.services.redemptions import take_reward
from rewards.services.rewards import change_reward
from rewards.terms_panels import reward_terms
from rewards.words import conditions_of
from tests.loyalty.factories import NOW, make_program, spendable
from tests.rewards.factories import make_member, offer, take
from tests.sharing import of_each_test

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("undone_when_refused")]
HOUR = dt.timedelta(hours=1)
OPENS, CLOSES = NOW + 5 * HOUR, NOW + 9 * HOUR
TIERS = {"window": "calendar_year", "tiers": [
    {"code": "base", "name": "Base"}, {"code": "gold", "name": "Gold", "threshold": 100_000},
]}  # fmt: skip


_made_once, member = of_each_test(lambda: make_member(1000))


@pytest.fixture
def friends(member):
    segment = Segment.objects.create(code="friends", name="Friends", kind="static")
    SegmentMember.objects.create(segment=segment, customer=member.customer, since=NOW)
    return segment


def open_sale(program, **terms):
    said = {"name": "Harvest sale", "opens_at": OPENS, "closes_at": CLOSES} | terms
    return save_window(program=program, code="harvest", terms=WindowTerms(**said), actor=SYSTEM)


def against(member, at):
    """What is against the only reward on the shelf."""
    [found] = offers_for(list(offered(member.program)), member, at)
    return [item.code for item in found.refusals]


def test_a_reward_is_taken_when_its_sale_opens_for_this_member_and_until_it_closes(member, friends):
    open_sale(member.program, segments={"friends": NOW + HOUR})
    other = make_member(1000, "c2", member.program)
    reward = offer(member.program, window="harvest")
    found = {at: (against(member, at), against(other, at))
             for at in (NOW, NOW + HOUR, OPENS, CLOSES)}  # fmt: skip
    assert found == {
        NOW: (["not_yet"], ["not_yet"]), NOW + HOUR: ([], ["not_yet"]), OPENS: ([], []),
        CLOSES: (["over"], ["over"]),
    }  # fmt: skip
    with pytest.raises(RewardRefusedError, match="It can be taken from"):
        take(other, reward, at=NOW + HOUR)
    take(member, reward, at=NOW + HOUR)
    assert (spendable("c1", NOW + HOUR), spendable("c2", NOW + HOUR)) == (900, 1000)


def test_tiers_come_earlier_by_their_times_of_the_sale():
    program = make_program(tiers=TIERS)
    open_sale(program, tiers={"gold": NOW - HOUR})
    offer(program, window="harvest")
    seen = {tier: [item.code for item in preview_shelf(program=program, tier=tier, now=NOW)[0]
            .refusals] for tier in ("", "gold")}  # fmt: skip
    assert seen == {"": ["not_yet"], "gold": []}


def test_of_a_sale_for_some_others_are_told_so(member, friends):
    open_sale(member.program, opens_at=None, segments={"friends": NOW})
    other = make_member(1000, "c2", member.program)
    reward = offer(member.program, window="harvest")
    assert (against(member, NOW), against(other, NOW)) == ([], ["not_for_you"])
    user = User.objects.create(email="agent@example.com")
    StaffMember.objects.create(user=user, role=StaffMember.Role.SUPPORT_AGENT)
    let_pass, _replayed = take_reward(
        membership=other, reward=reward, key="o1", source="backoffice", now=NOW,
        actor=Actor.of_user(user), override=Override(["not_for_you"], "A friend asked for her"),
    )  # fmt: skip
    assert let_pass.overridden == ["not_for_you"]
    told = list(conditions_of(reward, for_members=True))
    assert "With “Harvest sale”." in told
    assert not any(words.startswith("From") for words in told)


def test_a_sale_that_moves_or_is_put_away_takes_its_rewards_along(member):
    sale = open_sale(member.program)
    offer(member.program, window="harvest")
    open_sale(member.program, opens_at=NOW, closes_at=NOW + HOUR)
    assert (against(member, NOW), against(member, NOW + HOUR)) == ([], ["over"])
    assert reward_terms(member.program, NOW) is not None
    assert reward_terms(member.program, NOW + HOUR) is None
    archive_window(window=sale, actor=SYSTEM, now=NOW)
    assert against(member, NOW) == ["over"]
    assert reward_terms(member.program, NOW) is None


def test_a_reward_s_own_end_counts_too(member):
    open_sale(member.program)
    reward = offer(member.program, window="harvest", ends_at=CLOSES - HOUR)
    assert (against(member, OPENS), against(member, CLOSES - HOUR)) == ([], ["over"])
    ends = [words for words in conditions_of(reward, for_members=True) if "Until" in words]
    assert len(ends) == 1


def test_one_reward_begins_once(member):
    open_sale(member.program)
    reward = offer(member.program, window="harvest")
    with pytest.raises(ValueError, match="not both"):
        RewardDefinition.model_validate(definition_of(reward).model_dump() | {"starts_at": NOW})
    both = definition_of(reward).model_copy(update={"starts_at": NOW})
    with pytest.raises(DomainError) as wrong:
        change_reward(reward=reward, definition=both, actor=SYSTEM)
    assert [item.field for item in wrong.value.errors] == ["window"]
    with pytest.raises(DomainError, match="begins with a sale"):
        plan_changes([reward], BulkChange(dated=True, starts_at=NOW))
    [planned] = plan_changes([reward], BulkChange(dated=True, ends_at=CLOSES - HOUR))
    assert (planned.after.window, planned.after.ends_at) == ("harvest", CLOSES - HOUR)
    with pytest.raises(IntegrityError), transaction.atomic():
        Reward.objects.filter(pk=reward.pk).update(starts_at=NOW)
    with pytest.raises(DomainError) as wrong:
        offer(member.program, "other", window="nothing")
    assert [item.field for item in wrong.value.errors] == ["window"]


def test_rewards_of_sales_ask_as_often_for_many_as_for_one(
    member, friends, django_assert_num_queries, django_assert_max_num_queries
):
    open_sale(member.program, segments={"friends": NOW})
    offer(member.program, window="harvest")
    with django_assert_max_num_queries(40) as once:
        against(member, NOW)
    for number in range(5):
        save_window(
            program=member.program, code=f"sale-{number}", actor=SYSTEM,
            terms=WindowTerms(name="Sale", opens_at=OPENS, closes_at=CLOSES,
                              segments={"friends": NOW}),
        )  # fmt: skip
        offer(member.program, f"more-{number}", window=f"sale-{number}")
    with django_assert_num_queries(len(once)):
        found = offers_for(list(offered(member.program)), member, NOW)
    assert [item.refusals for item in found] == [()] * 6


def test_an_item_of_the_library_comes_with_a_sale_for_nothing_or_for_units(member, friends):
    open_sale(member.program, segments={"friends": NOW})
    other = make_member(1000, "c2", member.program)
    link = {"link": "https://example.com/look", "status": "live", "window": "harvest"}
    free = create_content(
        program=member.program, code="look", file=None, actor=SYSTEM,
        terms=ContentTerms(title="A look ahead", **link),
    )  # fmt: skip
    sold = create_content(
        program=member.program, code="film", file=None, actor=SYSTEM,
        terms=ContentTerms(title="A film", price=100, wallet_type="points", **link),
    )  # fmt: skip
    fetch_content(item=free, membership=member, actor=SYSTEM, now=NOW)
    with pytest.raises(ContentRefusedError, match="It can be taken from"):
        fetch_content(item=free, membership=other, actor=SYSTEM, now=NOW)
    [entry] = entries_for([ContentItem.objects.get(code="look")], other, OPENS)
    assert entry.allowed
    assert (sold.window, sold.reward.window.code) == (None, "harvest")
    with pytest.raises(RewardRefusedError):
        take(other, sold.reward, at=NOW)
    take(member, sold.reward, at=NOW)
    # Whoever took it keeps it, also when the sale is over.
    fetch_content(item=sold, membership=member, actor=SYSTEM, now=CLOSES)
    at_once = ContentTerms(title="A look ahead", link=link["link"], status="live")
    change_content(item=free, terms=at_once, file=None, actor=SYSTEM)
    fetch_content(item=ContentItem.objects.get(code="look"), membership=other, actor=SYSTEM,
                  now=NOW)  # fmt: skip
    assert Redemption.objects.count() == 1


def test_a_program_file_carries_sales_and_what_comes_with_them(member):
    program = member.program
    open_sale(program, skus=("B", "A"), teaser="Up to a third off")
    offer(program, window="harvest")
    elsewhere = load_program(
        dump_program(program, NOW).replace(f"code: {program.code}\n", "code: elsewhere\n", 1)
    )
    applied = apply_definition(elsewhere, actor=SYSTEM, now=NOW)
    assert "New sale: Harvest sale" in applied.changes
    other = Program.objects.get(code="elsewhere")
    first, second = whole_definition(program, NOW), whole_definition(other, NOW)
    assert first.access_windows == second.access_windows
    assert (first.rewards, first.rewards[0].window) == (second.rewards, "harvest")
    assert apply_definition(second, actor=SYSTEM, now=NOW).changes == []
    later = first.access_windows[0].model_copy(update={"name": "Late sale", "archived": True})
    changed = second.model_copy(update={"access_windows": (later,)})
    assert apply_definition(changed, actor=SYSTEM, now=NOW).changes == ["Sale changed: Late sale"]
    row = AccessWindow.objects.get(program=other)
    assert (row.name, row.archived_at is not None, row.skus) == ("Late sale", True, ["A", "B"])
    # A reward still names it, so the file does.
    assert [item.archived for item in whole_definition(other, NOW).access_windows] == [True]
    lost = later.model_copy(update={"tiers": {"nothing": NOW}})
    with pytest.raises(DomainError) as wrong:
        apply_definition(
            second.model_copy(update={"access_windows": (lost,)}), actor=SYSTEM, now=NOW
        )
    assert [item.field for item in wrong.value.errors] == ["access_windows[0].tiers"]
