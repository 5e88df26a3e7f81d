"""Creating and changing customers: values are checked, changes are written down."""

import json
from datetime import date, timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from members.errors import ConflictError, DomainError
from members.models import AuditEntry, Customer, CustomerNote, User
from members.selectors.audit import entries_of
from members.services.audit import Actor, record_audit
from members.services.customers import (
    add_note,
    create_customer,
    erase_customer_details,
    update_customer,
)
from members.services.segments import add_to_list, create_segment, remove_from_list
from tests.factories import CustomerFactory, StaffMemberFactory

pytestmark = pytest.mark.django_db


def test_a_customer_is_kept_in_one_form(actor: Actor) -> None:
    customer = create_customer(
        actor=actor, email=" Anna.K@Example.COM ", phone="+60 12-345 6789", country="my",
        locale="pt_BR", tags=["vip", "", "vip", "new"], given_name=" Anna ",
        birthday="1990-05-12", attributes={"shoe size": 38},
    )  # fmt: skip
    customer.refresh_from_db()
    assert customer.email == "anna.k@example.com"
    assert customer.phone == "+60123456789"
    assert (customer.country, customer.locale, customer.given_name) == ("MY", "pt-BR", "Anna")
    assert customer.tags == ["vip", "new"]
    assert customer.birthday == date(1990, 5, 12)
    assert customer.attributes == {"shoe size": 38}
    assert customer.external_id is None


def test_a_national_number_is_read_in_the_customers_country(actor: Actor) -> None:
    customer = create_customer(actor=actor, phone="012-345 6789", country="MY")
    assert customer.phone == "+60123456789"


def test_every_wrong_value_is_named_at_once(actor: Actor) -> None:
    wrong: dict[str, Any] = {
        "email": "anna@",
        "phone": "12",
        "country": "Malaysia",
        "locale": "klingon!",
        "birthday": timezone.localdate() + timedelta(days=1),
        "tags": "vip",
        "attributes": {"a": float("nan")},
        "given_name": "An\x00na",
        "family_name": "x" * 101,
    }
    with pytest.raises(DomainError) as caught:
        create_customer(actor=actor, **wrong)
    assert {error.field for error in caught.value.errors} == set(wrong)
    assert not Customer.objects.exists()


def test_somebody_without_any_detail_is_refused(actor: Actor) -> None:
    with pytest.raises(DomainError) as caught:
        create_customer(actor=actor, country="MY", email="")
    assert caught.value.code == "customer_not_identified"


def test_a_field_that_does_not_exist_is_refused(actor: Actor) -> None:
    with pytest.raises(DomainError) as caught:
        create_customer(actor=actor, email="a@example.com", points=100)
    assert [error.field for error in caught.value.errors] == ["points"]


def test_details_of_somebody_else_are_a_conflict_that_names_each_of_them(actor: Actor) -> None:
    create_customer(actor=actor, email="a@example.com", phone="+60123456789", external_id="1")
    with pytest.raises(ConflictError) as caught:
        create_customer(actor=actor, email="A@Example.com", phone="+60 12 345 6789")
    assert [(error.field, error.code) for error in caught.value.errors] == [
        ("email", "taken"),
        ("phone", "taken"),
    ]
    with pytest.raises(ConflictError) as caught:
        create_customer(actor=actor, external_id="1")
    assert [error.field for error in caught.value.errors] == ["external_id"]
    assert Customer.objects.count() == 1


def test_customers_without_number_and_address_do_not_clash(actor: Actor) -> None:
    create_customer(actor=actor, given_name="Anna")
    create_customer(actor=actor, given_name="Anna")
    assert Customer.objects.count() == 2


def test_the_audit_log_holds_what_a_new_customer_was_given(actor: Actor) -> None:
    customer = create_customer(actor=actor, email="a@example.com", tags=["vip"])
    (entry,) = entries_of(customer)
    assert entry.action == "customer.created"
    assert entry.actor == actor.user
    assert entry.before is None
    assert entry.after == {"email": "a@example.com", "tags": ["vip"]}


