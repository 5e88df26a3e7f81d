"""The library: things to read, hear or watch, for those who may have them.

A file is never served by its own address: each time it is asked whether this member may have it.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core import signing
from django.core.files.base import File
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from loyalty.models import Membership, Program, WalletType
from loyalty.rule_conditions import read_condition, stored_condition
from loyalty.services.member_conditions import AskedOfMember, conditions_met
from loyalty.told_conditions import told_sentence
from members.conditions.tree import ConditionError
from members.errors import DomainError, FieldError
from members.services.audit import Actor, record_audit
from rewards.definitions import RewardDefinition
from rewards.errors import ContentRefusedError
from rewards.models import ContentDownload, ContentItem, Redemption, Reward
from rewards.selectors.content import content_items
from rewards.selectors.redemptions import of_member
from rewards.selectors.rewards import definition_of
from rewards.services.redemptions import use_redemption
from rewards.services.rewards import change_reward, create_reward, sale_of
from rewards.services.sale_times import own_times, refusal_of_sale

# What a file and the screen say of an item alike.
SAID = ("title", "summary", "link", "status")
SALT = "rewards.content"
# So long may a link be used that was handed to a program.
LINK_FOR = dt.timedelta(minutes=15)
LARGEST = 50 * 1024 * 1024
Status = ContentItem.Status
MEMBER_STATUS = Membership.Status


@dataclass(frozen=True, slots=True)
class ContentTerms:
    """What an item says. `price`: whole units; None: nothing has to be taken."""

    title: str
    summary: str = ""
    link: str = ""
    when: Mapping[str, Any] = field(default_factory=dict)
    price: Decimal | None = None
    wallet_type: str = ""
    status: str = "draft"
    # Code of the sale that it comes with.
    window: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """An item as one member finds it. `refusal`: why they may not have it, if they may not;
    `to_take`: it can be had for units."""

    item: ContentItem
    refusal: str = ""
    to_take: bool = False

    @property
    def allowed(self) -> bool:
        return not self.refusal and not self.to_take


@transaction.atomic
def create_content(
    *, program: Program, code: str, terms: ContentTerms, file: File[bytes] | None, actor: Actor
) -> ContentItem:
    """A further item. Raises DomainError where it has neither a file nor a link, or both."""
    item = ContentItem(program=program, code=code)
    return _write(item, terms, file, actor)


@transaction.atomic
def change_content(
    *, item: ContentItem, terms: ContentTerms, file: File[bytes] | None, actor: Actor
) -> ContentItem:
    """Bring it to what is said; whoever took it keeps it. Without a new file the known one
    stays."""
    found = content_items().select_for_update(of=("self",)).get(pk=item.pk)
    if (found.reward is None) != (terms.price is None):
        message = _("Whether it takes units stays as it is. Make another item instead.")
        raise DomainError(message, errors=[FieldError("price", message)])
    return _write(found, terms, file, actor)


def entries_for(
    items: Sequence[ContentItem], membership: Membership, now: dt.datetime
) -> list[Entry]:
    """Each as the member finds it. A constant number of queries."""
    unit = WalletType.objects.filter(program=membership.program_id).order_by("pk").first()
    conditions = {item.pk: stored_condition(item.when) for item in items}
    asked = [
        AskedOfMember(pk, condition, unit)
        for pk, condition in conditions.items()
        if condition is not None and unit is not None
    ]
    live = membership.program.status == Program.Status.LIVE
    met = conditions_met(asked, membership, now) if live else set[int]()
    wanted = [item.reward_id for item in items if item.reward_id is not None]
    taken = set(_taken(membership, wanted).values_list("reward", flat=True)) if wanted else set()
    sales = own_times([item.window for item in items], membership, now)
    found = []
    for item in items:
        refusal, condition = "", conditions[item.pk]
        if membership.status != MEMBER_STATUS.ACTIVE or not live:
            refusal = _("The membership is not active.")
        elif condition is not None and item.pk not in met:
            refusal = _("Only for this: %s.") % told_sentence(condition.root)
        elif item.window_id is not None:
            _code, refusal = refusal_of_sale(sales[item.window_id], membership, now)
        found.append(
            Entry(item, refusal, item.reward_id is not None and item.reward_id not in taken)
        )
    return found


def fetch_content(
    *, item: ContentItem, membership: Membership, actor: Actor, now: dt.datetime
) -> ContentItem:
    """Let a member have it, and count it. Raises ContentRefusedError where they may not."""
    [entry] = entries_for([item], membership, now)
    taken = item.reward_id is not None and not entry.to_take
    if item.status != Status.LIVE and not (taken and item.status == Status.ARCHIVED):
        raise ContentRefusedError(_("It is not offered any more."))
    if not entry.allowed:
        raise ContentRefusedError(entry.refusal or _("It has to be taken first."))
    with transaction.atomic():
        if taken:
            _use(membership, item, actor, now)
        known, made = ContentDownload.objects.get_or_create(
            item=item, membership=membership, defaults={"first_at": now, "last_at": now}
        )
        if not made:
            ContentDownload.objects.filter(pk=known.pk).update(count=F("count") + 1, last_at=now)
    return item


def signed_token(item: ContentItem, membership: Membership) -> str:
    """For a link that works without signing in, for a short time; what it opens is asked anew when
    it is used."""
    return signing.dumps([str(item.public_id), str(membership.public_id)], salt=SALT)


def read_token(token: str) -> tuple[str, str]:
    """The item and the membership of a link. Raises ContentRefusedError where it is not ours, or
    its time is over."""
    try:
        item, member = signing.loads(token, salt=SALT, max_age=LINK_FOR)
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise ContentRefusedError(_("This link cannot be used any more.")) from error
    return item, member


def _write(
    item: ContentItem, terms: ContentTerms, file: File[bytes] | None, actor: Actor
) -> ContentItem:
    _check(item, terms, file)
    if terms.price is not None:
        # While it still has what it said before.
        item.reward = _write_reward(item, terms, actor)
    said = {name: getattr(terms, name) for name in SAID} | {"when": dict(terms.when)}
    # Of what is taken for units its reward says it.
    window = sale_of(item.program, terms.window) if terms.price is None else None
    write_item(item, said | {"window": window}, actor, file=file)
    return item


def write_item(
    item: ContentItem, said: Mapping[str, Any], actor: Actor, *, file: File[bytes] | None = None
) -> bool:
    """Bring an item to what is said of it, or make it; whether anything changed. Without a file or
    a link the file that it has stays."""
    before = {name: getattr(item, name) for name in said}
    made = item.pk is None
    if not made and file is None and before == said:
        return False
    for name, value in said.items():
        setattr(item, name, value)
    if file is not None:
        item.file_name = Path(file.name or "file").name[:120]
        # Nobody guesses it, and no name of a file leads elsewhere.
        item.file.save(f"{uuid.uuid4().hex}.bin", file, save=False)
    elif item.link:
        item.file, item.file_name = "", ""
    item.save()
    changed = {name: str(value) for name, value in said.items() if made or value != before[name]}
    record_audit(
        actor=actor,
        action="content.created" if made else "content.changed",
        target=item.program,
        before={} if made else {name: str(before[name]) for name in changed},
        after=changed | {"title": item.title, "status": item.status},
    )
    return True


def _write_reward(item: ContentItem, terms: ContentTerms, actor: Actor) -> Reward:
    said: dict[str, Any] = {
        "name": terms.title[:80], "summary": terms.summary[:200], "status": terms.status,
    }  # fmt: skip
    if item.reward is None:
        definition = RewardDefinition.model_validate(
            said
            | {
                "code": f"read-{item.code}"[:64], "kind": "content", "price": terms.price,
                "per_member": 1, "wallet_type": terms.wallet_type, "window": terms.window,
            }
        )  # fmt: skip
        return create_reward(program=item.program, definition=definition, actor=actor)
    was = {"name": item.title[:80], "summary": item.summary[:200], "status": item.status}
    # What is not changed here stays as a file or another page has set it.
    changed = {name: value for name, value in said.items() if value != was[name]}
    definition = RewardDefinition.model_validate(
        definition_of(item.reward).model_dump() | changed | {"price": terms.price}
    ).model_copy(update={"window": terms.window})
    return change_reward(reward=item.reward, definition=definition, actor=actor)


def _check(item: ContentItem, terms: ContentTerms, file: File[bytes] | None) -> None:
    if file is not None and terms.link:
        raise _wrong("link", _("Either a file or a link."))
    if file is None and not terms.link and not item.file:
        raise _wrong("file", _("Choose a file, or give a link."))
    if file is not None and (file.size or 0) > LARGEST:
        raise _wrong("file", _("The file is larger than 50 MB."))
    if terms.when and terms.price is not None:
        raise _wrong("price", _("Either for those of a condition, or for units."))
    if terms.when:
        try:
            read_condition(terms.when, "occasion")
        except ConditionError as error:
            raise _wrong("when", str(error)) from error


def _taken(membership: Membership, rewards: Sequence[int]) -> Any:
    return Redemption.objects.filter(
        of_member(membership), reward__in=rewards,
        status__in=[Redemption.Status.ISSUED, Redemption.Status.USED],
    )  # fmt: skip


def _use(membership: Membership, item: ContentItem, actor: Actor, now: dt.datetime) -> None:
    """What was fetched is used: its units do not come back by themselves."""
    assert item.reward_id is not None
    for redemption in _taken(membership, [item.reward_id]).filter(status="issued"):
        use_redemption(redemption=redemption, actor=actor, now=now)


def _wrong(name: str, message: str) -> DomainError:
    return DomainError(message, errors=[FieldError(name, message)])
