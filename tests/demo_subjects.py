"""What of the demonstration pictures show: by name, as addresses take it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

Subjects = dict[str, Callable[[], Any]]

WIZARD_STEPS = (
    "situation", "kind", "earning", "tiers", "terms", "cost", "launch", "review",
)  # fmt: skip
# What addresses call by a name that nobody has to look up.
FIXED = {
    **{step: step for step in WIZARD_STEPS},
    "way": "sms",
    "told": "welcome",
    "plan": "plus",
    "other_plan": "table",
    "rule": "base",
    "progressive_card": "progressive-card",
    "discount": "fresh-wednesday",
    "rule_template": "birthday-month",
    "program_kind": "tiered-points",
    "cashback": "cashback-by-category",
    "review_bonus": "review-bonus",
    "birthday_gift": "birthday-gift",
    "segment": "best-customers",
    "guests": "tasting-evening",
    "charity": "trees",
    "reward_code": "coffee",
    "adjustment": "adjustment",
    "grant": "grant",
    "quick_step": "reward",
    "occasion": "welcome",
    "channel": "email",
    "locale": "en",
    "survey_question": "words",
}


@dataclass
class Demo:
    """What of the demonstration the pages show: the guide and what belongs to her."""

    sessions: list[Any] = field(default_factory=list)

    @cached_property
    def guide(self) -> Any:
        from django.conf import settings

        from members.models import Customer

        return Customer.objects.get(email=settings.SETIA_DEMO_CUSTOMER)

    def argument(self, name: str) -> Any:
        """What an address of a picture takes."""
        return self.subjects()[name]()

    def subjects(self) -> Subjects:
        """By the name that pictures know it by; asked for only when one is taken."""
        fixed: Subjects = {name: lambda found=found: found for name, found in FIXED.items()}
        return {
            **fixed, **self._of_members(), **self._of_orders(), **self._of_loyalty(),
            **self._of_rewards(), **self._of_campaigns(),
        }  # fmt: skip

    def _of_members(self) -> Subjects:
        """People, and the jobs about them."""
        from members.models import Job

        return {
            "customer": lambda: self.guide.public_id,
            "membership": lambda: self.guide.memberships.get().public_id,
            "job": lambda: Job.objects.filter(kind="order_import").latest("pk").public_id,
        }

    def _of_orders(self) -> Subjects:
        """Orders, and of whom they are."""
        from loyalty.demo.duplicates import NUMBER, guest_order
        from loyalty.models import Order
        from members.models import Customer

        return {
            "duplicate": lambda: Customer.objects.get(external_id=NUMBER).public_id,
            "guest_order": lambda: guest_order().pk,
            "order_paid_with_units": lambda: (
                Order.objects.filter(
                    external_id=self._cart("committed").order_external_id, source="web"
                )
                .get()
                .pk
            ),
            "order": lambda: Order.objects.filter(customer=self.guide).latest("placed_at").pk,
        }

    def _of_loyalty(self) -> Subjects:
        """Programs, units, and what is done with them."""
        from loyalty.demo.load import PROGRAM
        from loyalty.models import (
            Activity,
            AdjustmentRequest,
            Backtest,
            BulkAdjustment,
            CharityPayout,
            Pool,
            ProgramReview,
            RiskCase,
            SelfCheck,
            SpendRequest,
            Subscription,
            Wallet,
            WalletType,
        )

        return {
            "wallet": lambda: (
                Wallet.objects.filter(account__membership__customer=self.guide).earliest("pk").pk
            ),
            "lot": lambda: self._lot().pk,
            "program": lambda: PROGRAM,
            "subscription": lambda: (
                Subscription.objects.get(membership__customer=self.guide).public_id
            ),
            "pool": lambda: Pool.objects.filter(kind="household").earliest("pk").public_id,
            "company": lambda: Pool.objects.filter(kind="company").earliest("pk").public_id,
            "buyer": lambda: self._place("buyer").membership.public_id,
            "approver": lambda: self._place("approver").membership.public_id,
            "spending": lambda: SpendRequest.objects.get(state="waiting").public_id,
            "payout": lambda: CharityPayout.objects.earliest("pk").public_id,
            "unit": lambda: WalletType.objects.filter(program__code=PROGRAM).earliest("pk").code,
            "self_check": lambda: SelfCheck.objects.earliest("pk").pk,
            "program_review": lambda: ProgramReview.objects.earliest("quarter").public_id,
            "backtest": lambda: Backtest.objects.earliest("pk").public_id,
            "backtest_of_tiers": lambda: Backtest.objects.get(name="A higher oak").public_id,
            "two_backtests": lambda: "&with=".join(
                str(found.public_id) for found in Backtest.objects.order_by("pk")[:2]
            ),
            "request": lambda: AdjustmentRequest.objects.earliest("pk").public_id,
            "activity": lambda: Activity.objects.filter(state="pending").earliest("pk").public_id,
            "risk_case": lambda: RiskCase.objects.filter(state="open").earliest("pk").public_id,
            "bulk": lambda: BulkAdjustment.objects.earliest("pk").public_id,
            "draft": lambda: self._draft("full").public_id,
            "quick_draft": lambda: self._draft("starter").public_id,
        }

    def _of_rewards(self) -> Subjects:
        """What is taken, sent and visited."""
        from rewards.models import Event, FulfillmentTask, GiftCard, Reward

        return {
            "shopper": lambda: self._cart("reserved").membership.customer.public_id,
            "checkout": lambda: self._cart("reserved").public_id,
            "gift_card": lambda: GiftCard.objects.earliest("pk").public_id,
            "reward": lambda: Reward.objects.get(code="surprise").public_id,
            "parcel": lambda: (
                FulfillmentTask.objects.filter(status="to_do").earliest("pk").public_id
            ),
            "own_parcel": lambda: (
                FulfillmentTask.objects.filter(membership__customer=self.guide, kind="reward")
                .earliest("pk")
                .public_id
            ),
            "event": lambda: Event.objects.earliest("starts_at").public_id,
            "event_code": lambda: Event.objects.earliest("starts_at").reward.code,
        }

    def _of_campaigns(self) -> Subjects:
        """What is on, told, played and shared."""
        from campaigns.links import StopLink, stop_token
        from campaigns.models import (
            Broadcast,
            Campaign,
            Connection,
            Experiment,
            Game,
            GameDraw,
            InboundMessage,
            Journey,
            Post,
            Referral,
            Survey,
            WebhookEndpoint,
        )
        from campaigns.selectors.inbox import inbox_of
        from campaigns.survey_links import survey_path

        return {
            "game": lambda: Game.objects.get(code="daily-wheel").public_id,
            "draft_game": lambda: Game.objects.get(status="draft").public_id,
            "game_draw": lambda: (
                GameDraw.objects.filter(game__code="daily-wheel").earliest("pk").public_id
            ),
            "offers_campaign": lambda: Campaign.objects.get(template="personal-next").public_id,
            "surprise_campaign": lambda: Campaign.objects.get(template="surprise").public_id,
            "running_experiment": lambda: (
                Experiment.objects.get(status="running", compares="promotions").public_id
            ),
            "words_experiment": lambda: Experiment.objects.get(compares="messages").public_id,
            "arm": lambda: 1,
            "arm_way": lambda: "inbox",
            "ended_experiment": lambda: Experiment.objects.get(status="ended").public_id,
            "draft_experiment": lambda: Experiment.objects.get(status="draft").public_id,
            "draft_campaign": lambda: Campaign.objects.get(code="early-access").public_id,
            "challenge": lambda: Campaign.objects.get(code="pantry-explorer").public_id,
            "draft_challenge": lambda: Campaign.objects.get(code="the-spring-quest").public_id,
            "referral": lambda: Referral.objects.filter(status="in_review").latest("pk").public_id,
            "campaign": lambda: Campaign.objects.get(code="bigger-baskets").public_id,
            "connection": lambda: Connection.objects.get(kind="shopify").public_id,
            "mapped_connection": lambda: Connection.objects.get(kind="mapped").public_id,
            "message_in": lambda: (
                InboundMessage.objects.filter(state="failed").earliest("pk").public_id
            ),
            "webhook": lambda: WebhookEndpoint.objects.earliest("pk").public_id,
            "broadcast": lambda: Broadcast.objects.get(name="Harvest week").public_id,
            "scheduled_broadcast": lambda: Broadcast.objects.get(name="Tasting evening").public_id,
            "draft_broadcast": lambda: Broadcast.objects.get(status="draft").public_id,
            "journey": lambda: Journey.objects.filter(trigger="joined").get().public_id,
            "own_message": lambda: inbox_of(self.guide)[0].public_id,
            "stop_token": lambda: stop_token(
                StopLink(self.guide.public_id, self.guide.public_id, "email", "points")
            ),
            "community_post": lambda: Post.objects.get(pinned=True).public_id,
            "survey": lambda: Survey.objects.get(state="live").public_id,
            "draft_survey": lambda: Survey.objects.get(state="draft").public_id,
            "survey_token": lambda: survey_path(Survey.objects.get(state="live")).split("/")[-2],
        }

    def _cart(self, status: str) -> Any:
        """One of the demonstration's carts; one that was paid is the oldest."""
        from rewards.models import Checkout

        return Checkout.objects.filter(status=status).earliest("created_at")

    def _draft(self, mode: str) -> Any:
        """What the administrator has in the wizard."""
        from loyalty.models import ProgramDraft

        own = ProgramDraft.objects.filter(owner=self._staff_user(), mode=mode, program=None)
        return own.latest("updated_at")

    def _lot(self) -> Any:
        """One of her lots that would expire."""
        from loyalty.models import Lot

        hers = Lot.objects.filter(wallet__account__membership__customer=self.guide)
        return hers.filter(remaining__gt=0, expires_at__isnull=False).latest("expires_at")

    def session_key(self, who: str) -> str:
        """A session as signing in would have made it."""
        from django.conf import settings
        from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
        from django.contrib.sessions.backends.db import SessionStore

        user = self._staff_user() if who == "staff" else self._customer_user(who)
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.create()
        self.sessions.append(session)
        return str(session.session_key)

    def close(self) -> None:
        for session in self.sessions:
            session.delete()

    def _staff_user(self) -> Any:
        from django.conf import settings

        from members.models import User

        return User.objects.get(email=settings.SETIA_DEMO_LOGINS[0][1])

    def _place(self, role: str) -> Any:
        """Whoever joined last of those with this role in the company."""
        from loyalty.models import PoolMember

        return PoolMember.objects.filter(pool__kind="company", role=role).latest("pk")

    def _customer_user(self, who: str) -> Any:
        """The guide's user, or that of somebody in the company, as entering the code for the first
        time makes it."""
        from allauth.account.models import EmailAddress

        from members.services.sign_in import link_customer, provide_user

        person = self.guide if who == "customer" else self._place(who).membership.customer
        user = provide_user(person.email)
        EmailAddress.objects.filter(user=user).update(verified=True)
        assert user is not None
        link_customer(user)
        return user
