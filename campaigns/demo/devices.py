"""The demonstration's devices and numbers: notifications reach several of one member's, and a
number for WhatsApp waits for its code. With `make run` the development phone shows what is sent.
"""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns.models import ContactAddress
from campaigns.selectors.ways import usable_senders
from campaigns.services.consents import set_consents
from campaigns.services.contact_addresses import name_address
from campaigns.short_texts import PUSH, WHATSAPP
from loyalty.demo.parts import register_demo_part
from loyalty.models import Membership, Program
from members.models import Customer
from members.services.audit import SYSTEM

# After the messages, whose consents these add to.
PART = "told_messages_devices"
PEOPLE = 3
NUMBERS = ("+30 690 000 0001", "+30 690 000 0002")


def register() -> None:
    """Called once, when the application is ready."""
    register_demo_part(PART, show_devices)


@transaction.atomic
def show_devices(program: Program) -> None:
    """Made once, however often the demonstration is loaded."""
    if ContactAddress.objects.exists():
        return
    now = timezone.now()
    guide = Customer.objects.filter(email=settings.SETIA_DEMO_CUSTOMER).first()
    others = Membership.objects.filter(program=program, status=Membership.Status.ACTIVE)
    others = others.exclude(customer__email=settings.SETIA_DEMO_CUSTOMER)
    people = [member.customer for member in others.select_related("customer").order_by("pk")]
    if guide is not None:
        _name_devices(guide, (_("Phone"), _("Tablet")), now)
        _name_numbers(guide, now)
    for customer in people[:PEOPLE]:
        _name_devices(customer, (_("Phone"),), now)


def _name_devices(customer: Customer, labels: tuple[str, ...], now: dt.datetime) -> None:
    for number, label in enumerate(labels):
        name_address(
            customer=customer, channel=PUSH, address=f"example-device-{customer.pk}-{number}",
            label=label, actor=SYSTEM, now=now,
        )  # fmt: skip
    if PUSH in {way.key for way in usable_senders()}:
        set_consents(
            customer=customer, wanted={(PUSH, "points"): True}, source="staff", actor=SYSTEM,
            now=now,
        )  # fmt: skip


def _name_numbers(customer: Customer, now: dt.datetime) -> None:
    """One that the shop vouches for; another waits for its code, where one can be sent."""
    known, asked = NUMBERS
    name_address(customer=customer, channel=WHATSAPP, address=known, actor=SYSTEM, now=now)
    if WHATSAPP in {way.key for way in usable_senders()}:
        name_address(
            customer=customer, channel=WHATSAPP, address=asked, actor=SYSTEM, now=now,
            vouched=False,
        )  # fmt: skip
