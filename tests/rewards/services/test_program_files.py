"""Rewards in a program's file: what is exported makes the same elsewhere."""

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from loyalty.models import Program
from loyalty.program_files import dump_program, load_program
from loyalty.selectors.programs import definition_of
from loyalty.services.programs import apply_definition
from members.errors import DomainError
from members.models import AuditEntry
from members.services.audit import SYSTEM
from rewards.event_definitions import EventDefinition
from rewards.models import ContentItem, Event, GiftDay, Reward
from rewards.part_definitions import ContentPart, SeatEvent
from rewards.services.content import ContentTerms, create_content
from rewards.services.events import create_event
from rewards.services.voucher_pools import create_voucher_pool
from tests.loyalty.factories import NOW, make_program
from tests.rewards.factories import offer
from tests.sharing import of_each_test

pytestmark = pytest.mark.django_db


def make_with_rewards():
    program = make_program()
    create_voucher_pool(program=program, code="cinema", name="Cinema", actor=SYSTEM)
    offer(
        program, amount="5.50", least=20, categories=["Tea, loose"], worth="5.5", cost="1.25",
        texts={"ms": {"name": "Potongan"}}, stock=40, per_member=2, per_period="month",
        starts_at=NOW, valid_days=30, when={"field": "customer.tags", "op": "has_any",
        "value": ["vip"]},
    )  # fmt: skip
    offer(program, "film", kind="partner_voucher", voucher_pool="cinema", name="A film")
    offer(program, "off", kind="percent_off", percent="12.5", most=9, status="draft")
    offer(program, "gift", kind="mystery", prizes={"film": 2, "five-off": 1}, name="Surprise")
    return program


_made_once, program = of_each_test(make_with_rewards)


def test_a_program_that_is_exported_and_imported_elsewhere_has_the_same_rewards(program):
    text = dump_program(program, timezone.now())
    assert "prizes:" in text
    elsewhere = load_program(text.replace(f"code: {program.code}\n", "code: elsewhere\n", 1))
    applied = apply_definition(elsewhere, actor=SYSTEM, now=NOW)
    assert "New reward: Surprise" in applied.changes
    other = Program.objects.get(code="elsewhere")
    first, second = definition_of(program, NOW), definition_of(other, NOW)
    assert first.rewards == second.rewards
    assert len(second.rewards) == 4
    assert first.voucher_pools == second.voucher_pools
    again = apply_definition(second, actor=SYSTEM, now=NOW)
    assert again.changes == []


def test_a_file_changes_what_it_names_and_leaves_the_rest(program):
    definition = definition_of(program, NOW)
    gift, five = definition.rewards[3], definition.rewards[0]
    changed = five.model_copy(update={"name": "5.50 off", "price": Decimal(90)})
    only = definition.model_copy(update={"rewards": (gift, changed), "voucher_pools": ()})
    applied = apply_definition(only, actor=SYSTEM, now=NOW)
    assert applied.changes == ["Reward changed: 5.50 off", "Rewards in another order"]
    assert list(Reward.objects.values_list("code", flat=True)) == [
        "gift",
        "five-off",
        "film",
        "off",
    ]
    assert Reward.objects.get(code="five-off").price == 90
    assert AuditEntry.objects.filter(action="reward.changed").count() == 1


def test_what_is_wrong_is_named_with_its_line_and_place(program):
    text = dump_program(program, NOW)
    with pytest.raises(DomainError) as wrong:
        load_program(text.replace("per_period: month", "per_period: moon"))
    assert "rewards[0].per_period" in str(wrong.value.errors[0])
    definition = definition_of(program, NOW)
    lost = definition.rewards[1].model_copy(update={"voucher_pool": "nowhere"})
    with pytest.raises(DomainError) as refused:
        apply_definition(definition.model_copy(update={"rewards": (lost,)}), actor=SYSTEM, now=NOW)
    assert [item.field for item in refused.value.errors] == ["rewards[0].voucher_pool"]
    with pytest.raises(DomainError, match="not valid"):
        load_program(text.replace("code: film", "code: off", 1))


@pytest.fixture
def meeting(program):
    """A tasting with a link, and recipes that are taken for units."""
    starts = NOW + dt.timedelta(days=30)
    said = EventDefinition(
        code="tasting", name="Tasting", place="The shop", starts_at=starts, seats=5, price=100,
        ends_at=starts + dt.timedelta(hours=2), offer_hours=6,
    )  # fmt: skip
    event = create_event(program=program, definition=said, actor=SYSTEM, live=True)
    terms = ContentTerms(
        title="Recipes", summary="Of May", link="https://example.com/recipes", status="live",
        price=Decimal(40), wallet_type="points",
    )  # fmt: skip
    create_content(program=program, code="recipes", terms=terms, file=None, actor=SYSTEM)
    return event


