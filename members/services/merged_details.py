"""What a merge does to the customers themselves: gaps are filled, notes come along, and the
duplicate points to who is kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from members.choices import country_name, language_name
from members.formatting import format_day, format_number
from members.genders import gender_name
from members.merging import (
    MergeHandler,
    MergeRow,
    MergeSection,
    Merging,
    Record,
    register_merge_handler,
)
from members.models import (
    Customer,
    CustomerMerge,
    CustomerNote,
    CustomerTask,
    PersonalPackage,
    User,
)
from members.phones import format_phone
from members.selectors.identities import having_any
from members.services.audit import snapshot
from members.services.customer_values import MOST_TAGS

FOREIGN_KEYS = (
    "members.customer.merged_into",
    "members.customermerge.kept",
    "members.customermerge.merged",
    "members.customernote.customer",
    "members.customertask.customer",
    "members.personalpackage.customer",
)
# What only one customer can have goes over from one to the other.
UNIQUE = ("external_id", "email", "phone")
PLAIN = (*UNIQUE, "given_name", "family_name", "birthday", "gender", "country", "locale")


def merge_details(merging: Merging) -> Record:
    """The kept customer's own values win; only what they lack is taken over."""
    kept, merged = merging.kept, merging.merged
    filled = [name for name in PLAIN if not getattr(kept, name) and getattr(merged, name)]
    record: Record = {
        "filled": snapshot(merged, filled),
        "tags": _joined_tags(kept, merged)[len(kept.tags) :],
        "attributes": _lacking(kept.attributes, merged.attributes),
        "answers": _lacking(kept.answers, merged.answers),
        "user": merged.user_id if "email" in filled and kept.user_id is None else None,
    }
    followers = Customer.objects.filter(merged_into=merged)
    record["followers"] = list(followers.values_list("pk", flat=True))
    followers.update(merged_into=kept)
    values = {name: getattr(merged, name) for name in filled}
    _release(merged, filled, record["user"])
    merged.merged_into = kept
    merged.save()
    for name, value in values.items():
        setattr(kept, name, value)
    kept.tags = [*kept.tags, *record["tags"]]
    kept.attributes = {**kept.attributes, **record["attributes"]}
    kept.answers = {**kept.answers, **record["answers"]}
    if record["user"]:
        kept.user_id = record["user"]
    kept.save()
    notes = CustomerNote.objects.filter(customer=merged)
    record["notes"] = list(notes.values_list("pk", flat=True))
    notes.update(customer=kept)
    tasks = CustomerTask.objects.filter(customer=merged)
    record["tasks"] = list(tasks.values_list("pk", flat=True))
    tasks.update(customer=kept)
    _drop_packages(merged)
    return record


def part_details(merging: Merging, record: Record) -> None:
    """What was taken over and is as it was then goes back; what was changed since stays."""
    kept, merged = merging.kept, merging.merged
    now = snapshot(kept, list(record["filled"]))
    unchanged = [name for name, value in record["filled"].items() if now[name] == value]
    values = {name: getattr(kept, name) for name in unchanged}
    for name in unchanged:
        setattr(kept, name, _nothing(name))
    kept.tags = [tag for tag in kept.tags if tag not in record["tags"]]
    kept.attributes = _without(kept.attributes, record["attributes"])
    # Merges from before there were answers have none.
    kept.answers = _without(kept.answers, record.get("answers", {}))
    if record["user"] and kept.user_id == record["user"]:
        kept.user = None
        merged.user = User.objects.filter(pk=record["user"]).first()
    kept.save()
    merged.merged_into = None
    for name, value in values.items():
        setattr(merged, name, value)
    for name in (name for name in UNIQUE if name in record["filled"] and name not in unchanged):
        if not _is_taken(name, record["filled"][name]):
            setattr(merged, name, record["filled"][name])
    merged.save()
    Customer.objects.filter(pk__in=record["followers"], merged_into=kept).update(merged_into=merged)
    CustomerNote.objects.filter(pk__in=record["notes"], customer=kept).update(customer=merged)
    # Merges from before there were tasks have none.
    tasks = CustomerTask.objects.filter(pk__in=record.get("tasks", []), customer=kept)
    tasks.update(customer=merged)
    # It may have what is another's again.
    _drop_packages(kept)


