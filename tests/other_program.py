"""A program full of things, for tests of what those see whose role is limited to another one.

Everything in it has a name that is a word of its own: a page on which one is to be read shows what
its reader should not know.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from campaigns.models import Campaign
from loyalty.economics import ZERO, Inputs
from loyalty.models import (
    AdjustmentRequest,
    BulkAdjustment,
    Charity,
    EarningRule,
    Goal,
    Lot,
    Membership,
    Order,
    Partner,
    Program,
    ProgramReview,
    ReviewFinding,
    RiskCase,
    Subscription,
    Transfer,
    Wallet,
)
from loyalty.services.economics import save_scenario
from loyalty.services.partner_settlements import close_month
from loyalty.services.subscriptions import subscribe
from members.services.audit import SYSTEM
from members.services.customers import add_note, update_customer
from rewards.models import FulfillmentTask
from tests.campaigns.broadcasts import make_broadcast
from tests.campaigns.campaigns import draft as draft_campaign
from tests.campaigns.campaigns import launch as launch_campaign
from tests.campaigns.challenges import draft as draft_challenge
from tests.campaigns.community import make_post, say
from tests.campaigns.factories import make_journey
from tests.campaigns.games import draft_game
from tests.campaigns.referrals import brought_friend
from tests.campaigns.surveys import make_survey, reply
from tests.factories import StaffMemberFactory
from tests.loyalty.factories import NOW, adjust, make_program, make_wallet, order, record
from tests.loyalty.planning import plan
from tests.loyalty.services.pooling import found_pool
from tests.rewards.cards import CREDIT, issue
from tests.rewards.factories import offer, take

# In every name; no address and no token can hold it.
WORD = "Quietly"
NUMBER = "quiet-1"


@dataclass(frozen=True)
class Things:
    """What there is, by the beginning of the addresses that take it."""

    program: int
    partner: int
    kwargs: dict[str, dict[str, Any]]

    def of(self, route: str) -> dict[str, Any] | None:
        """What an address takes; None where it is about nothing of a program."""
        found = [start for start in self.kwargs if route.startswith(f"backoffice/{start}")]
        return self.kwargs[max(found, key=len)] if found else None


def make_things(code: str = "quiet", number: str = NUMBER) -> Things:
    program = make_program(
        code, name=f"{WORD} rewarded", plans=[plan(name=f"{WORD} paid")],
        wallet_types=[{}, CREDIT],
        charities=[{"code": "quiet-trees", "name": f"{WORD} trees"}],
        partners=[{"code": "quiet-bread", "name": f"{WORD} bread", "since": "2024-01-01"}],
    )  # fmt: skip
    wallet = make_wallet(program, number)
    member = Membership.objects.select_related("program", "customer").get(account=wallet.account_id)
    update_customer(
        customer=member.customer, actor=SYSTEM,
        changes={"given_name": WORD, "family_name": "Person", "email": f"{number}@quiet.test"},
    )  # fmt: skip
    member.customer.refresh_from_db()
    add_note(customer=member.customer, actor=SYSTEM, text=f"{WORD} spoken.")
    moved = adjust(wallet, 5_000, key=f"things-{number}")
    record(order(f"{WORD}-{number}", "120", buyer=number))
    things = _by_program(program) | _by_member(member, wallet, moved)
    things |= _promotions(program, member) | _told(program, member) | _given(program, member)
    return Things(program.pk, Partner.objects.get(account__program=program).pk, things)


def _id(row: Any) -> dict[str, Any]:
    return {"public_id": row.public_id}


def _by_program(program: Program) -> dict[str, dict[str, Any]]:
    rule = EarningRule.objects.filter(program=program).earliest("pk")
    goal = Goal.objects.create(
        program=program, metric="members", target=Decimal(10), baseline=Decimal(0),
        note=f"{WORD} reached", starts_on=NOW.date(), created_at=NOW,
        due_on=NOW.date().replace(year=NOW.year + 50),
    )  # fmt: skip
    charity = Charity.objects.select_related("account").get(account__program=program)
    scenario = save_scenario(
        program=program, name=f"{WORD} plan", actor=SYSTEM, now=NOW,
        inputs=Inputs(members=1, spend_without=ZERO, spend_with=ZERO, margin=ZERO),
    )  # fmt: skip
    review = ProgramReview.objects.create(
        program=program, quarter=dt.date(2024, 1, 1), day=dt.date(2024, 3, 15), made_at=NOW
    )
    finding = ReviewFinding.objects.create(
        review=review, key="unused:rule:x", rule="unused", part="unused", tone="bad", position=0,
        facts={"kind": "rule", "name": f"{WORD} rule", "used": "0", "days": "40"},
    )  # fmt: skip
    partner = Partner.objects.get(account__program=program)
    settled = _id(close_month(partner=partner, actor=SYSTEM, now=NOW))
    return {
        "programs/<slug:code>/": {"code": program.code, "plan": "plus", "rule": rule.code,
                                  "charity_code": charity.account.code,
                                  "partner_code": "quiet-bread"},
        "programs/<uuid:public_id>/": _id(program),
        "partner-settlements/<uuid:public_id>/": settled,
        "own-partner/settlements/<uuid:public_id>/": settled,
        "rules/<int:pk>/": {"pk": rule.pk},
        "goals/<uuid:public_id>/": _id(goal),
        "insights/reviews/<uuid:public_id>/": _id(review),
        "insights/reviews/findings/<uuid:public_id>/": _id(finding),
        "fraud/settings/<slug:code>/": {"code": program.code},
        "insights/economics/<slug:code>/": {"code": program.code},
        "insights/economics/scenarios/<uuid:public_id>/": _id(scenario),
        "insights/journal/<slug:code>/": {"code": program.code},
    }  # fmt: skip


def _by_member(member: Membership, wallet: Wallet, moved: Transfer) -> dict[str, dict[str, Any]]:
    customer = _id(member.customer)
    agent = StaffMemberFactory(user__name="Noor Agent").user
    asked = AdjustmentRequest.objects.create(
        wallet=wallet, units=10, reason="correction", note=f"{WORD} asked.", asked_by=agent,
        key="things", asked_at=NOW, expires_at=NOW.replace(year=NOW.year + 50),
    )  # fmt: skip
    batch = BulkAdjustment.objects.create(
        kind="grant", wallet_type=wallet.wallet_type, reason="surprise", note=f"{WORD} given.",
        source="list", source_name=f"{WORD} list", source_hash="", created_by=agent, created_at=NOW,
        units_each=1,
    )  # fmt: skip
    paid = subscribe(
        membership=member, plan=member.program.plans.get(), source="backoffice", actor=SYSTEM,
        now=NOW,
    )  # fmt: skip
    assert isinstance(paid, Subscription)
    pool = found_pool(member)
    case = RiskCase.objects.create(membership=member, points=70, opened_at=NOW)
    return {
        "fraud/<uuid:public_id>/": _id(case),
        "customers/<uuid:public_id>/": customer,
        "memberships/<uuid:public_id>/": _id(member),
        "wallets/<int:pk>/": {"pk": wallet.pk},
        "movements/<int:pk>/": {"pk": moved.pk},
        "lots/<int:pk>/": {"pk": Lot.objects.filter(wallet=wallet).earliest("pk").pk},
        "orders/<int:pk>/": {"pk": Order.objects.get(external_id__startswith=WORD).pk},
        "approvals/<uuid:public_id>/": _id(asked),
        "bulk/<uuid:public_id>/": _id(batch),
        "subscriptions/<uuid:public_id>/": _id(paid),
        "invoices/<uuid:public_id>/": _id(paid.charges.earliest("pk")),
        "pools/<uuid:public_id>/": _id(pool) | {"pk": pool.members.earliest("pk").pk},
    }


def _promotions(program: Program, member: Membership) -> dict[str, dict[str, Any]]:
    campaign = draft_campaign(program, name=f"{WORD} doubled")
    challenge = draft_challenge(program, name=f"{WORD} dared")
    launch_campaign(program, name=f"{WORD} launched")
    rule = EarningRule.objects.get(program=program, source__startswith="campaign:")
    referral, affiliate = brought_friend(program)
    return {
        "campaigns/<uuid:public_id>/": _id(campaign),
        "campaigns/rules/<int:pk>/": {"pk": rule.pk},
        "challenges/<uuid:public_id>/": _id(Campaign.objects.get(pk=challenge.campaign_id)),
        "games/<uuid:public_id>/": _id(draft_game(program, name=f"{WORD} spun")),
        "referrals/<uuid:public_id>/": _id(referral),
        "affiliates/<uuid:public_id>/": _id(affiliate),
    }


def _told(program: Program, member: Membership) -> dict[str, dict[str, Any]]:
    survey = make_survey(program, title=f"{WORD} asked")
    reply(survey, member)
    post = make_post(program, title=f"{WORD} posted")
    comment = say(post, member, f"{WORD} answered.", name=f"{WORD}Name")
    # Its members may be of any program, so whoever is limited to some does not know of it.
    make_broadcast(None, name=f"{WORD} to everybody")
    return {
        "surveys/<uuid:public_id>/": _id(survey) | {"code": "recommend", "pk": 1},
        "community/posts/<uuid:public_id>/": _id(post),
        "community/comments/<uuid:public_id>/": _id(comment),
        "messages/broadcasts/<uuid:public_id>/": _id(
            make_broadcast(program, name=f"{WORD} broadcast")
        )
        | {"channel": "inbox", "locale": "en"},
        "messages/journeys/<uuid:public_id>/": _id(make_journey(program)) | {"key": "s1"},
    }


def _given(program: Program, member: Membership) -> dict[str, dict[str, Any]]:
    reward = offer(program, "quiet-off", name=f"{WORD} off")
    taken = take(member, reward, at=NOW)
    task = FulfillmentTask.objects.filter(program=program).first()
    found = {
        "rewards/<uuid:public_id>/": _id(reward),
        "redemptions/<uuid:public_id>/": _id(taken),
        "gift-cards/<uuid:public_id>/": _id(issue(program)),
        "programs/<slug:code>/rewards/<slug:reward_code>/": {
            "code": program.code, "reward_code": reward.code,
        },
    }  # fmt: skip
    return found if task is None else found | {"fulfillment/<uuid:public_id>/": _id(task)}
