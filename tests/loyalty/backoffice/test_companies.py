"""Companies in the back-office: founded, changed, looked after, imported; what their buyers do."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from loyalty.models import Company, Membership, Pool, PoolMember, Program, SpendRequest
from loyalty.services.companies import create_company
from loyalty.services.company_imports import company_import_words, run_company_import
from loyalty.services.pools import PoolTerms, add_pool_member
from loyalty.services.spend_requests import approve_spending, ask_to_spend
from members.models import AuditEntry, Customer, Job, StaffMember
from members.services.audit import SYSTEM
from tests.factories import CustomerFactory, StaffMemberFactory, UserFactory
from tests.loyalty.backoffice.conftest import Member, queries_of, url
from tests.loyalty.factories import make_wallet, order, record

pytestmark = pytest.mark.usefixtures("ana_for_all")


HOW: dict[str, Any] = {"actor": SYSTEM, "source": "backoffice"}
FORM = {
    "name": "Hart Supplies", "external_id": "K-1", "legal_name": "", "registration_number": "",
    "vat_number": "", "billing_email": "", "address": "", "employees": "", "tags": "",
    "manager": "", "most_at_once": "50", "most_in_period": "", "period": "month",
    "answer_days": "7", "contribution": "all", "share": "", "spending": "everyone",
    "leaving": "stays",
}  # fmt: skip


def member(program: Program, number: str, given: str) -> Membership:
    CustomerFactory(given_name=given, family_name="Costa", external_id=number,
                    email=f"{given.lower()}@example.com")  # fmt: skip
    wallet = make_wallet(program, number)
    return Membership.objects.select_related("customer").get(account=wallet.account_id)


@pytest.fixture
def bea(beans: Program) -> Membership:
    return member(beans, "c2", "Bea")


@pytest.fixture
def mia(db: None) -> StaffMember:
    return StaffMemberFactory(
        role="marketing_manager", user__name="Mia Okonkwo", phone="+12125550123"
    )


@pytest.fixture
def company(ana: Member, bea: Membership, mia: StaffMember) -> Company:
    """Ana's, with the 150 Beans that she had; Bea buys up to 50, Mia looks after it."""
    found = create_company(
        owner=ana.membership, terms=PoolTerms(name="Hart Supplies", kind="company"), bring=True,
        details={"manager": mia, "most_at_once": 50, "external_id": "K-1"}, now=timezone.now(),
        **HOW,
    )  # fmt: skip
    add_pool_member(pool=found.pool, membership=bea, now=timezone.now(), **HOW)
    return found


def text(client: Client, address: str, values: dict[str, Any] | None = None) -> str:
    return client.get(address, values or {}).content.decode().replace("\N{NO-BREAK SPACE}", " ")


def page(client: Client, company: Company) -> str:
    return " ".join(text(client, url("company_page", company.pool.public_id)).split())


def ask(company: Company, buyer: Membership, units: int, key: str = "q"):
    place = PoolMember.objects.select_related("pool").get(membership=buyer)
    return ask_to_spend(
        member=place, wallet_type=company.program.wallet_types.get(), units=units, note="Toner",
        key=key, now=timezone.now(), **HOW,
    )[0]  # fmt: skip


def test_a_company_is_founded_for_somebody_typed(
    agent: Client, beans: Program, bea: Membership, mia: StaffMember
) -> None:
    assert "Mia Okonkwo" in text(agent, url("company_create"))
    values = FORM | {"program": beans.pk, "owner": "bea@example.com", "vat_number": "de 123456789",
                     "manager": mia.pk, "tags": "Office, key account"}  # fmt: skip
    wrong = agent.post(url("company_create"), values | {"vat_number": "DE1"})
    assert (wrong.status_code, "look different" in wrong.content.decode()) == (422, True)
    done = agent.post(url("company_create"), values)
    company = Company.objects.get()
    assert done.url == url("company_page", company.pool.public_id)
    assert (company.vat_number, company.tags) == ("DE123456789", ["key-account", "office"])
    shown = page(agent, company)
    for words in ("Mia Okonkwo", "+1 212-555-0123", "DE123456789", "Bea Costa", "key-account",
                  "at most 50 Beans at once", "Approvers have 7 days"):  # fmt: skip
        assert words in shown, words


