"""Settings: the merchant, the team, the keys, the audit log."""

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from members.models import ApiKey, AuditEntry, StaffMember, User
from members.selectors.merchants import get_merchant
from members.services.api_keys import authenticate_api_key
from members.services.audit import SYSTEM, Actor, record_audit
from members.services.audit_jobs import CHECK
from members.services.audit_seals import seal_entries
from members.services.job_runs import run_scheduled
from members.services.merchants import update_merchant
from tests.factories import ApiKeyFactory, CustomerFactory, StaffMemberFactory
from tests.loyalty.factories import make_program
from tests.members.conftest import HTMX, IN_DIALOG
from tests.members.services.test_audit_seals import tampering
from tests.members.services.test_merchants import png

pytestmark = pytest.mark.django_db
Role = StaffMember.Role


# --- Merchant -----------------------------------------------------------------------------------


def merchant_data(**changes: Any) -> dict[str, Any]:
    merchant = get_merchant()
    names = ("name", "accent_color", "currency", "time_zone", "locale")
    all_there_are = {"languages": list(dict(settings.LANGUAGES))}
    return {name: getattr(merchant, name) for name in names} | all_there_are | changes


def test_the_merchant_is_changed(admins_browser: Client) -> None:
    url = reverse("backoffice:merchant")
    data = merchant_data(name="Kedai Kopi", time_zone="Asia/Kuala_Lumpur", currency="MYR")
    response = admins_browser.post(url, data, follow=True)
    assert response.redirect_chain[0][0] == url
    content = response.content.decode()
    assert "Settings saved." in content
    assert "Kedai Kopi" in content
    assert get_merchant().time_zone == "Asia/Kuala_Lumpur"


def test_languages_that_customers_may_choose_are_chosen(admins_browser: Client) -> None:
    url = reverse("backoffice:merchant")
    assert set(admins_browser.get(url).context["form"]["languages"].value()) == {
        "en", "ms", "zh-hans", "zh-hant", "el",
    }  # fmt: skip
    admins_browser.post(url, merchant_data(languages=["en", "ms"], locale="ms"))
    assert (get_merchant().languages, get_merchant().locale) == (["en", "ms"], "ms")
    assert AuditEntry.objects.latest("pk").after == {"locale": "ms", "languages": ["en", "ms"]}
    shown = admins_browser.get(url).context["form"]
    assert shown["languages"].value() == ["en", "ms"]
    # Of all there are, those that come with a later version are offered as well.
    admins_browser.post(url, merchant_data())
    assert get_merchant().languages == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"languages": ["ms"], "locale": "en"}, "locale"), ({"languages": []}, "languages"),
     ({"languages": ["tlh"]}, "languages")],
)  # fmt: skip
def test_the_default_language_is_one_of_those_offered(
    admins_browser: Client, changes: dict[str, Any], field: str
) -> None:
    answer = admins_browser.post(reverse("backoffice:merchant"), merchant_data(**changes))
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {field}
    assert get_merchant().languages == []


def test_staff_choose_for_a_customer_among_those_offered_and_their_own(
    admins_browser: Client,
) -> None:
    update_merchant(actor=SYSTEM, changes={"languages": ["en", "ms"]})
    customer = CustomerFactory(locale="el")
    page = admins_browser.get(reverse("backoffice:customer_edit", args=[customer.public_id]))
    choices = [code for code, _name in page.context["form"].fields["locale"].choices]
    assert choices == ["", "en", "ms", "el"]


def test_a_wrong_setting_keeps_the_page_with_what_was_typed(admins_browser: Client) -> None:
    data = merchant_data(name="Kedai", accent_color="red", currency="XXX")
    response = admins_browser.post(reverse("backoffice:merchant"), data)
    assert response.status_code == 422
    assert set(response.context["form"].errors) == {"currency"}
    data = merchant_data(name="Kedai", accent_color="red")
    response = admins_browser.post(reverse("backoffice:merchant"), data)
    assert set(response.context["form"].errors) == {"accent_color"}
    assert get_merchant().name == "Setia"


