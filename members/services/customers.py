"""Writing about customers: each value checked, each change in the audit log."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from members.errors import ConflictError, DomainError, FieldError
from members.models import Customer, CustomerMerge, CustomerNote
from members.program_scope import of_all_programs
from members.selectors.erased import refuse_erased
from members.selectors.identities import having_any
from members.selectors.merchants import get_merchant
from members.selectors.merges import refuse_merged
from members.selectors.told_customers import ERASED
from members.services.audit import Actor, audit_changes, record_audit, snapshot
from members.services.customer_values import FIELDS, clean_values
from members.services.forgetting import forget_people
from members.services.outbox import record_event
from members.services.profile_answers import joined_answers
from members.services.transactions import run_atomically

NOTE_LENGTH = 4_000
# The outbox event of a new account in the shop.
REGISTERED = "customer.registered"
_IDENTIFYING = ("external_id", "email", "phone", "given_name", "family_name")
_UNIQUE = ("external_id", "email", "phone")
# What is known of a person; the number alone is not theirs but the shop's.
_DETAILS = tuple(name for name in FIELDS if name != "external_id")


def create_customer(*, actor: Actor, registered: bool = False, **values: Any) -> Customer:
    """Make a customer from any of the fields in `FIELDS`; at least one must identify the person.
    `registered`: they have made themselves an account in the shop, which others may follow."""
    _refuse_unknown(values)
    cleaned = clean_values(values, time_zone=get_merchant().time_zone)
    if not any(cleaned.get(name) for name in _IDENTIFYING):
        message = _("Give a name, an e-mail address, a phone number or a customer number.")
        raise DomainError(message, code="customer_not_identified")
    if "answers" in cleaned:
        cleaned["answers"] = joined_answers({}, cleaned["answers"])
    customer = Customer(**cleaned)
    # Whoever has the same address may be in a program that the actor does not see.
    with of_all_programs(), transaction.atomic():
        _save(customer)
        after = {name: value for name, value in _snapshot(customer).items() if value}
        record_audit(actor=actor, action="customer.created", target=customer, after=after)
        if registered:
            record_event(REGISTERED, {"customer": customer.pk}, urgent=True)
    return customer


def update_customer(
    *, customer: Customer, actor: Actor, changes: dict[str, Any], told_anew: bool = False
) -> Customer:
    """Change the named fields; of the answers, those to the named questions. A change that changes
    nothing leaves no trace. Colleagues make nobody known again who was erased, unless they enroll
    them (`told_anew`)."""
    _refuse_unknown(changes)
    cleaned = clean_values(changes, time_zone=get_merchant().time_zone)
    with of_all_programs(), transaction.atomic():
        row = Customer.objects.select_for_update(of=("self",)).get(pk=customer.pk)
        refuse_merged(row)
        if actor.user is not None and not told_anew:
            refuse_erased(row)
        before = _snapshot(row)
        if "answers" in cleaned:
            cleaned["answers"] = joined_answers(row.answers, cleaned["answers"])
        for name, value in cleaned.items():
            setattr(row, name, value)
        if not any(getattr(row, name) for name in _IDENTIFYING):
            message = _("Leave at least a name, an e-mail address, a phone or a customer number.")
            raise DomainError(message, code="customer_not_identified")
        after = _snapshot(row)
        changed = [name for name in before if before[name] != after[name]]
        if changed:
            if "email" in changed:
                # Whoever signed in with the former address has not proved the new one.
                row.user = None
            _take_from_duplicates(row)
            _save(row)
            audit_changes(
                actor=actor, action="customer.updated", target=row, before=before, after=after
            )
    return row


def erase_customer_details(*, customer: Customer, actor: Actor, reason: str = "") -> Customer:
    """Empty all that says who somebody is, in the duplicates that were merged into them, too: here,
    in what was noted and logged of them, and where they sign in. The log names the fields and not
    what was in them. The customer number stays."""
    return run_atomically(lambda: _erase(customer, actor, reason))


def _erase(customer: Customer, actor: Actor, reason: str) -> Customer:
    together = Q(pk=customer.pk) | Q(merged_into=customer.pk)
    rows = list(Customer.objects.select_for_update(of=("self",)).filter(together).order_by("pk"))
    kept = next(row for row in rows if row.pk == customer.pk)
    refuse_merged(kept)
    users = [row.user for row in rows if row.user is not None]
    called = {str(row) for row in rows}
    emptied = {row: _emptied(row) for row in rows}
    changed = {name for names in emptied.values() for name in names}
    merges = CustomerMerge.objects.filter(Q(kept__in=rows) | Q(merged__in=rows))
    for merge in merges.select_for_update().order_by("pk"):
        _forget_in(merge)
    forget_people(rows, users, called)
    if changed:
        # Each by itself, for they may be parted again; with whom they became, all that went.
        for row, names in (emptied | {kept: changed}).items():
            if names:
                record_audit(
                    actor=actor, action="customer.erased", target=row,
                    after={"erased": [name for name in FIELDS if name in names]}, reason=reason,
                )  # fmt: skip
        record_event(ERASED, {"customer": kept.pk})
    return kept


@transaction.atomic
def add_note(*, customer: Customer, actor: Actor, text: str) -> CustomerNote:
    """Write down something about a customer that only staff will read."""
    refuse_merged(customer)
    refuse_erased(Customer.objects.select_for_update(of=("self",)).get(pk=customer.pk))
    text = text.replace("\x00", "").strip()
    if not text:
        message = _("Write the note first.")
        raise DomainError(message, errors=[FieldError("text", message, "required")])
    if len(text) > NOTE_LENGTH:
        message = _("A note has at most %(limit)s characters.") % {"limit": NOTE_LENGTH}
        raise DomainError(message, errors=[FieldError("text", message, "too_long")])
    note = CustomerNote.objects.create(customer=customer, author=actor.user, text=text)
    record_audit(actor=actor, action="customer.noted", target=customer, after={"note": text})
    return note


def _emptied(row: Customer) -> set[str]:
    """Empty one customer's details; return which had something."""
    nothing = Customer()
    # An address that stands in for a number is theirs, too.
    theirs = FIELDS if "@" in (row.external_id or "") else _DETAILS
    changed = {name for name in theirs if getattr(row, name) != getattr(nothing, name)}
    for name in changed:
        setattr(row, name, getattr(nothing, name))
    if changed or row.user_id is not None:
        row.user = None
        row.save()
    return changed