def preview_details(kept: Customer, merged: Customer, now: datetime) -> list[MergeSection]:
    """The two side by side, field by field."""
    rows = [
        MergeRow(
            label=_label(name),
            kept=_text(name, getattr(kept, name)),
            merged=_text(name, getattr(merged, name)),
            after=_text(name, getattr(kept, name) or getattr(merged, name)),
            note=_note(name, kept, merged),
        )
        for name in PLAIN
        if getattr(kept, name) or getattr(merged, name)
    ]
    tags = [kept.tags, merged.tags, _joined_tags(kept, merged)]
    if any(tags):
        rows.append(MergeRow(_("Tags"), *(", ".join(items) for items in tags)))
    counts = [customer.notes.count() for customer in (kept, merged)]
    if any(counts):
        texts = [format_number(number) for number in (*counts, sum(counts))]
        rows.append(MergeRow(_("Notes"), *texts))
    return [MergeSection(_("Details"), "id", rows)]


def preview_parted(merge: CustomerMerge, record: Record, now: datetime) -> list[MergeSection]:
    """Whose each detail will be."""
    return [MergeSection(_("Details"), "id", list(_parted_rows(merge, record)))]


def _parted_rows(merge: CustomerMerge, record: Record) -> Iterator[MergeRow]:
    kept = merge.kept
    now = snapshot(kept, list(record["filled"]))
    for name, value in record["filled"].items():
        text = _text(name, getattr(kept, name))
        if now[name] == value:
            yield MergeRow(_label(name), "", text, "")
    if record["notes"]:
        number = format_number(len(record["notes"]))
        yield MergeRow(_("Notes"), "", number, "")


def _lacking(kept: Mapping[str, Any], merged: Mapping[str, Any]) -> dict[str, Any]:
    """What the one who is kept does not have under that name."""
    return {name: value for name, value in merged.items() if name not in kept}


def _without(kept: Mapping[str, Any], taken: Mapping[str, Any]) -> dict[str, Any]:
    """Without what was taken over and is as it was then."""
    return {
        name: value for name, value in kept.items() if name not in taken or taken[name] != value
    }


def _drop_packages(customer: Customer) -> None:
    """Whoever wants the file asks for one with all that there is of them now."""
    PersonalPackage.objects.filter(customer=customer).delete()


def _joined_tags(kept: Customer, merged: Customer) -> list[str]:
    more = [tag for tag in merged.tags if tag not in kept.tags]
    return [*kept.tags, *more][: max(MOST_TAGS, len(kept.tags))]


def _release(customer: Customer, names: list[str], user_id: int | None) -> None:
    """Free what only one customer can have before the other takes it."""
    for name in set(names) & set(UNIQUE):
        setattr(customer, name, _nothing(name))
    if user_id:
        customer.user = None


def _nothing(name: str) -> Any:
    return None if name in {"external_id", "birthday"} else ""


def _is_taken(name: str, value: str) -> bool:
    given: dict[str, Any] = {"external_ids": [value]} if name == "external_id" else {name: value}
    return having_any(**given).exists()


def _label(name: str) -> str:
    field = Customer._meta.get_field(name)
    return capfirst(str(getattr(field, "verbose_name", name)))


def _text(name: str, value: Any) -> str:
    if not value:
        return ""
    match name:
        case "phone":
            return format_phone(value)
        case "country":
            return country_name(value)
        case "locale":
            return language_name(value)
        case "gender":
            return gender_name(value)
        case "birthday":
            return format_day(value)
    return str(value)


def _note(name: str, kept: Customer, merged: Customer) -> str:
    if not getattr(merged, name) or getattr(kept, name) == getattr(merged, name):
        return ""
    if not getattr(kept, name):
        return _("Taken over")
    if name == "email":
        return _("The other address still finds and signs in this customer.")
    if name in UNIQUE:
        return _("The other one still finds this customer.")
    return _("The other one stays with the duplicate.")


def register() -> None:
    register_merge_handler(
        "members",
        MergeHandler(
            fields=FOREIGN_KEYS,
            preview=preview_details,
            merge=merge_details,
            undo=part_details,
            preview_undo=preview_parted,
        ),
        order=10,
    )
