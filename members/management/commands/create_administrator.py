"""`manage.py create_administrator EMAIL`: the first person who works in the back-office."""

from __future__ import annotations

from getpass import getpass
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from members.errors import DomainError
from members.models import StaffMember, User
from members.services.audit import Actor
from members.services.staff import invite_staff


class Command(BaseCommand):
    help = (
        "Give somebody the role of administrator. They sign in with a code sent by e-mail; "
        "--password also asks for a password, for an installation that cannot send mail yet."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", default="", help="how colleagues know them")
        parser.add_argument("--password", action="store_true", help="ask for a password")

    def handle(self, *args: Any, **options: Any) -> None:
        email = options["email"]
        password = self._ask_for_password() if options["password"] else None
        try:
            invited = invite_staff(
                actor=Actor(label="manage.py"),
                email=email,
                name=options["name"] or email.partition("@")[0],
                role=StaffMember.Role.ADMINISTRATOR,
            )
        except DomainError as error:
            reasons = "; ".join(str(item.message) for item in error.errors) or str(error.message)
            raise CommandError(reasons) from error
        if password is not None:
            self._set_password(invited.user, password)
        self.stdout.write(f"{invited.user.email} is an administrator of {settings.SITE_URL}.")

    def _ask_for_password(self) -> str:
        password = getpass("Password: ")
        try:
            validate_password(password)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        if getpass("Once more: ") != password:
            raise CommandError("The two passwords differ.")
        return password

    def _set_password(self, user: User, password: str) -> None:
        user.set_password(password)
        user.save(update_fields=["password"])
