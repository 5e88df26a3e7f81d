"""How the answers of a template are asked for: label, help, kind of field, and what is right, in
words. A form or a wizard is rendered from here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from loyalty.unit_definitions import UNIT_ICONS
from loyalty.unit_names import ICON_NAMES, PLURAL_LANGUAGES

# What kind of field asks: `units` and `money` are amounts with decimals; `brackets`,
# `bulk_brackets` (by pieces), `categories`, `tiers`, `actions`, `prizes` and `partners` are rows of
# several fields (`BracketAnswer` and so on); `names` is a list of texts.
QuestionType = Literal[
    "text", "code", "currency", "time_zone", "units", "money", "percent", "factor", "whole_number",
    "choice", "icon", "brackets", "bulk_brackets", "categories", "tiers", "actions", "names",
    "prizes", "partners", "date", "link",
]  # fmt: skip
Group = Literal[
    "program", "units", "earning", "discount", "plan", "companies", "spending", "expiry", "tiers",
    "pledge", "game", "friends", "partners", "experiences",
]  # fmt: skip
Mode = Literal["starter", "full"]


@dataclass(frozen=True, slots=True)
class Question:
    """One answer that is asked for. `name` is the field of `Answers`; `rule` says what is right."""

    name: str
    label: Promise
    help: Promise
    type: QuestionType
    rule: Promise
    group: Group
    choices: tuple[tuple[str, Promise], ...] = ()


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question as one template asks it: in its words, with its default, and whether a short
    version asks it too (`starter`) or the complete one only (`full`)."""

    question: Question
    label: Promise
    help: Promise
    default: Any
    mode: Mode

    @property
    def name(self) -> str:
        return self.question.name


GROUPS: Mapping[Group, Promise] = {
    "program": _("The program"),
    "units": _("What members collect"),
    "earning": _("How they earn it"),
    "discount": _("What they pay less"),
    "plan": _("The paid plan"),
    "companies": _("Companies"),
    "spending": _("What they get for it"),
    "expiry": _("How long it lasts"),
    "tiers": _("Tiers"),
    "pledge": _("What you give for it"),
    "game": _("The game"),
    "friends": _("Friends who are brought"),
    "partners": _("Partners"),
    "experiences": _("Experiences"),
}

ABOVE_ZERO = _("A number above zero, with four decimals at most.")
ZERO_OR_MORE = _("Zero or more, with four decimals at most.")
PERCENT = _("More than 0, at most 100.")