def test_numbers_that_another_company_has_are_refused_at_the_field(
    agent: Client, beans: Program, company: Company
) -> None:
    member(beans, "c3", "Cid")
    values = FORM | {"program": beans.pk, "owner": "c3"}
    answer = agent.post(url("company_create"), values)
    assert answer.status_code == 422
    assert "Hart Supplies has this number already." in answer.content.decode()


def test_a_company_is_changed_and_the_page_says_who_did(agent: Client, company: Company) -> None:
    address = url("company_edit", company.pool.public_id)
    assert 'value="Hart Supplies"' in text(agent, address)
    values = FORM | {"name": "Harts", "employees": "12", "most_at_once": ""}
    assert agent.post(address, values).status_code == 302
    shown = page(agent, company)
    assert "Buyers spend without approval." in shown
    assert "Changed a company" in shown
    assert AuditEntry.objects.filter(action="company.changed").count() == 1
    # The addresses of its pool lead here.
    pool = agent.get(url("pool_page", company.pool.public_id))
    assert pool.url == url("company_page", company.pool.public_id)
    assert agent.get(url("pool_edit", company.pool.public_id)).url == address
    assert "Harts" not in text(agent, url("pool_list"))


def test_buyers_have_the_roles_of_a_company(
    agent: Client, company: Company, bea: Membership, beans: Program
) -> None:
    place = PoolMember.objects.get(membership=bea)
    address = url("pool_member_edit", company.pool.public_id, place.pk)
    shown = text(agent, address)
    assert 'value="approver"' in shown
    assert 'value="member"' not in shown
    agent.post(address, {"role": "approver", "contributes": "on"})
    assert "Approver" in page(agent, company)
    member(beans, "c3", "Cid")
    add = url("pool_member_add", company.pool.public_id)
    assert agent.post(add, {"membership": "c3", "role": "buyer"}).status_code < 400
    assert PoolMember.objects.get(membership__customer__external_id="c3").role == "buyer"


def test_the_page_shows_what_buyers_bought_asked_and_got(
    agent: Client, company: Company, ana: Member, bea: Membership
) -> None:
    record(
        order("A1", "80", buyer=ana.customer.external_id, at=timezone.now()),
        order("A2", "30.50", buyer="c2", at=timezone.now()),
    )
    waiting = ask(company, bea, 100)
    shown = page(agent, company)
    for words in ("$110.50", "Bought this year, by buyer", "Toner", "Waits for approval"):
        assert words in shown, words
    orders = text(agent, url("company_orders", company.pool.public_id))
    assert orders.index("A2") > 0
    assert "Bea Costa" in orders
    owner = PoolMember.objects.get(membership=ana.membership)
    approve_spending(request=waiting, approver=owner, actor=SYSTEM, now=timezone.now(), note="Ok")
    shown = page(agent, company)
    assert "Decided lately" in shown
    assert "Approved" in shown


def test_the_list_is_searched_and_filtered_by_account_manager(
    agent: Client, client_of: Any, company: Company, beans: Program, mia: StaffMember
) -> None:
    create_company(
        owner=member(beans, "c3", "Cid"), terms=PoolTerms(name="Tailor", kind="company"),
        details={}, now=timezone.now(), **HOW,
    )  # fmt: skip
    address = url("company_list")
    for values, names in (
        ({}, {"Hart Supplies", "Tailor"}), ({"q": "k-1"}, {"Hart Supplies"}),
        ({"manager": mia.pk}, {"Hart Supplies"}), ({"manager": "nobody"}, {"Tailor"}),
        ({"q": "x"}, set()), ({"show": "mine"}, set()), ({"show": "closed"}, set()),
    ):  # fmt: skip
        shown = text(agent, address, values)
        assert {name for name in ("Hart Supplies", "Tailor") if f">{name}<" in shown} == names
    own = Client()
    own.force_login(mia.user, "django.contrib.auth.backends.ModelBackend")
    assert "Hart Supplies" in text(own, address, {"show": "mine"})
    assert ">Tailor<" not in text(own, address, {"show": "mine"})


