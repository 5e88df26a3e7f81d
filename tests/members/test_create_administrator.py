"""The first administrator comes from the command line."""

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks

from members.management.commands import create_administrator
from members.models import StaffMember, User
from tests.factories import StaffMemberFactory

pytestmark = pytest.mark.django_db
MODULE = create_administrator.__name__


def test_an_administrator_is_made_and_invited(
    capsys: pytest.CaptureFixture[str],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        call_command("create_administrator", "Ada@Example.com", "--name", "Ada")
    member = StaffMember.objects.get()
    assert (member.user.email, member.user.name) == ("ada@example.com", "Ada")
    assert member.role == StaffMember.Role.ADMINISTRATOR
    assert mail.outbox[0].to == ["ada@example.com"]
    assert "ada@example.com is an administrator" in capsys.readouterr().out


def test_with_a_password_no_mail_is_needed_to_sign_in(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{MODULE}.getpass", lambda prompt: "correct-horse-battery")
    call_command("create_administrator", "ada@example.com", "--password")
    data = {"login": "ada@example.com", "password": "correct-horse-battery"}
    response = client.post(reverse("account_login"), data, follow=True)
    assert response.redirect_chain[-1][0] == reverse("backoffice:home")


@pytest.mark.parametrize("answers", [["short"], ["correct-horse-battery", "another-one-entirely"]])
def test_a_bad_password_makes_nobody(answers: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    given = iter(answers)
    monkeypatch.setattr(f"{MODULE}.getpass", lambda prompt: next(given))
    with pytest.raises(CommandError):
        call_command("create_administrator", "ada@example.com", "--password")
    assert not User.objects.exists()


def test_what_cannot_be_done_is_said() -> None:
    colleague = StaffMemberFactory()
    with pytest.raises(CommandError, match="already works here"):
        call_command("create_administrator", colleague.user.email)
    with pytest.raises(CommandError, match="e-mail address"):
        call_command("create_administrator", "ada")