def test_a_logo_is_uploaded_served_and_removed(admins_browser: Client) -> None:
    url = reverse("backoffice:merchant")
    logo = SimpleUploadedFile("logo.png", png(), "image/png")
    admins_browser.post(url, {**merchant_data(), "logo": logo})
    merchant = get_merchant()
    served = Client().get(merchant.logo.url)
    assert b"".join(served) == png()
    assert served["Content-Type"] == "image/png"
    assert "immutable" in served["Cache-Control"]
    assert Client().get("/media/merchant/logo-other.png").status_code == 404

    admins_browser.post(url, merchant_data() | {"remove_logo": "on"})
    assert not get_merchant().logo
    assert Client().get(merchant.logo.url).status_code == 404


def test_a_logo_that_is_none_is_refused_at_its_field(admins_browser: Client) -> None:
    logo = SimpleUploadedFile("logo.png", b"<svg/>", "image/png")
    response = admins_browser.post(
        reverse("backoffice:merchant"), {**merchant_data(), "logo": logo}
    )
    assert response.status_code == 422
    assert "not a PNG" in response.context["form"].errors["logo"][0]


def test_the_preview_shows_what_is_tried_and_changes_nothing(admins_browser: Client) -> None:
    tried = {"name": "Kedai", "accent_color": "#aa3300"}
    url = reverse("backoffice:merchant_preview")
    content = admins_browser.get(url, tried, headers=HTMX).content.decode()
    assert "Kedai" in content
    assert "preview=%23aa3300" in content
    assert (
        "preview"
        not in admins_browser.get(url, {"accent_color": "x;}"})
        .content.decode()
        .split("merchant-preview")[0]
    )
    assert get_merchant().name == "Setia"

    sheet = Client().get(reverse("members:branding"), {"preview": "#aa3300"}).content.decode()
    assert sheet.startswith(".merchant-preview {")
    assert "#aa3300" in sheet


# --- Team ---------------------------------------------------------------------------------------


def test_the_team_is_listed_with_roles_and_who_has_not_come_yet(admins_browser: Client) -> None:
    StaffMemberFactory(user__name="Noor", role=Role.ANALYST)
    content = admins_browser.get(reverse("backoffice:team")).content.decode()
    for words in ("Ada Admin", "You", "Noor", "Analyst", "Invited", "2 people work here."):
        assert words in content


def test_somebody_is_invited_from_the_dialog(admins_browser: Client) -> None:
    data = {"name": "Noor", "email": "noor@example.com", "role": Role.ANALYST}
    response = admins_browser.post(reverse("backoffice:team_invite"), data, headers=IN_DIALOG)
    assert response.status_code == 204
    assert "team-changed" in response["HX-Trigger"]
    assert StaffMember.objects.get(user__email="noor@example.com").role == Role.ANALYST
    again = admins_browser.post(reverse("backoffice:team_invite"), data, headers=IN_DIALOG)
    assert again.status_code == 422
    assert "already works here" in again.content.decode()


def test_a_role_is_changed_from_the_dialog(admins_browser: Client) -> None:
    person = StaffMemberFactory()
    url = reverse("backoffice:team_role", args=[person.pk])
    assert 'value="support_agent"' in admins_browser.get(url, headers=IN_DIALOG).content.decode()
    response = admins_browser.post(url, {"role": Role.ANALYST}, headers=IN_DIALOG)
    assert response.status_code == 204
    person.refresh_from_db()
    assert person.role == Role.ANALYST


def test_that_a_role_is_for_all_programs_is_said(admins_browser: Client) -> None:
    """And is not what remains when nothing is chosen."""
    club, tea = make_program(), make_program("tea")
    person = StaffMemberFactory()
    url = reverse("backoffice:team_role", args=[person.pk])
    content = admins_browser.get(url, headers=IN_DIALOG).content.decode()
    assert "Only these" in content
    agent = {"role": Role.SUPPORT_AGENT}
    for sent, said in (
        (agent, "required"),
        (agent | {"reach": "only"}, "at least one program"),
        (agent | {"reach": "all", "programs": [str(tea.pk)]}, "Say: only these"),
    ):
        refused = admins_browser.post(url, sent, headers=IN_DIALOG)
        assert (refused.status_code, said in refused.content.decode()) == (422, True)
        person.refresh_from_db()
        assert person.programs == []
    sent = agent | {"reach": "only", "programs": [str(tea.pk)]}
    assert admins_browser.post(url, sent, headers=IN_DIALOG).status_code == 204
    person.refresh_from_db()
    assert person.programs == [tea.pk]
    assert admins_browser.post(url, agent | {"reach": "all"}, headers=IN_DIALOG).status_code == 204
    person.refresh_from_db()
    assert person.programs == []
    invited = {"name": "Kim", "email": "kim@example.com", **agent}
    refused = admins_browser.post(reverse("backoffice:team_invite"), invited, headers=IN_DIALOG)
    assert refused.status_code == 422
    invited |= {"reach": "only", "programs": [str(club.pk)]}
    admins_browser.post(reverse("backoffice:team_invite"), invited, headers=IN_DIALOG)
    assert StaffMember.objects.get(user__email="kim@example.com").programs == [club.pk]