def test_a_change_is_written_down_with_before_and_after(actor: Actor) -> None:
    customer = CustomerFactory(given_name="Anna", family_name="Old")
    changed = update_customer(
        customer=customer, actor=actor, changes={"given_name": "Anna", "family_name": "New"}
    )
    assert changed.family_name == "New"
    (entry,) = entries_of(customer)
    assert (entry.before, entry.after) == ({"family_name": "Old"}, {"family_name": "New"})


def test_a_change_that_changes_nothing_leaves_no_trace(actor: Actor) -> None:
    customer = CustomerFactory(email="a@example.com")
    update_customer(customer=customer, actor=actor, changes={"email": "A@example.com"})
    assert not AuditEntry.objects.exists()


def test_a_change_does_not_undo_what_a_colleague_changed_meanwhile(actor: Actor) -> None:
    shown = CustomerFactory(given_name="Anna", country="MY")
    Customer.objects.filter(pk=shown.pk).update(country="GR")
    update_customer(customer=shown, actor=actor, changes={"given_name": "Hanna"})
    shown.refresh_from_db()
    assert (shown.given_name, shown.country) == ("Hanna", "GR")


def test_a_change_to_details_of_somebody_else_is_a_conflict(actor: Actor) -> None:
    CustomerFactory(email="taken@example.com")
    customer = CustomerFactory(email="mine@example.com")
    with pytest.raises(ConflictError):
        update_customer(customer=customer, actor=actor, changes={"email": "taken@example.com"})
    customer.refresh_from_db()
    assert customer.email == "mine@example.com"
    assert not AuditEntry.objects.exists()


def test_the_last_identifying_detail_cannot_be_removed(actor: Actor) -> None:
    customer = CustomerFactory(given_name="", family_name="", email="", external_id="1")
    with pytest.raises(DomainError) as caught:
        update_customer(customer=customer, actor=actor, changes={"external_id": ""})
    assert caught.value.code == "customer_not_identified"


def test_a_new_address_ends_the_sign_in_with_the_old_one(actor: Actor) -> None:
    customer = CustomerFactory(with_user=True)
    update_customer(customer=customer, actor=actor, changes={"email": "new@example.com"})
    customer.refresh_from_db()
    assert customer.user is None


def test_other_changes_leave_the_sign_in_alone(actor: Actor) -> None:
    customer = CustomerFactory(with_user=True)
    update_customer(customer=customer, actor=actor, changes={"given_name": "Hanna"})
    customer.refresh_from_db()
    assert customer.user is not None


def test_a_note_is_kept_with_its_author(actor: Actor) -> None:
    customer = CustomerFactory()
    note = add_note(customer=customer, actor=actor, text="  Called back.\n")
    assert (note.text, note.author) == ("Called back.", actor.user)
    assert entries_of(customer)[0].action == "customer.noted"


@pytest.mark.parametrize("text", ["", "  \n", "x" * 4001])
def test_an_empty_or_endless_note_is_refused(actor: Actor, text: str) -> None:
    with pytest.raises(DomainError) as caught:
        add_note(customer=CustomerFactory(), actor=actor, text=text)
    assert caught.value.errors[0].field == "text"


def test_erased_details_are_not_in_the_log_either(actor: Actor) -> None:
    anna = CustomerFactory(
        external_id="K-1", given_name="Anna", email="anna@example.com", phone="+60123456789",
        birthday=date(1990, 5, 1), tags=["vip"], attributes={"size": 38},
    )  # fmt: skip
    assert erase_customer_details(customer=anna, actor=actor).external_id == "K-1"
    anna.refresh_from_db()
    assert (anna.given_name, anna.email, anna.phone, anna.birthday) == ("", "", "", None)
    assert (anna.tags, anna.attributes, anna.user) == ([], {}, None)
    [entry] = entries_of(anna)
    assert (entry.action, entry.before, entry.target_label) == ("customer.erased", None, "K-1")
    assert {"email", "phone", "given_name", "birthday"} <= set(entry.after["erased"])
    erase_customer_details(customer=anna, actor=actor)
    assert len(entries_of(anna)) == 1


def test_an_address_that_stands_in_for_a_number_is_erased_with_the_rest(actor: Actor) -> None:
    anna = create_customer(actor=actor, email="anna@example.com", external_id="anna@example.com")
    assert erase_customer_details(customer=anna, actor=actor).external_id is None
    rows = json.dumps(list(AuditEntry.objects.values()), default=str)
    assert "anna@example.com" not in rows


