"""What customers ask when they call: what to read out, from the program as it is, and where it is
looked up and settled on the customer's page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from loyalty.models import Program
from loyalty.selectors.program_terms import ProgramTermsPage
from loyalty.services.redemptions import OFFLINE
from members.choices import language_name
from members.formatting import format_number
from members.languages import offered_languages


@dataclass(frozen=True, slots=True)
class CallAnswer:
    """`sentences`: to read out; `where`: what the agent does, empty where there is nothing to."""

    question: str
    sentences: Sequence[str]
    where: str


def call_answers(program: Program, terms: ProgramTermsPage) -> list[CallAnswer]:
    """Those that this program gives reason to ask."""
    return [
        *_about_units(terms),
        *_about_sharing(program),
        *_about_vouchers(),
        *_about_plans(terms),
        *_about_people(),
    ]


def _about_units(terms: ProgramTermsPage) -> Iterator[CallAnswer]:
    yield CallAnswer(
        _("Where are the points of my last order?"),
        [_("Each order is judged rule by rule, as the rules were when it was placed."),
         _("What was bought before joining does not count.")],
        _("Orders: open the order. It says what each rule gave, or why it gave nothing, and when "
          "pending points can be spent. A receipt without a card: search its number, then Assign "
          "to a customer."),
    )  # fmt: skip
    yield CallAnswer(
        _("I gave something back, and too much was taken."),
        terms.general[1:],
        _("Movements: Why? beside what was taken back says what the rest of the order earns."),
    )
    yield CallAnswer(
        _("My points have expired, although I bought."),
        [_("How long each lasts is said above. What is bought later lasts by itself.")],
        _("Movements: show Expired, then Bring back. What is still there: Lots, Give more time."),
    )
    if terms.tiers:
        yield CallAnswer(
            _("Why am I not in a higher tier, and how do I get there?"),
            terms.tiers_in_words,
            _("Tier: what is missing and by when; History says when it changed, and why."),
        )


def _about_sharing(program: Program) -> Iterator[CallAnswer]:
    yield CallAnswer(
        _("Can I share with my family, or give some away?"),
        [_("A household saves in one pool; each keeps their own membership and tier.")],
        _("Pool: New pool. One gift: Give."),
    )
    if any(unit.gifts_to_members for unit in program.wallet_types.all()):
        yield CallAnswer(
            _("I gave points to the wrong person."),
            [_("What they have not spent can come back.")],
            _("Movements: Undo beside the gift shows what comes back before it is done."),
        )


def _about_vouchers() -> Iterator[CallAnswer]:
    yield CallAnswer(
        _("My voucher does not work, or the reward did not come."),
        [_("A code is used once, until its last day, and as its reward says.")],
        _("Rewards: the code, what became of it, and Replace or Cancel in its menu. Parcels and "
          "notes: how far a parcel is."),
    )  # fmt: skip
    yield CallAnswer(
        _("Why can I not take this reward?"),
        [],
        _("Rewards: Take a reward says beside each what is in the way."),
    )
    hours = format_number(int(OFFLINE.total_seconds() // 3600))
    yield CallAnswer(
        _("The till was offline."),
        [_("The purchase counts from when it was made, whenever the till tells it."),
         _("What was spent there is honored if the till tells it within %s hours.") % hours],
        _("Search the number on the receipt. If it is not there yet, write a task to look again."),
    )  # fmt: skip


def _about_plans(terms: ProgramTermsPage) -> Iterator[CallAnswer]:
    if terms.plans:
        yield CallAnswer(
            _("I was charged twice, or want no plan any more."),
            [_("A plan is paid for one period at a time, and what is paid for lasts.")],
            _("Paid plan: each invoice with its period. Give back returns one, End stops it."),
        )


def _about_people() -> Iterator[CallAnswer]:
    languages = ", ".join(language_name(code) for code in offered_languages().codes)
    yield CallAnswer(
        _("I have two accounts."),
        [_("They become one; what is on both is added together.")],
        _("Merge: it finds likely duplicates, shows what there will be, and can be undone."),
    )
    yield CallAnswer(
        _("I have lost my card, or somebody else uses it."),
        [_("With a new number the old card opens nothing any more.")],
        _("Wallets: the menu of the membership, Replace a lost card. Movements: what was spent, "
          "where and when."),
    )  # fmt: skip
    yield CallAnswer(
        _("My number, my address or my language is another."),
        [_("They are written to in one of these languages: %s.") % languages],
        _("Details: Change."),
    )
    yield CallAnswer(
        _("I get no mails, or too many."),
        [_("They are told only what they want, by the ways that they want.")],
        _("Messages: what was sent and what became of it; What they want changes it."),
    )
    yield CallAnswer(
        _("What happens to my points when I leave?"),
        [_("Who leaves earns and takes nothing any more. What they hold stays until it expires, "
           "and is theirs again if they come back."),
         _("Who is erased loses it: nobody can spend it any more.")],
        _("They leave on their own page, under Me. Data: what is kept about them, a file of it, "
          "and Erase."),
    )  # fmt: skip