def test_the_own_row_offers_nothing_and_its_address_refuses(
    admins_browser: Client, administrator: User
) -> None:
    StaffMemberFactory(administrator=True)
    own = StaffMember.objects.get(user=administrator)
    role_url = reverse("backoffice:team_role", args=[own.pk])
    assert role_url not in admins_browser.get(reverse("backoffice:team")).content.decode()
    response = admins_browser.post(role_url, {"role": Role.ANALYST})
    assert response.status_code == 422
    assert "changed by another administrator" in response.content.decode()

    remove_url = reverse("backoffice:team_remove", args=[own.pk])
    response = admins_browser.post(remove_url, follow=True)
    assert "cannot remove yourself" in response.content.decode()
    assert StaffMember.objects.filter(pk=own.pk).exists()


def test_a_removed_colleague_is_out_at_once(
    admins_browser: Client, agent: User, as_user: Callable[[User], Client]
) -> None:
    sams = as_user(agent)
    assert sams.get(reverse("backoffice:home")).status_code == 200
    person = StaffMember.objects.get(user=agent)
    response = admins_browser.post(reverse("backoffice:team_remove", args=[person.pk]), follow=True)
    assert "Sam Support has no access" in response.content.decode()
    assert sams.get(reverse("backoffice:home")).status_code == 403


def test_an_invitation_is_sent_again(admins_browser: Client, agent: User) -> None:
    person = StaffMember.objects.get(user=agent)
    url = reverse("backoffice:team_remind", args=[person.pk])
    assert "is on its way" in admins_browser.post(url, follow=True).content.decode()
    User.objects.filter(pk=agent.pk).update(last_login=timezone.now())
    assert "has signed in already" in admins_browser.post(url, follow=True).content.decode()


# --- API keys -----------------------------------------------------------------------------------


def test_a_key_is_shown_once_and_works(admins_browser: Client) -> None:
    data = {"name": "Web shop", "scopes": ["orders:write", "balances:read"], "lasting": "90"}
    response = admins_browser.post(reverse("backoffice:api_key_create"), data, headers=IN_DIALOG)
    content = response.content.decode()
    found = re.search(r'value="(setia_[0-9a-f]{10}_[\w-]{43})"', content)
    assert found, content
    assert f'data-copy="{found[1]}"' in content
    assert "api-key-changed" in response["HX-Trigger"]
    assert "no-store" in response["Cache-Control"]

    key = authenticate_api_key(found[1])
    assert key is not None
    assert key.scopes == ["orders:write", "balances:read"]
    assert key.expires_at is not None
    assert timedelta(days=89) < key.expires_at - timezone.now() <= timedelta(days=90)
    secret = found[1].split("_", 2)[2]
    assert secret not in admins_browser.get(reverse("backoffice:api_key_list")).content.decode()


def test_without_name_and_scopes_no_key_is_made(admins_browser: Client) -> None:
    response = admins_browser.post(reverse("backoffice:api_key_create"), {}, headers=IN_DIALOG)
    assert response.status_code == 422
    assert set(response.context["form"].errors) == {"name", "scopes"}
    assert not ApiKey.objects.exists()


def test_sending_the_form_twice_makes_one_key(admins_browser: Client) -> None:
    data = {"name": "Web shop", "scopes": ["orders:write"]}
    admins_browser.post(reverse("backoffice:api_key_create"), data)
    response = admins_browser.post(reverse("backoffice:api_key_create"), data)
    assert response.status_code == 422
    assert ApiKey.objects.count() == 1


def test_a_revoked_key_moves_to_those_no_longer_in_use(admins_browser: Client) -> None:
    key = ApiKeyFactory(name="Old till")
    response = admins_browser.post(reverse("backoffice:api_key_revoke", args=[key.pk]), follow=True)
    content = response.content.decode()
    assert "The key “Old till” is revoked." in content
    assert [former.pk for former in response.context["former"]] == [key.pk]
    assert authenticate_api_key(key.presented) is None