_PLAN = (
    Question("plan_name", _("What is the plan called?"), _("Members read it: Plus, Prime, Pro."),
             "text", _("At most 60 characters."), "plan"),
    Question("plan_price", _("What does it cost?"), _("For each period."), "money", ABOVE_ZERO,
             "plan"),
    Question("plan_period", _("How long does one payment last?"),
             _("It renews by itself until the member cancels."), "choice", _("One of these."),
             "plan", (("month", _("A month")), ("quarter", _("A quarter")), ("year", _("A year")))),
    Question("plan_trial_days", _("How many days are free to try it?"),
             _("Once for a member. 0: paid from the first day."), "whole_number",
             _("A whole number, 0 to 365."), "plan"),
    Question("plan_credits", _("What comes with it every month?"),
             _("Once it is paid for, not on trial. 0: none."), "units", ZERO_OR_MORE, "plan"),
    Question("plan_factor", _("How many times as much do its members earn?"),
             _("2: twice as much on what they buy. 1: the same as everybody."), "factor",
             _("From 1 on."), "plan"),
    Question("plan_shipping", _("Do its members pay for shipping?"),
             _("Your shop reads it with the member’s benefits."), "choice", _("One of these."),
             "plan", (("none", _("As everybody does")),
                      ("from", _("Free for larger orders")), ("always", _("Always free")))),
    Question("plan_shipping_from", _("Free shipping for orders from how much?"),
             _("Counts where larger orders are free."), "money", ABOVE_ZERO, "plan"),
    Question("plan_early_hours", _("How many hours before others may they buy what is new?"),
             _("0: at the same time."), "whole_number", _("A whole number, 0 to 8,760."), "plan"),
    Question("plan_perks", _("What else do they have?"),
             _("One on each line, such as free repairs."), "names",
             _("At most 10, of 60 characters."), "plan"),
)  # fmt: skip
_COMPANIES = (
    Question("bulk_brackets", _("Which percentage off above how many pieces?"),
             _("Of an order by somebody who buys for a company. Above 99: from 100 on."),
             "bulk_brackets", _("From the lowest to the highest, each once."), "companies"),
    Question("company_approval", _("When does a buyer need an approver?"),
             _("To use what their company collected. Owners and approvers never need one."),
             "choice", _("One of these."), "companies",
             (("never", _("Never")), ("limits", _("Above limits")), ("always", _("Always")))),
    Question("company_at_once", _("From more than how many at once?"),
             _("Counts where there are limits. Each company can have its own."), "whole_number",
             _("A whole number from 1 on."), "companies"),
    Question("company_in_period", _("Or more than how many in a period?"),
             _("What was approved does not count."), "whole_number",
             _("A whole number from 1 on."), "companies"),
    Question("company_period", _("Which period is that?"), _("As your days and months begin."),
             "choice", _("One of these."), "companies",
             (("day", _("A day")), ("month", _("A month")))),
    Question("company_answer_days", _("How many days do approvers have to answer?"),
             _("A request without an answer expires."), "whole_number",
             _("A whole number, 1 to 90."), "companies"),
)  # fmt: skip
_QUESTIONS = (
    Question("program_name", _("What is the program called?"),
             _("Members read it everywhere."), "text", _("At most 120 characters."), "program"),
    Question("code", _("Short name"),
             _("For files, commands and the API. Stays as it is."), "code",
             _("Lower-case letters, digits and hyphens, at most 64."), "program"),
    Question("currency", _("Currency"), _("Orders in this currency earn."), "currency",
             _("A currency’s code of three letters, such as EUR."), "program"),
    Question("time_zone", _("Time zone"), _("Where its days begin."), "time_zone",
             _("A zone such as Europe/Athens."), "program"),
    Question("unit_singular", _("What is one of them called?"),
             _("Your own word: point, star, bean."), "text", _("At most 40 characters."), "units"),
    Question("unit_plural", _("What are several called?"), _("Points, stars, beans."), "text",
             _("At most 40 characters."), "units"),
    Question("unit_icon", _("Which picture stands beside them?"), _("Members see it too."), "icon",
             _("One of these."), "units", tuple((icon, ICON_NAMES[icon]) for icon in UNIT_ICONS)),
    Question("unit_language", _("Are the names in a language with several plurals?"),
             _("By its rule the name for a number is chosen."), "choice", _("One of these."),
             "units", PLURAL_LANGUAGES),
    Question("unit_few", _("What are a few called, such as 3?"),
             _("In Russian: звезды. Empty: the same as several."), "text",
             _("At most 40 characters; only with such a language."), "units"),
    Question("unit_many", _("What are many called, such as 5?"),
             _("In Russian: звёзд. Empty: the same as several."), "text",
             _("At most 40 characters; only with such a language."), "units"),
    Question("earn_units", _("How many are earned …"), _("Each time that so much is spent."),
             "units", ABOVE_ZERO, "earning"),
    Question("earn_per", _("… for each of this much spent?"),
             _("1 for every one of the currency; 10 for every ten."), "money", ABOVE_ZERO,
             "earning"),
    Question("percent", _("How many percent?"), _("Of what the goods cost."), "percent", PERCENT,
             "earning"),
    Question("categories", _("Which categories have a percentage of their own?"),
             _("Names exactly as on the lines of orders. What is not named has the percentage"
               " above."), "categories", _("Each category once."), "earning"),
    Question("brackets", _("Which percentage above how much?"),
             _("Exactly the amount still belongs to the bracket before."), "brackets",
             _("From the lowest to the highest, each once."), "earning"),
    Question("stamps", _("How many stamps fill a card?"), _("Ten is common."), "whole_number",
             _("A whole number, 2 to 1,000."), "earning"),
    Question("stamp_each", _("What brings one stamp?"),
             _("So much money, or so many items."), "units", ABOVE_ZERO, "earning"),
    Question("card_units", _("What does a full card bring?"), _("Usually one."), "units",
             ABOVE_ZERO, "earning"),
    Question("actions", _("What else earns?"),
             _("Things that members do besides buying, such as a review."), "actions",
             _("Each activity once; its short name in lower-case letters."), "earning"),
    Question("welcome_units", _("Bonus with the first order"), _("0: none."), "units",
             ZERO_OR_MORE, "earning"),
    Question("birthday_units", _("Bonus for the birthday"), _("0: none."), "units", ZERO_OR_MORE,
             "earning"),
    Question("reward_units", _("What does the first reward cost?"),
             _("So many have to be collected before any can be used."), "units", ABOVE_ZERO,
             "spending"),
    Question("reward_worth", _("What is that worth in money?"),
             _("What the member gets for it."), "money", ZERO_OR_MORE, "spending"),
    Question("reward_skus", _("Which products may it be?"),
             _("SKUs, one on each line. Without any, so much is taken off an order."), "names",
             _("At most 100, each of 64 signs at most."), "spending"),
    Question("spend_step", _("In steps of how many can they be used?"),
             _("1: any number. 50: 50, 100, 150 and so on."), "units",
             _("What the first reward costs is a multiple of it."), "spending"),
    Question("spend_share", _("How much of an order can be paid with them, in percent?"),
             _("30: the rest, 70 percent, is paid in money."), "percent", PERCENT, "spending"),
    Question("charities", _("Whom can members give to?"), _("Names of charities."), "names",
             _("At most 20."), "spending"),
    Question("pending_days", _("How many days until they can be used?"),
             _("As long as orders can be returned. 0: at once."), "whole_number",
             _("A whole number, 0 to 365."), "expiry"),
    Question("expiry", _("When do they expire?"),
             _("Units that never expire are owed for ever."), "choice", _("One of these."),
             "expiry",
             (("never", _("Never")), ("months", _("So many months after they were earned")),
              ("end_of_year", _("At the end of the year after the one in which they were earned")),
              ("inactivity", _("After so many months without activity")))),
    Question("expiry_months", _("After how many months?"),
             _("Counts where they expire after months."), "whole_number",
             _("A whole number, 1 to 120."), "expiry"),
    Question("tiers", _("Which tiers are there?"),
             _("The first is everybody’s, from 0. The factor multiplies what is earned."), "tiers",
             _("Two to six, each with a higher threshold than the one before."), "tiers"),
    Question("tier_window", _("Over which time is the spending added up?"),
             _("A tier that is not reached again in it is reviewed."), "choice",
             _("One of these."), "tiers",
             (("calendar_year", _("The calendar year")),
              ("rolling_12_months", _("The last 12 months")),
              ("membership_year", _("A year from the day of joining")),
              ("lifetime", _("Ever")))),
)  # fmt: skip
_PLEDGE = (
    Question("charity_name", _("Whom do you give to?"), _("Members read the name."), "text",
             _("At most 120 characters."), "pledge"),
    Question("charity_icon", _("Which picture stands beside it?"), _("Members see it too."),
             "choice", _("One of these."), "pledge",
             (("tree", _("Tree")), ("plant-2", _("Plant")), ("heart", _("Heart")),
              ("paw", _("Paw")), ("school", _("School")), ("ripple", _("Water")),
              ("soup", _("Soup")), ("stethoscope", _("Stethoscope")), ("home", _("House")))),
    Question("thing_singular", _("What is one thing called that you give?"), _("A tree, a meal."),
             "text", _("At most 40 characters."), "pledge"),
    Question("thing_plural", _("And several of them?"), _("Trees, meals."), "text",
             _("At most 40 characters."), "pledge"),
    Question("thing_price", _("What does one of them cost you?"),
             _("So much money goes to the charity for each."), "money", ABOVE_ZERO, "pledge"),
    Question("pledge_event", _("For what do you give?"),
             _("For a friend once they have bought, and keep it."), "choice", _("One of these."),
             "pledge", (("order", _("For each order")),
                        ("friend", _("For each friend that a member brings")),
                        ("member", _("For each new member")))),
    Question("pledge_things", _("How many each time?"), _("Usually one."), "units", ABOVE_ZERO,
             "pledge"),
    Question("pledge_least", _("Only for orders from how much?"), _("0: for every order."),
             "money", ZERO_OR_MORE, "pledge"),
    Question("pledge_budget", _("How many in all at most?"), _("0: no limit."), "units",
             ZERO_OR_MORE, "pledge"),
)  # fmt: skip
_GAME = (
    Question("game_kind", _("Which game is it?"), _("All draw alike; they look different."),
             "choice", _("One of these."), "game",
             (("wheel", _("A wheel to spin")), ("scratch", _("A scratch card")),
              ("slot", _("A slot machine")), ("box", _("A mystery box")))),
    Question("game_plays", _("How do members come to a play?"),
             _("One play each time. More ways can be added on the game’s own page."), "choice",
             _("One of these."), "game",
             (("day", _("One is free every day")), ("week", _("One is free every week")),
              ("order", _("With each order")), ("bought", _("They pay for it with units")))),
    Question("game_least", _("Only with orders from how much?"), _("0: with every order."),
             "money", ZERO_OR_MORE, "game"),
    Question("game_price", _("What does a play cost?"), _("Where plays are paid for."), "units",
             ABOVE_ZERO, "game"),
    Question("prizes", _("What can be won, and in how many of a hundred plays?"),
             _("All other plays win nothing. Members read how likely each prize is."), "prizes",
             _("At most nine, together below 100."), "game"),
    Question("prize_reward", _("In how many of a hundred plays is the first reward won?"),
             _("It is given for nothing. 0: it is no prize."), "percent",
             _("With the prizes above below 100, with two decimals at most."), "game"),
)  # fmt: skip
_GIFTS = (
    ("none", _("Nothing")), ("units", _("So many units")),
    ("percent", _("A part of the friend’s first order, in units")),
    ("reward", _("The first reward, for nothing")),
)  # fmt: skip
_FRIENDS = (
    Question("advocate_gift", _("What does a member get for a friend?"),
             _("Once the friend has bought, and keeps it."), "choice", _("One of these."),
             "friends", _GIFTS),
    Question("advocate_units", _("How many is that?"), _("For each friend."), "units", ABOVE_ZERO,
             "friends"),
    Question("advocate_percent", _("How many percent of the friend’s first order?"),
             _("As many units as that is worth."), "percent", PERCENT, "friends"),
    Question("friend_gift", _("What does the friend get?"), _("With their first order."),
             "choice", _("One of these."), "friends", _GIFTS),
    Question("friend_units", _("How many does the friend get?"), _("Once."), "units", ABOVE_ZERO,
             "friends"),
    Question("friend_percent", _("How many percent of their first order?"),
             _("As many units as that is worth."), "percent", PERCENT, "friends"),
    Question("further_percent", _("And of the friend’s further orders, in percent?"),
             _("For the member who brought them. 0: nothing."), "percent", _("0 to 100."),
             "friends"),
    Question("further_months", _("For how many months?"),
             _("From the friend’s first order on."), "whole_number",
             _("A whole number, 1 to 60."), "friends"),
    Question("friend_least", _("From how much does the first order count?"),
             _("0: any order."), "money", ZERO_OR_MORE, "friends"),
    Question("friend_wait_days", _("After how many days is it given?"),
             _("As long as orders can be returned."), "whole_number",
             _("A whole number, 0 to 180."), "friends"),
)  # fmt: skip
_PARTNERS = (
    Question("partners", _("Which brands take part?"),
             _("What each pays you for a unit that is earned there, and gets for one that is spent"
               " there. Each month is settled."),
             "partners", _("At most 20, each once; six decimals at most."), "partners"),
)  # fmt: skip
_EXPERIENCES = (
    Question("tier_early_hours", _("How many hours before others do upper tiers get in?"),
             _("To sales, events and posts. 0: at the same time."), "whole_number",
             _("A whole number, 0 to 8,760."), "experiences"),
    Question("tier_perks", _("What does the highest tier have besides?"),
             _("One on each line: a line of their own to call, their name on your wall."), "names",
             _("At most 10, of 60 characters."), "experiences"),
    Question("experience_name", _("What is the first experience?"),
             _("Something that cannot be bought: a tasting, a look behind the scenes."), "text",
             _("At most 80 characters."), "experiences"),
    Question("event_name", _("What is the first event called?"), _("Members book a seat."), "text",
             _("At most 80 characters."), "experiences"),
    Question("event_on", _("On which day is it?"),
             _("From 18:00 to 20:00; its own page has the times. Empty: no event yet."), "date",
             _("A day, such as 2030-05-17."), "experiences"),
    Question("event_place", _("Where is it?"), _("Members read it."), "text",
             _("At most 120 characters."), "experiences"),
    Question("event_seats", _("How many seats are there?"), _("Who comes later waits in line."),
             "whole_number", _("A whole number from 1 on."), "experiences"),
    Question("event_units", _("What does a seat cost?"), _("0: it is free."), "units",
             ZERO_OR_MORE, "experiences"),
    Question("content_title", _("What is first in the library?"),
             _("A film, a course, a recipe book."), "text", _("At most 80 characters."),
             "experiences"),
    Question("content_link", _("Where on the net is it?"),
             _("Only who may see it is led there. Empty: nothing is in the library yet."), "link",
             _("An address that begins with https."), "experiences"),
    Question("content_units", _("What does it cost?"), _("0: it is free."), "units",
             ZERO_OR_MORE, "experiences"),
)  # fmt: skip
QUESTIONS: Mapping[str, Question] = {
    question.name: question
    for question in (
        *_QUESTIONS,
        *_PLAN,
        *_COMPANIES,
        *_PLEDGE,
        *_GAME,
        *_FRIENDS,
        *_PARTNERS,
        *_EXPERIENCES,
    )
}
# Every template asks these, in this order, before its own.
ALWAYS = ("program_name", "code", "currency", "time_zone")
