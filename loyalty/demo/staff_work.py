"""What the demonstration's staff have done: small things for one customer, something that waits for
a second person, a gift for many, what somebody left behind who works here no more, and what is
known of a person as a file."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from loyalty.demo.people import GUIDE_HOUSEHOLD, person_of
from loyalty.models import AdjustmentRequest, BulkAdjustment, Membership, Program, Wallet
from loyalty.services.adjustments import adjust_units, undo_transfer
from loyalty.services.bulk_adjustments import Plan, create_bulk, post_bulk
from loyalty.services.bulk_sources import from_list
from loyalty.services.staff_adjustments import adjust_as_staff
from members.models import Customer, StaffMember, User
from members.services.audit import Actor
from members.services.customer_tags import add_tag
from members.services.customer_tasks import add_task
from members.services.customers import add_note
from members.services.job_runs import run_job
from members.services.personal_packages import request_package
from members.services.staff import remove_staff

# How many get the gift, beside the guide.
GIFTS = 19
GIFT = 100
FORMER = "noor@setia.example"
LEFT_BEHIND = (
    "Send the recipe booklet that she asked for", "Ask whether the new card has arrived",
    "Call about the allergy note on the order",
)  # fmt: skip


def staff_at_work(program: Program) -> None:
    """Each part once, however often the demonstration is loaded."""
    guide = Customer.objects.get(external_id=person_of(GUIDE_HOUSEHOLD).number)
    wallet = (
        Wallet.objects.select_related("wallet_type__program")
        .filter(account__membership__customer=guide, wallet_type__program=program)
        .first()
    )
    if wallet is None:
        return
    if not guide.notes.exists():
        _support(guide, wallet)
    if not BulkAdjustment.objects.exists():
        _gift(program, guide, wallet)
    if not AdjustmentRequest.objects.exists():
        _request(wallet)
    if not User.objects.filter(email=FORMER).exists():
        _leave(guide)
    if not guide.packages.exists():
        _hand_out(guide)


def _support(guide: Customer, wallet: Wallet) -> None:
    """What support does all day: a note, a goodwill adjustment, and one made by mistake and
    undone."""
    agent, now = _person("sam"), timezone.now()
    add_note(customer=guide, actor=agent, text="Prefers e-mail. Usually shops on Friday evenings.")
    add_tag(customer=guide, actor=agent, tag="regular guest")
    add_task(
        customer=guide, actor=agent, text="Call back about the late delivery",
        assignee=User.objects.get(email="sam@setia.example"),
        due_on=timezone.localdate() + timedelta(days=1), now=now,
    )  # fmt: skip
    adjust_units(
        wallet=wallet, units=150, reason="service_recovery", note="Delivery came a day late.",
        actor=agent, key="demo:goodwill", source="backoffice", now=now,
    )  # fmt: skip
    mistake, _replayed = adjust_units(
        wallet=wallet, units=1_000, reason="correction", note="", actor=agent, key="demo:mistake",
        source="backoffice", now=now,
    )  # fmt: skip
    undo_transfer(
        transfer=mistake,
        actor=agent,
        source="backoffice",
        now=now,
        note="Meant for another customer.",
    )


def _gift(program: Program, guide: Customer, wallet: Wallet) -> None:
    """A surprise for the guide and a few who are there longest; one name in the list is wrong."""
    longest = (
        Membership.objects.filter(program=program)
        .exclude(customer=guide)
        .order_by("enrolled_at", "pk")
        .values_list("customer__external_id", flat=True)[:GIFTS]
    )
    names = [guide.email, *(number for number in longest if number), "H99999"]
    plan = Plan(
        kind=BulkAdjustment.Kind.GRANT.value,
        wallet_type=wallet.wallet_type,
        reason="surprise",
        note="The twenty who have been with us longest.",
        message="Thank you for being with us from the start.",
        units_each=GIFT * 10**wallet.wallet_type.scale,
        budget=5_000 * 10**wallet.wallet_type.scale,
    )
    manager = _person("mia")
    batch = create_bulk(
        plan=plan,
        source=from_list("\n".join(names), "Members from the start"),
        actor=manager,
        now=timezone.now(),
    )
    assert batch.job_id is not None
    run_job(batch.job_id)
    batch = post_bulk(batch=batch, actor=manager, now=timezone.now())
    assert batch.job_id is not None
    run_job(batch.job_id)


def _request(wallet: Wallet) -> None:
    """More than an agent may give alone."""
    adjust_as_staff(
        wallet=wallet,
        units=2_500 * 10**wallet.wallet_type.scale,
        reason="service_recovery",
        note="A whole delivery was lost; she has been very patient.",
        actor=_person("sam"),
        key="demo:request",
        now=timezone.now(),
    )


@transaction.atomic
def _leave(guide: Customer) -> None:
    """A colleague went before all was done: it is nobody's, and waits for whoever takes it."""
    user = User.objects.create_user(FORMER, name="Noor Haddad")
    member = StaffMember.objects.create(user=user, role=StaffMember.Role.SUPPORT_AGENT)
    actor, now = Actor.of_user(user), timezone.now()
    others = Customer.objects.filter(merged_into=None).exclude(pk=guide.pk).order_by("pk")
    for customer, text in zip([guide, *others[: len(LEFT_BEHIND) - 1]], LEFT_BEHIND, strict=False):
        add_task(
            customer=customer, actor=actor, text=text, assignee=user,
            due_on=timezone.localdate() + timedelta(days=2), now=now,
        )  # fmt: skip
    remove_staff(actor=_person("ada"), staff_member=member)


def _hand_out(guide: Customer) -> None:
    """She asked for what is known of her, and support looked at all of it: two files that are there
    to be fetched."""
    for for_staff, actor in ((False, Actor(label=str(guide))), (True, _person("sam"))):
        package = request_package(
            customer=guide, actor=actor, for_staff=for_staff, now=timezone.now()
        )
        assert package.job_id is not None
        run_job(package.job_id)


def _person(name: str) -> Actor:
    return Actor.of_user(User.objects.get(email=f"{name}@setia.example"))