def test_a_key_gets_another_secret_which_is_shown_once(admins_browser: Client) -> None:
    key = ApiKeyFactory(name="Web shop")
    address = reverse("backoffice:api_key_rotate", args=[key.pk])
    assert "Web shop" in admins_browser.get(address, headers=IN_DIALOG).content.decode()
    assert admins_browser.post(address, {"hours": "5"}, headers=IN_DIALOG).status_code == 422
    response = admins_browser.post(address, {"hours": "24"}, headers=IN_DIALOG)
    assert response.headers["HX-Trigger"] == '{"api-key-changed": {}}'
    found = re.search(r'value="(setia_[^"]+)"', response.content.decode())
    assert found is not None
    assert authenticate_api_key(found[1]) == authenticate_api_key(key.presented) == key
    shown = admins_browser.get(reverse("backoffice:api_key_list")).content.decode()
    assert "The secret before works until" in shown
    assert found[1] not in shown


def test_an_auditor_reads_settings_and_finds_no_button(
    browser_of: Callable[[str], Client],
) -> None:
    ApiKeyFactory(name="Web shop")
    auditor = browser_of("auditor")
    for name, seen in (("api_key_list", "Web shop"), ("team", "Auditor"), ("audit_log", "Who")):
        html = auditor.get(reverse(f"backoffice:{name}")).content.decode()
        assert seen in html
        for button in ("New API key", "Rotate", "Revoke key", "Invite somebody", "Change role"):
            assert button not in html, (name, button)


def test_an_expired_key_is_no_longer_in_use(admins_browser: Client) -> None:
    ApiKeyFactory()
    ApiKey.objects.update(expires_at=timezone.now() - timedelta(days=1))
    response = admins_browser.get(reverse("backoffice:api_key_list"))
    assert "Expired" in response.content.decode()
    assert response.context["keys"] == []


def test_without_keys_the_page_teaches(admins_browser: Client) -> None:
    assert (
        "No key in use" in admins_browser.get(reverse("backoffice:api_key_list")).content.decode()
    )


# --- Audit log ----------------------------------------------------------------------------------


@pytest.fixture
def entries(administrator: User, agent: User) -> list[AuditEntry]:
    anna, ben = CustomerFactory(given_name="Anna"), CustomerFactory(given_name="Ben")
    ada, sam = Actor.of_user(administrator), Actor.of_user(agent)
    return [
        record_audit(actor=ada, action="customer.created", target=anna),
        record_audit(
            actor=sam, action="customer.updated", target=anna,
            before={"email": "a@example.com"}, after={"email": "b@example.com"},
        ),
        record_audit(actor=sam, action="customer.updated", target=ben),
        record_audit(actor=SYSTEM, action="customer.noted", target=ben),
    ]  # fmt: skip


def shown(client: Client, **filters: str) -> list[int]:
    response = client.get(reverse("backoffice:audit_log"), filters)
    return [row.entry.pk for row in response.context["rows"]]


def test_the_log_is_read_newest_first_with_what_changed(
    admins_browser: Client, entries: list[AuditEntry]
) -> None:
    assert shown(admins_browser) == [entry.pk for entry in reversed(entries)]
    content = admins_browser.get(reverse("backoffice:audit_log")).content.decode()
    for words in ("Changed a customer", "a@example.com</del>", "b@example.com</ins>", "Setia"):
        assert words in content


def test_the_log_is_filtered_by_person_action_object_and_day(
    admins_browser: Client, entries: list[AuditEntry], agent: User
) -> None:
    by_sam = [entries[2].pk, entries[1].pk]
    today = timezone.localdate()
    yesterday = (today - timedelta(days=1)).isoformat()
    assert shown(admins_browser, person=str(agent.pk)) == by_sam
    assert shown(admins_browser, action="customer.updated") == by_sam
    assert shown(admins_browser, target=entries[0].target) == [entries[1].pk, entries[0].pk]
    assert len(shown(admins_browser, since=today.isoformat(), until=today.isoformat())) == 4
    assert shown(admins_browser, until=yesterday) == []
    assert shown(admins_browser, person=str(agent.pk), target=entries[2].target) == [entries[2].pk]


