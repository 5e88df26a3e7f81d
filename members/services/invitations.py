"""The mail that tells somebody they may work in the back-office."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from members.models import OutboxEvent, StaffMember
from members.outbox import register_consumer
from members.selectors.merchants import get_merchant
from members.services.mail import queue_mail
from members.services.staff import INVITED


def send_invitations(events: Sequence[OutboxEvent]) -> None:
    """Write the mails of people who are still invited by the time it is sent."""
    wanted = {event.payload["staff_member"]: event.payload["by"] for event in events}
    invited = StaffMember.objects.select_related("user").filter(pk__in=wanted)
    merchant = get_merchant()
    for staff_member in invited:
        context = {
            "merchant": merchant,
            "invited_by": wanted[staff_member.pk],
            "staff_member": staff_member,
            "url": settings.SITE_URL + reverse("account_request_login_code"),
        }
        with translation.override(merchant.locale):
            subject = _("%(merchant)s: your access to the back-office") % {
                "merchant": merchant.name
            }
            text = render_to_string("backoffice/mail/invitation.txt", context)
        queue_mail(to=staff_member.user.email, subject=subject, text=text)


def register() -> None:
    register_consumer(INVITED, send_invitations)
