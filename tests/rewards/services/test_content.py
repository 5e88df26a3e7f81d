"""The library: for all, for some, for units; counted, and by links that end."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest
from django.core.files.base import ContentFile

from members.errors import DomainError
from members.models import AuditEntry
from members.services.audit import SYSTEM
from rewards.definitions import RewardText
from rewards.errors import ContentRefusedError
from rewards.models import ContentDownload, ContentItem, Redemption, Reward
from rewards.selectors.rewards import definition_of
from rewards.services.content import (
    ContentTerms,
    change_content,
    create_content,
    entries_for,
    fetch_content,
    read_token,
    signed_token,
)
from rewards.services.redemptions import cancel_redemption
from rewards.services.rewards import change_reward
from tests.loyalty.factories import NOW
from tests.rewards.factories import make_member, take
from tests.sharing import of_each_test

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("undone_when_refused")]
MALAYSIA = {"field": "customer.country", "op": "is", "value": "MY"}


@pytest.fixture(autouse=True)
def files(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


_made_once, member = of_each_test(lambda: make_member(1000))


def add(member, code="book", file=True, **terms) -> ContentItem:
    said = ContentTerms(**{"title": "Recipes", "status": "live", "wallet_type": "points"} | terms)
    return create_content(
        program=member.program, code=code, terms=said, actor=SYSTEM,
        file=ContentFile(b"%PDF", name="../recipes.pdf") if file else None,
    )  # fmt: skip


def fetch(item, member):
    return fetch_content(item=item, membership=member, actor=SYSTEM, now=NOW)


def test_a_file_for_all_is_fetched_and_counted_for_each_member(member):
    item = add(member)
    assert (item.file_name, ".." in item.file.name) == ("recipes.pdf", False)
    fetch(item, member)
    fetch(item, member)
    fetch(item, make_member(0, "c2", member.program))
    counts = ContentDownload.objects.order_by("pk").values_list("count", flat=True)
    assert list(counts) == [2, 1]


def test_what_is_for_some_is_refused_to_others(member):
    item = add(member, when=MALAYSIA)
    with pytest.raises(ContentRefusedError):
        fetch(item, member)
    member.customer.country = "MY"
    member.customer.save()
    assert fetch(item, member) == item


def test_what_takes_units_is_had_by_who_took_it_as_long_as_they_keep_it(member):
    item = add(member, price=Decimal(100))
    with pytest.raises(ContentRefusedError):
        fetch(item, member)
    first = take(member, item.reward, at=NOW)
    [entry] = entries_for([item], member, NOW)
    assert entry.allowed
    cancel_redemption(redemption=first, reason="", source="api", actor=SYSTEM, now=NOW)
    with pytest.raises(ContentRefusedError):
        fetch(item, member)
    again = take(member, item.reward, "k2", at=NOW)
    fetch(item, member)
    assert Redemption.objects.get(pk=again.pk).status == "used"
    change_content(
        item=item, file=None, actor=SYSTEM,
        terms=ContentTerms(title="Recipes", price=Decimal(100), status="archived"),
    )  # fmt: skip
    item.refresh_from_db()
    assert fetch(item, member) == item


def test_it_is_a_file_or_a_link_and_for_some_or_for_units(member):
    for terms in (
        {"file": False}, {"link": "https://example.com/x"},
        {"when": MALAYSIA, "price": Decimal(1)},
    ):  # fmt: skip
        with pytest.raises(DomainError):
            add(member, "wrong", **terms)
    assert add(member, "film", file=False, link="https://example.com/x").link


def test_a_link_is_good_for_a_while_and_for_what_it_was_made_for(member, monkeypatch):
    token = signed_token(add(member), member)
    assert read_token(token)[1] == str(member.public_id)
    with pytest.raises(ContentRefusedError):
        read_token(token[:-1] + ("a" if token[-1] != "a" else "b"))
    later = dt.timedelta(minutes=16).total_seconds()
    import time

    at = time.time()
    monkeypatch.setattr("django.core.signing.time.time", lambda: at + later)
    with pytest.raises(ContentRefusedError):
        read_token(token)


def test_editing_an_item_leaves_what_only_a_file_or_another_page_says(member):
    item = add(member, price=Decimal(50))
    reward = item.reward
    said = definition_of(reward).model_copy(
        update={
            "name": "The recipes", "status": "archived", "texts": {"ms": RewardText(name="Resipi")},
            "per_member": 3, "stock": 40, "worth": Decimal(2),
        }
    )  # fmt: skip
    change_reward(reward=reward, definition=said, actor=SYSTEM)
    terms = ContentTerms(title="Recipes", status="live", summary="Of May", price=Decimal(60))
    change_content(item=item, terms=terms, file=None, actor=SYSTEM)
    found = definition_of(Reward.objects.get(pk=reward.pk))
    assert found == said.model_copy(update={"summary": "Of May", "price": Decimal(60)})
    renamed = ContentTerms(title="All recipes", status="live", summary="Of May", price=Decimal(60))
    change_content(item=item, terms=renamed, file=None, actor=SYSTEM)
    assert Reward.objects.get(pk=reward.pk).name == "All recipes"


def test_the_same_said_again_changes_nothing_and_is_not_in_the_audit_log(member):
    terms = ContentTerms(title="Recipes", link="https://reads.example/r", status="live")
    item = create_content(
        program=member.program, code="recipes", terms=terms, file=None, actor=SYSTEM
    )
    for title in ("Recipes", "More recipes"):
        change_content(item=item, terms=replace(terms, title=title), file=None, actor=SYSTEM)
    said = AuditEntry.objects.filter(action__startswith="content.").order_by("pk")
    assert [entry.action for entry in said] == ["content.created", "content.changed"]
    assert said[1].before == {"title": "Recipes"}
    assert said[1].after == {"title": "More recipes", "status": "live"}
