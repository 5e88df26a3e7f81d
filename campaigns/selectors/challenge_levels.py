"""The levels of a program, and what members have achieved, as pages and conditions ask it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from django.utils.translation import get_language

from campaigns.challenge_levels import STANDARD, Achieved, Level, Standing, standing_of
from campaigns.level_definitions import LevelDefinition
from campaigns.models import ChallengeLevel, ChallengeWin
from campaigns.selectors.leaderboards import done_by
from loyalty.asked_elsewhere import BuyerAsked
from loyalty.models import Membership, Program
from members.languages import nearest
from members.prepared import KeptQuery


def own_levels(program: Program) -> list[LevelDefinition]:
    """What the program has written; none: it has the standard ones."""
    return [
        LevelDefinition(needs=row.needs, name=row.name, icon=row.icon, texts=row.texts)
        for row in _own.rows(program.pk)
    ]


_own: KeptQuery[ChallengeLevel] = KeptQuery(
    lambda program: ChallengeLevel.objects.filter(program=program).order_by("needs")
)


def levels_of(program: Program, locale: str = "") -> Sequence[Level]:
    """Named in the language of `locale`, or of the page where that is empty."""
    return told_levels(own_levels(program), locale)


def told_levels(said: Sequence[LevelDefinition], locale: str = "") -> Sequence[Level]:
    """The standard ones where nothing is said."""
    wanted = list(nearest(locale or get_language() or ""))
    return [
        Level(number, item.needs, _name_of(item, wanted), item.icon)
        for number, item in enumerate(said, start=1)
    ] or STANDARD


def level_of(member: Membership, locale: str = "") -> Standing:
    """How far a member is now."""
    return standing_of(done_by(member), levels_of(member.program, locale))


def needs_by_program(programs: Iterable[int] | None = None) -> Mapping[int, list[int]]:
    """What the levels of programs need that have written their own; in their order."""
    rows = ChallengeLevel.objects.order_by("needs")
    if programs is not None:
        rows = rows.filter(program__in=set(programs))
    found: defaultdict[int, list[int]] = defaultdict(list)
    for program, needs in rows.values_list("program", "needs"):
        found[program].append(needs)
    return dict(found)


def achieved_by(asked: Sequence[BuyerAsked]) -> list[Achieved | None]:
    """What buyers had done before these moments; for rules (`loyalty.asked_elsewhere`). Of who is
    no member nothing is known. Three queries."""
    people = {item.customer_id for item in asked} - {0}
    members = {
        (member.program_id, member.customer_id): member.pk
        for member in Membership.objects.filter(
            customer__in=people, program__in={item.program_id for item in asked}, merged_into=None
        )
    }
    wins: defaultdict[int, list[ChallengeWin]] = defaultdict(list)
    rows = ChallengeWin.objects.filter(
        entry__membership__in=list(members.values()), state=ChallengeWin.State.WON
    )
    for win in rows.select_related("entry__challenge"):
        wins[win.entry.membership_id].append(win)
    needs = needs_by_program(item.program_id for item in asked)
    found: list[Achieved | None] = []
    for item in asked:
        key = members.get((item.program_id, item.customer_id))
        before = [win for win in wins[key] if win.reached_at < item.at] if key else []
        found.append(_achieved(before, needs.get(item.program_id)) if key else None)
    return found


def _achieved(wins: Sequence[ChallengeWin], needs: Sequence[int] | None) -> Achieved:
    known = needs if needs is not None else [level.needs for level in STANDARD]
    badges = frozenset(win.entry.challenge.badge for win in wins) - {""}
    return Achieved(len(wins), sum(number <= len(wins) for number in known), badges)


def _name_of(item: LevelDefinition, wanted: Sequence[str]) -> str:
    return next((item.texts[code] for code in wanted if code in item.texts), item.name)
