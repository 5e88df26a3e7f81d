"""Filling an empty installation with the demonstration: merchant, staff, program, customers,
history.

Every step can be repeated, so a load that was killed is simply started again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from loyalty.demo.abroad import people_buy_abroad
from loyalty.demo.activities import people_tell
from loyalty.demo.books import keep_books
from loyalty.demo.companies import people_buy_for_a_company
from loyalty.demo.drafts import answer_the_wizard
from loyalty.demo.duplicates import create_duplicate
from loyalty.demo.economics import people_reckon
from loyalty.demo.enrollment import people_join
from loyalty.demo.giving import people_donate
from loyalty.demo.goals import people_want
from loyalty.demo.history import original_day, write_history
from loyalty.demo.insights import measure_figures
from loyalty.demo.partners import people_drink_coffee
from loyalty.demo.parts import run_demo_parts
from loyalty.demo.people import person_of
from loyalty.demo.plans import people_have_plans
from loyalty.demo.questions import people_are_asked
from loyalty.demo.reviews import review_quarters
from loyalty.demo.risks import some_mislead
from loyalty.demo.rule_work import write_rules
from loyalty.demo.segments import people_in_segments
from loyalty.demo.sharing import people_share
from loyalty.demo.spending import people_spend
from loyalty.demo.staff_work import staff_at_work
from loyalty.demo.tier_work import draft_tiers
from loyalty.demo.trial import try_rules
from loyalty.models import Order, Program
from loyalty.program_files import load_program
from loyalty.services.imports import KIND, run_import, start_import
from loyalty.services.programs import apply_definition
from members.models import Customer, Job, Merchant, StaffMember, User
from members.selectors.merchants import DEFAULT_NAME, get_merchant
from members.services.audit import SYSTEM

SOURCE = "demo"
PROGRAM = "harvest-club"
NAMES = {
    "ada": "Ada Lindqvist", "mia": "Mia Okonkwo", "sam": "Sam Rivera", "lin": "Lin Zhao",
    "uma": "Uma Tanaka",
}  # fmt: skip


def needs_demo() -> bool:
    """Whether the installation is empty, or a demonstration was begun and not finished."""
    program = Program.objects.filter(code=PROGRAM).first()
    if program is None:
        return not Program.objects.exists() and not Customer.objects.exists()
    unfinished = Job.objects.filter(kind=KIND, params__source=SOURCE).exclude(
        state__in=[Job.State.SUCCEEDED, Job.State.CANCELED]
    )
    return unfinished.exists() or not Order.objects.filter(source=SOURCE).exists()


def load_demo(
    folder: Path, *, everyone: bool, say: Callable[[str], None], watch: Callable[[Job], None]
) -> None:
    """Load one household in eight, or everyone. More households can be added later."""
    program = _set_up()
    say("Merchant, staff and program are there; preparing the purchase history …")
    files = write_history(folder, days=_moved_days(), today=_today(program), everyone=everyone)
    create_people(files.households)
    job = start_import(
        program=program,
        orders_path=files.orders,
        lines_path=files.lines,
        actor=SYSTEM,
        source=SOURCE,
    )
    finished = run_import(job.pk, watch=watch)
    if finished is None:
        say("Another process is loading the demonstration already.")
        return
    say(f"{finished.result.get('created', 0)} orders of {len(files.households)} households loaded.")
    staff_at_work(program)
    people_tell(program)
    people_buy_abroad(program)
    people_spend(program)
    write_rules(program)
    people_share(program)
    people_donate(program)
    people_drink_coffee(program)
    people_have_plans(program)
    people_buy_for_a_company(program)
    create_duplicate(program)
    keep_books(program)
    people_join(program)
    people_are_asked()
    people_in_segments()
    people_want(program)
    people_reckon(program)
    try_rules(program)
    draft_tiers(program)
    answer_the_wizard()
    some_mislead(program)
    run_demo_parts(program)
    measure_figures(program)
    review_quarters(program)


def create_people(households: tuple[int, ...]) -> None:
    people = [person_of(household) for household in households]
    Customer.objects.bulk_create(
        (
            Customer(
                external_id=person.number,
                given_name=person.given_name,
                family_name=person.family_name,
                email=person.email,
                phone=person.phone,
                birthday=person.birthday,
                locale="en",
                country="US",
            )
            for person in people
        ),
        ignore_conflicts=True,
        batch_size=1000,
    )


@transaction.atomic
def _set_up() -> Program:
    # Looking at a page makes the merchant with its defaults; a name of one's own stays.
    get_merchant()
    Merchant.objects.filter(name=DEFAULT_NAME).update(
        name="Harvest Lane Market",
        accent_color="#2f6f3e",
        currency="USD",
        time_zone="America/New_York",
    )
    roles = zip(StaffMember.Role.values, settings.SETIA_DEMO_LOGINS, strict=False)
    for role, (_title, email, password) in roles:
        user = User.objects.filter(email=email).first()
        if user is None:
            user = User.objects.create_user(email, password, name=NAMES[email.split("@")[0]])
        StaffMember.objects.get_or_create(user=user, defaults={"role": role})
    definition = load_program((Path(__file__).parent / "program.yaml").read_text(encoding="utf-8"))
    program = Program.objects.filter(code=PROGRAM).first()
    if program is None:
        program = apply_definition(definition, actor=SYSTEM, now=timezone.now()).program
    _limited_agent(program)
    return program


def _limited_agent(program: Program) -> None:
    """Somebody of another company who serves this program, and sees no other that is made."""
    email = "kim@setia.example"
    user = User.objects.filter(email=email).first()
    if user is None:
        user = User.objects.create_user(email, settings.DEMO_PASSWORD, name="Kim Call-Center")
    StaffMember.objects.get_or_create(
        user=user,
        defaults={"role": StaffMember.Role.SUPPORT_AGENT, "programs": [program.pk]},
    )


def _today(program: Program) -> dt.date:
    return timezone.now().astimezone(program.zone).date()


def _moved_days() -> int | None:
    """How far the dates were moved when the demonstration was first loaded."""
    order = Order.objects.filter(source=SOURCE).order_by("pk").first()
    if order is None:
        return None
    original = original_day(order.external_id)
    program = Program.objects.get(code=PROGRAM)
    return (order.placed_at.astimezone(program.zone).date() - original).days if original else None