def test_the_account_manager_reads_at_home_what_waits(
    agent: Client, company: Company, bea: Membership, mia: StaffMember
) -> None:
    own = Client()
    own.force_login(mia.user, "django.contrib.auth.backends.ModelBackend")
    assert "Hart Supplies" not in text(own, url("attention_panel"))
    ask(company, bea, 100)
    assert "Hart Supplies" in text(own, url("attention_panel"))
    assert "Hart Supplies" not in text(agent, url("attention_panel"))


def test_the_list_and_the_page_take_as_many_queries_for_many(
    agent: Client, company: Company, beans: Program
) -> None:
    few = queries_of(agent, url("company_list"))
    one = queries_of(agent, url("company_page", company.pool.public_id))
    for number in range(3, 7):
        someone = member(beans, f"c{number}", f"Name{number}")
        create_company(
            owner=someone, terms=PoolTerms(name=f"Company {number}", kind="company"), details={},
            now=timezone.now(), **HOW,
        )  # fmt: skip
    for number in range(7, 10):
        someone = member(beans, f"c{number}", f"Name{number}")
        add_pool_member(pool=company.pool, membership=someone, now=timezone.now(), **HOW)
    assert queries_of(agent, url("company_list")) <= few
    assert queries_of(agent, url("company_page", company.pool.public_id)) <= one


# --- from a file


def upload(client: Client, program: Program, rows: str) -> Any:
    file = SimpleUploadedFile("companies.csv", rows.encode(), "text/csv")
    return client.post(url("company_import"), {"program": program.pk, "file": file})


def imported(client: Client, program: Program, rows: str) -> Job:
    done = upload(client, program, rows)
    assert done.status_code == 302, done.content.decode()
    job = Job.objects.filter(kind="company_import").latest("pk")
    run_company_import(job.pk)
    return Job.objects.get(pk=job.pk)


ROWS = """company_id,name,vat_number,tags,manager,customer_id,email,given_name,role
K-7,Seven,DE123456789,"office;big",mia@example.com,c2,,,approver
K-7,,,,,n1,nora@example.com,Nora,owner
K-7,,,,,c2,,,approver
K-8,Eight,XX,,,c3,,,
K-9,,,,,c3,,,
K-7,,,,,,,,
,Nameless,,,,c3,,,
K-7,,,,,c4,,,boss
"""


def test_companies_come_in_from_a_file_and_wrong_rows_are_named(
    manager: Client, beans: Program, bea: Membership
) -> None:
    StaffMemberFactory(user__email="mia@example.com")
    member(beans, "c3", "Cid")
    job = imported(manager, beans, ROWS)
    company = Company.objects.get()
    roles = company.pool.members.values_list("membership__customer__external_id", "role")
    assert sorted(roles) == [("c2", "approver"), ("n1", "owner")]
    assert (company.tags, company.vat_number) == (["big", "office"], "DE123456789")
    assert company.manager == StaffMember.objects.get(user__email="mia@example.com")
    assert Customer.objects.get(external_id="n1").given_name == "Nora"
    errors = list(job.errors.order_by("row").values_list("row", "column"))
    assert errors == [
        (5, "vat_number"), (6, "name"), (7, "customer_id"), (8, "company_id"), (9, "role"),
    ]  # fmt: skip
    assert (job.state, job.result["created"], job.result["refused"]) == ("succeeded", 1, 5)
    assert "1 companies founded" in company_import_words(job)
    shown = text(manager, f"/backoffice/jobs/{job.public_id}/")
    assert "VAT numbers" not in shown or "look different" in shown