def _forget_in(merge: CustomerMerge) -> None:
    """What came with a duplicate is written down with the merge: undone, it would be back."""
    known = merge.record.get("members")
    if known:
        number = known["filled"].get("external_id") or ""
        filled = {"external_id": number} if number and "@" not in number else {}
        nothing: dict[str, Any] = {"tags": [], "attributes": {}, "answers": {}, "user": None}
        known |= {"filled": filled, **nothing}
        merge.save(update_fields=["record"])


def _snapshot(customer: Customer) -> dict[str, Any]:
    return snapshot(customer, list(FIELDS))


def _refuse_unknown(values: dict[str, Any]) -> None:
    unknown = [name for name in values if name not in FIELDS]
    if unknown:
        errors = [FieldError(name, _("There is no such field."), "unknown") for name in unknown]
        raise DomainError(_("Some fields are not known."), errors=errors)


def _save(customer: Customer) -> None:
    """Save, and say which fields clash when somebody else already has a value."""
    try:
        with transaction.atomic():
            customer.save()
    except IntegrityError as error:
        clashes = _clashing_fields(customer)
        if not clashes:
            raise
        messages = {
            "external_id": _("Another customer already has this customer number."),
            "email": _("Another customer already has this e-mail address."),
            "phone": _("Another customer already has this phone number."),
        }
        errors = [FieldError(name, messages[name], "taken") for name in clashes]
        message = _("Another customer already has these details.")
        raise ConflictError(message, code="customer_exists", errors=errors) from error


def _take_from_duplicates(customer: Customer) -> None:
    """What a duplicate that was merged into the customer still has is the customer's to take."""
    for duplicate in customer.duplicates.all():
        same = [
            name for name in _UNIQUE
            if getattr(customer, name) and getattr(duplicate, name) == getattr(customer, name)
        ]  # fmt: skip
        for name in same:
            setattr(duplicate, name, None if name == "external_id" else "")
        if "email" in same:
            duplicate.user = None
        if same:
            duplicate.save()


def _clashing_fields(customer: Customer) -> list[str]:
    own = {name: getattr(customer, name) for name in _UNIQUE if getattr(customer, name)}
    others = having_any(
        email=customer.email,
        phone=customer.phone,
        external_ids=[customer.external_id or ""],
    ).exclude(pk=customer.pk)
    rows = list(others.values(*_UNIQUE))
    return [name for name, value in own.items() if any(row[name] == value for row in rows)]