def test_the_log_is_searched_by_what_is_in_it(
    admins_browser: Client, entries: list[AuditEntry]
) -> None:
    both = [entries[1].pk, entries[0].pk]
    assert shown(admins_browser, text="anna") == both
    assert shown(admins_browser, text="B@example") == [entries[1].pk]
    assert shown(admins_browser, text="sam sup") == [entries[2].pk, entries[1].pk]
    assert shown(admins_browser, text="nobody") == []


def exported(client: Client, kind: str, **filters: str) -> str:
    response = client.get(reverse("backoffice:audit_export", args=[kind]), filters)
    assert f"audit-log.{kind}" in response["Content-Disposition"]
    return b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]


def test_the_log_is_exported_as_it_is_filtered(
    admins_browser: Client, entries: list[AuditEntry], agent: User
) -> None:
    rows = list(csv.DictReader(io.StringIO(exported(admins_browser, "csv"))))
    assert [int(row["id"]) for row in rows] == [entry.pk for entry in reversed(entries)]
    lines = exported(admins_browser, "ndjson", person=str(agent.pk)).splitlines()
    found = [json.loads(line) for line in lines]
    assert [row["id"] for row in found] == [entries[2].pk, entries[1].pk]
    assert found[1]["after"] == {"email": "b@example.com"}
    assert found[1]["actor"] == str(agent)
    assert admins_browser.get(reverse("backoffice:audit_export", args=["xls"])).status_code == 404


def test_a_name_like_a_formula_is_text_in_a_spreadsheet(
    admins_browser: Client, actor: Actor
) -> None:
    customer = CustomerFactory(given_name="=1+1", family_name="")
    record_audit(actor=actor, action="customer.created", target=customer)
    row = next(csv.DictReader(io.StringIO(exported(admins_browser, "csv"))))
    assert row["target_name"].startswith("'=1+1")


def test_the_page_says_what_the_last_check_found(
    admins_browser: Client, entries: list[AuditEntry]
) -> None:
    seal_entries(now=timezone.now())
    run_scheduled(kind=CHECK, now=timezone.now())
    assert (
        "as it was written" in admins_browser.get(reverse("backoffice:audit_log")).content.decode()
    )
    with tampering() as run:
        run(f"UPDATE members_auditentry SET reason = 'x' WHERE id = {entries[0].pk}")
    run_scheduled(kind=CHECK, now=timezone.now())
    html = admins_browser.get(reverse("backoffice:audit_log")).content.decode()
    assert "The log was tampered with" in html
    assert f"Entry {entries[0].pk} is not what it was" in html


def test_a_filter_nobody_can_choose_is_passed_over(
    admins_browser: Client, entries: list[AuditEntry]
) -> None:
    assert len(shown(admins_browser, person="x", action="y", since="z")) == 4


def test_filtering_swaps_only_the_results(
    admins_browser: Client, entries: list[AuditEntry]
) -> None:
    url = reverse("backoffice:audit_log")
    response = admins_browser.get(url, {"action": "customer.noted"}, headers=HTMX)
    content = response.content.decode()
    assert "<html" not in content
    assert "Show everything" in content


def test_somebody_who_has_left_is_still_found_in_the_log(
    admins_browser: Client, entries: list[AuditEntry], agent: User
) -> None:
    StaffMember.objects.filter(user=agent).delete()
    assert shown(admins_browser, person=str(agent.pk)) == [entries[2].pk, entries[1].pk]


def test_the_log_pages_through_everything_in_constant_queries(
    admins_browser: Client,
    administrator: User,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    actor, customer = Actor.of_user(administrator), CustomerFactory()
    for _ in range(65):
        record_audit(actor=actor, action="customer.updated", target=customer)
    seen, cursor, url = [], "", reverse("backoffice:audit_log")
    with django_assert_max_num_queries(3 * 12):
        for _ in range(3):
            response = admins_browser.get(url, {"cursor": cursor})
            seen += [row.entry.pk for row in response.context["rows"]]
            cursor = response.context["page"].next_cursor
    assert len(set(seen)) == 65
    assert cursor is None


def test_an_empty_log_says_what_will_be_in_it(admins_browser: Client) -> None:
    assert (
        "Nothing was changed yet"
        in admins_browser.get(reverse("backoffice:audit_log")).content.decode()
    )