def test_a_file_may_be_imported_again_and_changes_what_it_says(
    manager: Client, beans: Program, bea: Membership
) -> None:
    first = "company_id,name,customer_id,role\nK-7,Seven,c2,owner\n"
    imported(manager, beans, first)
    again = imported(manager, beans, first.replace("Seven", "Seventh"))
    assert (again.result["changed"], again.result.get("added", 0)) == (1, 0)
    assert (Pool.objects.get().name, PoolMember.objects.count()) == ("Seventh", 1)
    # Somebody who buys for another company stays there.
    other = imported(manager, beans, "company_id,name,customer_id\nK-8,Eight,c2\n")
    assert [error.row for error in other.errors.all()] == [2]
    assert Company.objects.count() == 1


@pytest.mark.parametrize(
    "rows",
    [
        "name,customer_id\nA,c1\n",
        "company_id,name\nK,A\n",
        "company_id,customer_id,color\nK,c1,red\n",
        "company_id,customer_id,company_id\nK,c1,K\n",
        "company_id,customer_id\n",
    ],
)
def test_what_is_no_such_file_is_refused_at_once(
    manager: Client, beans: Program, rows: str
) -> None:
    assert upload(manager, beans, rows).status_code == 422
    assert not Job.objects.filter(kind="company_import").exists()


def test_the_sample_can_be_imported(manager: Client, beans: Program) -> None:
    assert "Download a sample" in text(manager, url("company_import"))
    sample = b"".join(manager.get(url("company_import_sample")).streaming_content)  # type: ignore[attr-defined]
    job = imported(manager, beans, io.BytesIO(sample).read().decode())
    assert (job.result["added"], job.errors.count()) == (3, 0)


# --- in a browser


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_staff_find_a_company_and_read_its_page(
    live_server: Any,
    sign_in: Callable[[str], Any],
    company: Company,
    ana: Member,
    assert_no_axe_violations: Callable[[Any], None],
) -> None:
    record(order("A1", "80", buyer=ana.customer.external_id, at=timezone.now()))
    page = sign_in("support_agent")
    page.goto(live_server.url + url("company_list"))
    page.get_by_role("searchbox", name="Search among companies").fill("hart")
    page.wait_for_url("**/companies/?q=hart*")
    assert_no_axe_violations(page)
    page.get_by_role("link", name="Hart Supplies").click()
    page.get_by_role("heading", name="Hart Supplies").wait_for()
    page.get_by_text("Bought this year, by buyer").first.wait_for()
    page.get_by_role("link", name="A1").wait_for()
    assert_no_axe_violations(page)
    page.get_by_role("link", name="Change").first.click()
    page.get_by_role("heading", name="Change Hart Supplies").wait_for()
    assert_no_axe_violations(page)


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_an_approver_decides_on_a_phone(
    page: Any,
    live_server: Any,
    company: Company,
    bea: Membership,
    ana: Member,
    assert_no_axe_violations: Callable[[Any], None],
) -> None:
    ask(company, bea, 100)
    user = UserFactory()
    ana.customer.user = user
    ana.customer.save(update_fields=["user"])
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    cookie = client.cookies["sessionid"]
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{live_server.url}/me/{ana.membership.public_id}/pool/")
    page.get_by_role("heading", name="Our company: Hart Supplies").wait_for()
    assert_no_axe_violations(page)
    page.get_by_role("link", name="Toner").click()
    page.get_by_role("button", name="Approve").wait_for()
    assert_no_axe_violations(page)
    page.get_by_role("button", name="Approve").click()
    page.get_by_text("Approved: 100 Beans are spent.").wait_for()
    assert SpendRequest.objects.get().state == "approved"
