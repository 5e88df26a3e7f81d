"""Every address of the back-office, against everybody who might ask for it.

The tables (`tests/staff_addresses/`) are written by hand: they say who should get in, not what the
code does. A new address fails the first test until it has a line there.

Who gets in has the page by a request. Whoever does not is refused by the view that the address
leads to, before it looks anything up: that view is called as it is, and what becomes of its refusal
is the same for all of them.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseBase
from django.test import Client, RequestFactory
from django.test.client import ClientHandler
from django.urls import resolve, reverse

from loyalty.models import EarningRule, Program
from members.models import Customer, StaffMember, User
from members.policy import ALLOWED
from tests.addresses import addresses_below
from tests.campaigns.campaigns import draft as draft_campaign
from tests.campaigns.campaigns import launch as launch_campaign
from tests.campaigns.challenges import draft as draft_challenge
from tests.campaigns.experiments import write as write_experiment
from tests.campaigns.experiments import write_on_message
from tests.campaigns.factories import make_journey
from tests.campaigns.referrals import brought_friend
from tests.campaigns.shops import connect
from tests.campaigns.webhooks import make_endpoint
from tests.factories import (
    ApiKeyFactory,
    CustomerFactory,
    JobFactory,
    StaffMemberFactory,
    UserFactory,
)
from tests.loyalty.factories import make_program
from tests.other_program import Things, make_things
from tests.sharing import rolled_back, shared
from tests.staff_addresses import TABLE
from tests.staff_addresses.who import ADMINISTRATOR, AUDITOR, EVERYBODY, PARTNER, ROLES
from tests.staff_pages import assert_is_a_page

Objects = dict[str, dict[str, Any]]
PREFIX = "backoffice/"
METHODS = {"GET", "POST"}
# The repair pages are Django's own and have a test of their own below.
ELSEWHERE = ("backoffice/repair/",)


ADDRESSES = [found for found in addresses_below(PREFIX) if not found[2].startswith(ELSEWHERE)]
PATTERNS = {name: pattern for name, pattern, _route in ADDRESSES}
ROUTES = {name: route for name, _pattern, route in ADDRESSES}


def test_the_table_names_every_address_of_the_back_office() -> None:
    assert sorted(set(PATTERNS) - set(TABLE)) == [], "without a line in the table"
    assert sorted(set(TABLE) - set(PATTERNS)) == [], "in the table only"


@dataclass(frozen=True)
class World:
    """Everybody who may ask, and something for each address to be about."""

    sessions: dict[str, str]
    objects: Objects
    # Who they are to a view.
    people: dict[str, User | AnonymousUser]
    clients: dict[str, Client] = field(default_factory=dict)
    # What was found above the pages that each has looked at.
    above: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))

    def opened(self) -> World:
        """The same, with browsers nobody has used yet."""
        return replace(self, clients={who: browser(key) for who, key in self.sessions.items()})

    def url(self, name: str) -> str:
        converters = PATTERNS[name].pattern.converters
        known = self.objects.get(name, {})
        invented = {"UUIDConverter": uuid.uuid4(), "IntConverter": 0, "SlugConverter": "x"}
        kwargs = {
            argument: known.get(argument, invented.get(type(converter).__name__, "x"))
            for argument, converter in converters.items()
        }
        return reverse(name, kwargs=kwargs)


def session_of(user: User) -> str:
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client.cookies[settings.SESSION_COOKIE_NAME].value


# One for all browsers: the middleware is put together once.
HANDLER = ClientHandler(enforce_csrf_checks=False)
FACTORY = RequestFactory()


def browser(session: str) -> Client:
    client = Client(raise_request_exception=True)
    client.handler = HANDLER
    if session:
        client.cookies[settings.SESSION_COOKIE_NAME] = session
    return client


def make_world() -> World:
    things = make_things()
    customer = CustomerFactory(with_user=True)
    brand = {"partner": things.partner, "programs": [things.program]}
    people: dict[str, User | AnonymousUser] = {
        "anonymous": AnonymousUser(),
        "customer": customer.user,
        "former colleague": UserFactory(),
        **{role: StaffMemberFactory(role=role).user for role in EVERYBODY},
        PARTNER: StaffMemberFactory(role=PARTNER, **brand).user,
    }
    sessions = {
        who: session_of(user) if isinstance(user, User) else "" for who, user in people.items()
    }
    promoted = make_program("promoted")
    objects: Objects = {
        **of_a_program(things),
        **of_the_merchant(),
        # Nobody has joined it, so that no month but this one is measured.
        "loyalty_backoffice:overview_measure": {"code": make_program("unmeasured").code},
        **of_customer(customer),
        **of_messages(),
        **of_connections(),
        **of_campaigns(promoted),
        **of_referrals(promoted),
        **each({"public_id": make_journey().public_id, "key": "s1"}, containing=":journey"),
    }
    return World(sessions, objects, people)


def each(said: dict[str, Any], *, containing: str) -> Objects:
    """The same for every address with this in its name."""
    return {name: said for name in TABLE if containing in name}


def of_a_program(things: Things) -> Objects:
    """Something of a program for every address that takes such a thing."""
    found = {name: things.of(ROUTES[name]) for name in TABLE}
    return {name: kwargs for name, kwargs in found.items() if kwargs is not None}


def of_the_merchant() -> Objects:
    person, key, job = StaffMemberFactory(), ApiKeyFactory(), JobFactory()
    return {
        **each({"pk": person.pk}, containing="backoffice:team_"),
        **each({"public_id": job.public_id}, containing="backoffice:job"),
        "backoffice:job_start": {"key": "daily_totals"},
        "backoffice:api_key_revoke": {"pk": key.pk},
        "backoffice:api_key_rotate": {"pk": key.pk},
        "backoffice:audit_export": {"kind": "csv"},
        "backoffice:styleguide_panel": {"state": "fine"},
    }


# Addresses that are about a customer, beside those that say so by their name.
ABOUT_CUSTOMERS = (
    *(f"loyalty_backoffice:{name}" for name in (
        "wallet_panel", "movement_panel", "lot_panel", "order_panel", "customer_past", "enroll",
        "customer_statement", "customer_adjust", "customer_give", "pool_panel",
    )),
    *(f"rewards_backoffice:{name}_panel" for name in (
        "redemption", "checkout", "gift_card", "task",
    )),
    "messages_backoffice:message_panel",
    "messages_backoffice:consents",
    "challenges_backoffice:customer_challenges",
    "games_backoffice:customer_games",
    "surveys_backoffice:customer_surveys",
    "referrals_backoffice:referral_panel",
    "referrals_backoffice:referral_code",
)  # fmt: skip


def of_customer(customer: Customer) -> Objects:
    named = (name for name in TABLE if name.startswith("backoffice:customer"))
    return {name: {"public_id": customer.public_id} for name in (*named, *ABOUT_CUSTOMERS)}


def of_messages() -> Objects:
    words = {"code": "gift", "channel": "email", "locale": "en"}
    found: Objects = {
        f"messages_backoffice:{name}": words
        for name in ("occasion", "language", "words", "preview", "test", "archive")
    }
    for name in ("way", "way_test", "way_forget", "way_secret"):
        found[f"messages_backoffice:{name}"] = {"channel": "sms"}
    return found


def of_connections() -> Objects:
    tool = {"public_id": connect("mapped").public_id}
    endpoint = {"public_id": make_endpoint("https://listener.example/hooks").public_id}
    return {
        **each(tool, containing="connections:connection_"),
        "connections:connection": tool,
        **each(endpoint, containing="webhooks:endpoint_"),
        "webhooks:endpoint": endpoint,
    }


def of_campaigns(promoted: Program) -> Objects:
    """One draft for those that look at it, and one of its own for each other address: some do away
    with it."""
    found: Objects = {}
    campaign = {"public_id": draft_campaign(promoted).public_id}
    challenge = {"public_id": draft_challenge(promoted).campaign.public_id}
    for name, who in TABLE.items():
        looks = who.keys() == {"GET"}
        if name.startswith("campaigns_backoffice:"):
            found[name] = campaign if looks else {"public_id": draft_campaign(promoted).public_id}
        elif name.startswith("challenges_backoffice:") and name not in ABOUT_CUSTOMERS:
            found[name] = (
                challenge if looks else {"public_id": draft_challenge(promoted).campaign.public_id}
            )
        elif name.startswith("experiments_backoffice:arm_"):
            compared = write_on_message(promoted, name=name[-9:])
            found[name] = {"public_id": compared.public_id, "place": 1, "channel": "inbox",
                           "locale": "en"}  # fmt: skip
        elif name.startswith("experiments_backoffice:"):
            found[name] = {"public_id": write_experiment(promoted, name=name[-9:]).public_id}
    launch_campaign(promoted)
    rule = EarningRule.objects.get(program=promoted, source__startswith="campaign:")
    found["campaigns_backoffice:campaign_of_rule"] = {"pk": rule.pk}
    return found


def of_referrals(promoted: Program) -> Objects:
    referral, affiliate = brought_friend(promoted)
    said = {
        ("referral", "referral_decide"): {"public_id": referral.public_id},
        ("affiliate", "affiliate_act", "affiliate_report"): {"public_id": affiliate.public_id},
        ("referral_program", "referral_edit", "referral_texts", "referral_state",
         "affiliate_list"): {"code": promoted.code},
    }  # fmt: skip
    return {
        f"referrals_backoffice:{name}": about for names, about in said.items() for name in names
    }


made_once = shared(make_world)


@pytest.fixture
def world(made_once: World, db: None) -> World:
    return made_once.opened()


def answer(client: Client, method: str, url: str) -> HttpResponseBase:
    return client.get(url) if method == "GET" else client.post(url, {})


def let_in(response: HttpResponseBase) -> bool:
    assert response.status_code < 500, response.status_code
    if response.status_code == 302:
        return not response["Location"].startswith(reverse("account_login"))
    return response.status_code not in (401, 403)


def answer_of_view(user: User | AnonymousUser, method: str, url: str) -> HttpResponseBase:
    """What the view that an address leads to says to somebody who has come that far. Raises what it
    raises."""
    found = resolve(url)
    request = FACTORY.generic(method, url)
    request.user, request.resolver_match = user, found
    response: HttpResponseBase = found.func(request, *found.args, **found.kwargs)
    return response


def is_refused(user: User | AnonymousUser, method: str, url: str) -> bool:
    """Whether the view that an address leads to turns somebody away."""
    try:
        return not let_in(answer_of_view(user, method, url))
    except PermissionDenied:
        return True
    except Http404:
        return False


# An address and a method of it.
Case = tuple[str, str]
CASES: list[Case] = [(name, method) for name, who in TABLE.items() for method in who]
# What a test costs by itself is as much as a request and a half.
AT_ONCE = 20


@pytest.mark.parametrize(
    "cases",
    [CASES[first : first + AT_ONCE] for first in range(0, len(CASES), AT_ONCE)],
    ids=lambda cases: "{}-{}".format(*cases[0]),
)
def test_addresses_open_to_those_they_should_and_to_nobody_else(
    made_once: World, db: None, cases: list[Case]
) -> None:
    wrong = []
    for name, method in cases:
        try:
            # As if each had a test of its own: none finds what another did.
            with rolled_back():
                assert_opens_as_the_table_says(made_once.opened(), name, method)
        except AssertionError as error:
            wrong.append(f"{method} {name}: {error}")
        except Exception as error:
            error.add_note(f"{method} {name}")
            raise
        cache.clear()
    assert wrong == []


def assert_opens_as_the_table_says(world: World, name: str, method: str) -> None:
    url, wanted = world.url(name), TABLE[name][method]
    # Strangers first: what a role may do could change what there is to see.
    others = [who for who in world.people if who not in wanted]
    assert [who for who in others if not is_refused(world.people[who], method, url)] == []
    answers = {who: answer(world.clients[who], method, url) for who in sorted(wanted)}
    assert [who for who in answers if not let_in(answers[who])] == []
    if method == "GET":
        for who, response in answers.items():
            world.above[who].setdefault(url, response.status_code)
            assert_is_a_page(world.clients[who], response, world.above[who])


@pytest.mark.parametrize("part", sorted({name.partition(":")[0] for name in TABLE}))
def test_an_address_knows_no_other_method(world: World, part: str) -> None:
    somebody, known = world.people[ADMINISTRATOR], []
    for name in TABLE:
        if name.startswith(f"{part}:"):
            for method in {*METHODS, "DELETE"} - set(TABLE[name]):
                found = answer_of_view(somebody, method, world.url(name))
                known += [(name, method)] * (found.status_code != 405)
    assert known == []


def test_whoever_a_view_refuses_reads_that_the_page_is_not_open_to_them(world: World) -> None:
    url = world.url("backoffice:team_invite")
    for who in world.people.keys() - {ADMINISTRATOR, "anonymous"}:
        for method in METHODS:
            response = answer(world.clients[who], method, url)
            assert response.status_code == 403, (who, method)
            assert "This page is not open to you" in response.content.decode()
    assert world.clients["customer"].get(url, headers={"HX-Request": "true"}).status_code == 403
    assert answer(world.clients["anonymous"], "POST", url).status_code == 302


def test_strangers_are_sent_to_sign_in_and_come_back(world: World) -> None:
    url = world.url("backoffice:customer_list")
    response = world.clients["anonymous"].get(f"{url}?q=anna")
    assert response["Location"] == f"{reverse('account_login')}?next={url}%3Fq%3Danna"


def test_a_form_from_another_site_changes_nothing(world: World) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = world.clients[ADMINISTRATOR].cookies
    for name, who in TABLE.items():
        if "POST" in who:
            assert strict.post(world.url(name), {}).status_code == 403, name


def test_the_repair_pages_open_to_superusers_only(world: World) -> None:
    url = reverse("admin:index")
    for client in world.clients.values():
        assert client.get(url).status_code == 302
    superuser = UserFactory()
    User.objects.filter(pk=superuser.pk).update(is_superuser=True)
    assert browser(session_of(superuser)).get(url).status_code == 200


def test_an_auditor_posts_only_what_is_a_question() -> None:
    """Forms whose answer depends on what is filled in, and that change nothing; and the end of
    their own sign-ins, which is about nobody else."""
    posts = {name for name, who in TABLE.items() if AUDITOR in who.get("POST", ())}
    assert posts == {
        "backoffice:condition_builder",
        "backoffice:styleguide_dialog",
        "loyalty_backoffice:knowledge",
        "experiments_backoffice:arm_preview",
        "messages_backoffice:broadcast_preview",
        "messages_backoffice:preview",
        "backoffice:own_sign_in_end",
        "backoffice:own_sign_ins_end",
    }


def test_an_auditor_may_do_nothing_but_look() -> None:
    assert {action.partition(".")[2] for action in ALLOWED[AUDITOR]} == {"view"}


def test_every_role_is_in_the_table() -> None:
    assert set(StaffMember.Role.values) == ROLES
