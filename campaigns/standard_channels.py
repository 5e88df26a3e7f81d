"""The ways by which members are told in this version: e-mail, and the inbox on their own pages."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from campaigns.channels import Channel, register_channel
from campaigns.mail_line import mail_line
from members.models import Customer

EMAIL, INBOX = "email", "inbox"


def _address(customer: Customer) -> str:
    return customer.email


def _own_page(customer: Customer) -> str:
    """Everybody has one."""
    return str(customer.public_id)


def register() -> None:
    """Called once, when the application is ready."""
    register_channel(Channel(EMAIL, _("E-mail"), "mail", True, _address, mail_line))
    register_channel(Channel(INBOX, _("Inbox"), "inbox", False, _own_page))
