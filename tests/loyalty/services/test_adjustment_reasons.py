"""Reasons for adjustments: kept by administrators, named by codes, remembered by movements."""

import pytest
from django.db import DatabaseError, transaction

from loyalty.explanations import explain_transfer
from loyalty.models import AdjustmentReason, Transfer, Wallet, WalletType
from loyalty.selectors.adjustment_reasons import REASONS, usable_reasons
from loyalty.services.adjustment_reasons import (
    create_reason,
    provide_reasons,
    require_reason,
    update_reason,
)
from loyalty.services.adjustments import undo_transfer
from members.errors import ConflictError, DomainError
from members.models import AuditEntry
from members.services.audit import SYSTEM
from tests.loyalty.factories import NOW, adjust, make_wallet

ROLES = ["administrator", "marketing_manager", "support_agent"]


def values(**changes):
    return {
        "label": "The till was wrong", "roles": ROLES, "is_active": True, "note_required": False,
        "told_to_members": True,
    } | changes  # fmt: skip


def reason(code="goodwill"):
    return AdjustmentReason.objects.get(code=code)


def test_an_installation_has_reasons_that_everybody_who_adjusts_may_use(db):
    assert [row.code for row in usable_reasons("support_agent")] == list(REASONS)
    assert usable_reasons("analyst") == []
    told = {row.code for row in AdjustmentReason.objects.filter(told_to_members=True)}
    assert told == set(REASONS) - {"fraud", "other"}


def test_what_an_administrator_changed_is_not_provided_again(db):
    update_reason(actor=SYSTEM, reason=reason(), **values(label="Kindness"))
    provide_reasons()
    assert reason().label == "Kindness"
    assert AdjustmentReason.objects.count() == len(REASONS)


def test_a_reason_is_added_at_the_end_and_written_down(db):
    made = create_reason(actor=SYSTEM, code="till_error", **values())
    assert usable_reasons()[-1] == made
    assert AuditEntry.objects.get(action="adjustment_reason.created").after["code"] == "till_error"


@pytest.mark.parametrize(
    ("code", "changes", "field"),
    [
        ("Till error", {}, "code"),
        ("9lives", {}, "code"),
        ("goodwill", {}, "code"),
        ("till_error", {"label": " "}, "label"),
        ("till_error", {"label": "x" * 81}, "label"),
        ("till_error", {"roles": ["analyst"]}, "roles"),
    ],
)
def test_a_reason_that_cannot_be_kept_is_refused_by_field(db, code, changes, field):
    with pytest.raises(DomainError) as refused:
        create_reason(actor=SYSTEM, code=code, **values(**changes))
    assert [error.field for error in refused.value.errors] == [field]


def test_the_same_code_twice_is_a_conflict(db):
    create_reason(actor=SYSTEM, code="till_error", **values())
    with pytest.raises(ConflictError):
        create_reason(actor=SYSTEM, code="till_error", **values())


def test_changing_nothing_writes_nothing_down(db):
    given = {name: getattr(reason(), name) for name in values()}
    update_reason(actor=SYSTEM, reason=reason(), **given)
    assert not AuditEntry.objects.filter(action="adjustment_reason.changed").exists()


def test_only_active_reasons_of_the_role_may_be_given_and_the_error_names_them(db):
    AdjustmentReason.objects.exclude(code__in=["goodwill", "fraud"]).update(is_active=False)
    update_reason(
        actor=SYSTEM, reason=reason("fraud"), **values(label="Misuse", roles=["administrator"])
    )
    assert require_reason("fraud", note="", role="administrator").code == "fraud"
    for code in ("fraud", "other", "invented"):
        with pytest.raises(DomainError) as refused:
            require_reason(code, note="", role="support_agent")
        assert refused.value.errors[0].message == "One of: goodwill."
    # The API has no role: whatever is offered at all.
    assert require_reason("fraud", note="").code == "fraud"


def test_a_reason_may_want_a_note(db):
    update_reason(actor=SYSTEM, reason=reason(), **values(note_required=True))
    with pytest.raises(DomainError) as refused:
        require_reason("goodwill", note="  ")
    assert refused.value.errors[0].field == "note"
    assert require_reason("goodwill", note="Late parcel")


def test_a_movement_keeps_what_its_reason_was_called(program):
    wallet = make_wallet(program)
    gift = adjust(wallet, 5, "k1")
    update_reason(
        actor=SYSTEM, reason=reason(),
        **values(label="Kindness", is_active=False, told_to_members=False),
    )  # fmt: skip
    undone, _ = undo_transfer(transfer=gift, actor=SYSTEM, source="backoffice", now=NOW)
    for transfer in Transfer.objects.filter(pk__in=[gift.pk, undone.pk]):
        steps = explain_transfer(transfer).steps
        assert steps == ("Reason: Goodwill.",)
    assert explain_transfer(gift, audience="staff").title == "Adjusted: Goodwill"


def kept(code, **explanation) -> Transfer:
    return Transfer(
        kind="adjustment", reason=code, explanation=explanation, amount=5,
        wallet=Wallet(account_id=1), wallet_type=WalletType(), to_account_id=1,
    )  # fmt: skip


def title(transfer: Transfer) -> str:
    return explain_transfer(transfer, audience="staff").title


def test_movements_from_before_names_were_kept_are_read_by_their_code():
    assert title(kept("service_recovery")) == "Adjusted: Something went wrong"
    assert title(kept("till_error", reason="The till was wrong")) == "Adjusted: The till was wrong"
    assert title(kept("till_error")) == "Adjusted: till_error"
    assert title(kept("")) == "Adjusted: no reason given"


def test_a_name_that_came_with_the_installation_is_shown_in_the_readers_language(monkeypatch):
    monkeypatch.setattr(
        "loyalty.selectors.adjustment_reasons.gettext", lambda text: {"Goodwill": "Kulanz"}[text]
    )
    assert title(kept("goodwill", reason="Goodwill")) == "Adjusted: Kulanz"


def test_a_reason_cannot_be_deleted_even_with_sql(db):
    with pytest.raises(DatabaseError, match="delete"), transaction.atomic():
        AdjustmentReason.objects.filter(code="goodwill").delete()
    with pytest.raises(DatabaseError, match="adjustment_reason_code"), transaction.atomic():
        AdjustmentReason.objects.filter(code="goodwill").update(code="No Good")