def elsewhere(program):
    text = dump_program(program, timezone.now())
    return load_program(text.replace(f"code: {program.code}\n", "code: elsewhere\n", 1))


def test_seats_and_content_bring_what_is_behind_them(program, meeting):
    apply_definition(elsewhere(program), actor=SYSTEM, now=NOW)
    other = Program.objects.get(code="elsewhere")
    made, item = Event.objects.get(reward__program=other), ContentItem.objects.get(program=other)
    assert (made.place, made.starts_at, made.offer_hours) == ("The shop", meeting.starts_at, 6)
    assert (item.link, item.status) == ("https://example.com/recipes", "live")
    first, second = definition_of(program, NOW), definition_of(other, NOW)
    assert first.rewards == second.rewards
    assert apply_definition(second, actor=SYSTEM, now=NOW).changes == []


def changed_reward(program, code, **update):
    definition = definition_of(program, NOW)
    rewards = tuple(
        item.model_copy(update=update) if item.code == code else item for item in definition.rewards
    )
    return definition.model_copy(update={"rewards": rewards})


def test_a_file_moves_an_event_and_one_that_does_not_name_it_leaves_it(program, meeting):
    later = meeting.starts_at + dt.timedelta(days=1)
    part = SeatEvent(place="Room 2", starts_at=later, ends_at=later + dt.timedelta(hours=1))
    changed = changed_reward(program, "tasting", event=part, ends_at=later, stock=7)
    assert apply_definition(changed, actor=SYSTEM, now=NOW).changes == ["Reward changed: Tasting"]
    meeting.refresh_from_db()
    assert (meeting.place, meeting.starts_at, meeting.reward.stock) == ("Room 2", later, 7)
    silent = changed_reward(program, "tasting", event=None)
    assert apply_definition(silent, actor=SYSTEM, now=NOW).changes == []


@pytest.mark.parametrize(
    ("code", "update", "field"),
    [
        ("tasting", {"event": None}, "event"),
        ("tasting", {"ends_at": NOW}, "ends_at"),
        ("tasting", {"stock": None}, "stock"),
        ("read-recipes", {"content": None}, "content"),
        (
            "read-recipes",
            {"content": ContentPart(code="recipes", title="Recipes", file="recipes.pdf")},
            "content.file",
        ),
    ],
)
def test_what_a_new_one_lacks_is_named(program, meeting, code, update, field):
    wanted = changed_reward(program, code, **update).model_copy(update={"code": "elsewhere"})
    place = [item.code for item in wanted.rewards].index(code)
    with pytest.raises(DomainError) as refused:
        apply_definition(wanted, actor=SYSTEM, now=NOW)
    assert [item.field for item in refused.value.errors] == [f"rewards[{place}].{field}"]
    assert not Program.objects.filter(code="elsewhere").exists()


GIVEN = ({"day": "birthday", "days_before": 3, "message": "Many happy returns"},
         {"day": "enrollment"})  # fmt: skip


def with_days(program: Program, *days: dict[str, object]) -> list[str]:
    definition = definition_of(program, NOW)
    first = definition.rewards[0]
    said = first.model_validate({**first.model_dump(), "gift_days": days})
    changed = definition.model_copy(update={"rewards": (said,)})
    return apply_definition(changed, actor=SYSTEM, now=NOW).changes


def test_days_on_which_a_reward_is_given_go_elsewhere_with_it(program):
    assert with_days(program, *GIVEN) == ["Reward changed: 5 off"]
    assert with_days(program, *GIVEN) == []
    text = dump_program(program, timezone.now())
    elsewhere = load_program(text.replace(f"code: {program.code}\n", "code: elsewhere\n", 1))
    other = apply_definition(elsewhere, actor=SYSTEM, now=NOW).program
    [birthday, joined] = GiftDay.objects.filter(reward__program=other)
    assert (birthday.days_before, birthday.message) == (3, "Many happy returns")
    assert (joined.day, joined.since) == ("enrollment", NOW)


def test_a_day_that_a_file_leaves_out_stops_and_without_days_all_stay(program):
    with_days(program, *GIVEN)
    with_days(program, {**GIVEN[0], "days_before": 5})
    running = GiftDay.objects.filter(stopped_at=None)
    assert [(item.day, item.days_before) for item in running] == [("birthday", 5)]
    definition = definition_of(program, NOW)
    silent = definition.rewards[0].model_copy(update={"gift_days": None, "name": "Other"})
    changed = definition.model_copy(update={"rewards": (silent,)})
    apply_definition(changed, actor=SYSTEM, now=NOW)
    assert running.count() == 1


def test_a_day_for_a_tier_that_is_not_there_is_refused_at_its_place(program):
    with pytest.raises(DomainError) as refused:
        with_days(program, {"day": "birthday", "tiers": ["gold"]})
    assert refused.value.errors[0].field == "rewards[0].gift_days[0].tiers"