def test_erasing_forgets_what_was_logged_before_and_that_they_signed_in(actor: Actor) -> None:
    user = User.objects.create_user("anna@example.com", "long-enough-7", name="Anna Berg")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    anna = create_customer(actor=Actor.of_user(user), given_name="Anna", email="anna@example.com",
                           external_id="K-9")  # fmt: skip
    Customer.objects.filter(pk=anna.pk).update(user=user)
    update_customer(customer=anna, actor=actor, changes={"phone": "+60123456789"})
    add_note(customer=anna, actor=actor, text="Anna likes tea")
    before = list(AuditEntry.objects.order_by("pk").values_list("pk", "at", "action", "target"))
    erase_customer_details(customer=anna, actor=actor)
    rows = AuditEntry.objects.order_by("pk")
    after = list(rows.values_list("pk", "at", "action", "target"))
    assert after[: len(before)] == before
    everything = json.dumps(list(rows.values()), default=str).lower()
    for word in ("anna", "tea", "60123456789"):
        assert word not in everything
    assert rows[0].after == {"given_name": None, "email": None, "external_id": "K-9"}
    assert not CustomerNote.objects.exists()
    assert not EmailAddress.objects.filter(user=user).exists()
    assert not EmailAddress.objects.filter(email="anna@example.com").exists()
    user.refresh_from_db()
    assert (user.name, user.is_active, user.has_usable_password()) == ("", False, False)
    assert "anna" not in user.email
    # Somebody new can sign up with the address.
    User.objects.create_user("anna@example.com", "long-enough-8")


def test_staff_who_buy_here_stay_staff(actor: Actor) -> None:
    member = StaffMemberFactory()
    anna = CustomerFactory(user=member.user, email=member.user.email)
    erase_customer_details(customer=anna, actor=actor)
    member.user.refresh_from_db()
    assert member.user.is_active
    anna.refresh_from_db()
    assert anna.user is None


@pytest.mark.parametrize(
    "change",
    [
        "erased_at = now(), action = 'x'", "erased_at = now(), after = '{}'",
        "erased_at = now(), after = '{\"given_name\": \"Eve\"}'",
        "erased_at = now(), before = '{}'",
        "erased_at = now(), actor_label = 'Eve'", "erased_at = now(), at = now()",
        "after = '{\"given_name\": null}'", "erased_at = now(), reason = 'because'",
    ],
)  # fmt: skip
def test_forgetting_is_all_that_can_be_done_to_the_log(actor: Actor, change: str) -> None:
    create_customer(actor=actor, given_name="Anna")
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE members_auditentry SET {change}")


def test_who_acted_before_is_no_reason_to_remember_whom_it_was_about(actor: Actor) -> None:
    user = User.objects.create_user("anna@example.com", "long-enough-7", name="Anna Berg")
    anna = CustomerFactory(external_id="K-1", given_name="Anna", user=user)
    ben = CustomerFactory(external_id="K-2", given_name="Ben", family_name="Berg")
    record_audit(
        actor=Actor.of_user(user), action="customer.updated", target=ben,
        after={"given_name": "Ben"},
    )  # fmt: skip
    erase_customer_details(customer=anna, actor=actor)
    erase_customer_details(customer=ben, actor=actor)
    entry = AuditEntry.objects.get(action="customer.updated")
    assert (entry.actor_label, entry.target_label, entry.after) == ("", "", {"given_name": None})


def test_lists_and_their_log_do_not_name_who_is_erased(actor: Actor) -> None:
    anna = CustomerFactory(given_name="Anna", family_name="Berg")
    ben = CustomerFactory(given_name="Ben", family_name="Berg")
    row = create_segment(actor=actor, name="Friends", kind="static", now=timezone.now())
    for customer in (anna, ben):
        add_to_list(actor=actor, segment=row, customer=customer, now=timezone.now())
    remove_from_list(actor=actor, segment=row, customer=anna, now=timezone.now())
    erase_customer_details(customer=anna, actor=actor)
    said = json.dumps(list(AuditEntry.objects.values()), default=str)
    assert "Anna" not in said
    assert "Ben" in said
