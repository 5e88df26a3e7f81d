"""What on the calendar gets in each other's way, and why."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import combinations

from django.utils.translation import gettext as _

from campaigns.calendar_entries import Conflict, Entry
from campaigns.campaign_definitions import offer_of
from campaigns.campaign_rules import rules_of_campaign
from campaigns.models import Campaign, Challenge, GamePrize
from campaigns.selectors.calendar.budgets import budget_conflicts
from campaigns.selectors.surprises import SURPRISES
from loyalty.models import EarningRule, EarningRuleVersion, Program
from loyalty.rule_checks import Standing, both_count
from loyalty.selectors.rules import RuleRow, all_judged_rows, standing, standings
from members.conditions.moments import Moment
from members.errors import DomainError
from members.read_once import read_once
from rewards.models import Reward

WEEK = dt.timedelta(days=7)
WRITTEN = ("message", "broadcast")
# So many messages to the same people in a week are too many.
MOST = 3
PLANNED = frozenset({"draft", "scheduled", "live", "paused"})


def conflicts_in(
    programs: Sequence[Program], entries: Sequence[Entry], now: dt.datetime
) -> list[Conflict]:
    """Among what is not over. A number of queries for each program, none for each entry."""
    found: list[Conflict] = []
    for program in programs:
        own = [item for item in entries if item.program == program and item.state in PLANNED]
        found += [
            *_stacking(program, own, now), *_crowded(own), *_stock(own),
            *budget_conflicts(program, own),
        ]  # fmt: skip
    return found


def _stacking(program: Program, own: Sequence[Entry], now: dt.datetime) -> Iterator[Conflict]:
    """Multipliers, and discounts, that count for the same orders: what becomes of both."""
    named = dict(_standings(program, own, now))
    said: set[frozenset[str]] = set()
    for (entry, item), (other_entry, other) in combinations(named.values(), 2):
        pair = frozenset({entry.key, other_entry.key})
        if len(pair) < 2 or pair in said:
            continue
        finding = both_count(
            item, other, moment=Moment(now, program.zone), multiplying=program.multiplying,
            discounting=program.discounting,
        )  # fmt: skip
        if finding is not None:
            said.add(pair)
            yield Conflict("rules", pair, f"{entry.title}: {finding.message}")


def _standings(
    program: Program, own: Sequence[Entry], now: dt.datetime
) -> Iterator[tuple[str, tuple[Entry, Standing]]]:
    """What counts or will, and what drafts want, with the entry that each stands for."""
    by_source = {item.facts["rules"]: item for item in own if "rules" in item.facts}
    by_rule = {item.facts["rule"]: item for item in own if "rule" in item.facts}
    if len(by_source) + len(by_rule) < 2:
        return
    rows, judged = read_once(("standings", program.pk, now), lambda: _judged(program, now))
    sources = {row.rule.code: (row.rule.source, row.rule.pk) for row in rows}
    for item in judged:
        source, pk = sources[item.code]
        entry = by_source.get(source) if source else by_rule.get(pk)
        if entry is not None:
            # A campaign as it is on the calendar: it may be looked at as if it were moved.
            there = replace(item, starts_at=entry.starts_at, ends_at=entry.ends_at)
            yield f"{item.code} {item.starts_at}", (entry, there if source else item)
    drafts = [item.key for item in by_source.values() if item.state == "draft"]
    waiting = Campaign.objects.filter(public_id__in=drafts).select_related("program")
    for campaign in waiting.prefetch_related("program__wallet_types"):
        with suppress(DomainError):  # not whole yet
            entry = by_source[campaign.source]
            for wanted in rules_of_campaign(campaign):
                rule = EarningRule(
                    program=program, wallet_type=wanted.unit, code=wanted.code, name=wanted.name
                )
                version = EarningRuleVersion(
                    rule=rule, body=wanted.body.model_dump(mode="json"),
                    starts_at=entry.starts_at, ends_at=entry.ends_at,
                )  # fmt: skip
                yield f"{wanted.code} draft", (entry, standing(rule, version, len(rows)))


def _judged(program: Program, now: dt.datetime) -> tuple[list[RuleRow], list[Standing]]:
    """As they are; where something is looked at as if it were moved, that is asked for twice."""
    rows = all_judged_rows(program, now)
    return rows, list(standings(rows, now))


def _crowded(own: Iterable[Entry]) -> Iterator[Conflict]:
    """Many messages to the same people in a week. Whoever is written to of something for everybody
    is also written to of what is for them."""
    told = sorted((item for item in own if item.kind in WRITTEN), key=lambda x: x.starts_at)
    said: set[frozenset[str]] = set()
    for first in told:
        within = [
            item for item in told
            if first.starts_at <= item.starts_at < first.starts_at + WEEK
            and _same_people(first, item)
        ]  # fmt: skip
        keys = frozenset(item.key for item in within)
        if len(within) < MOST or any(keys <= known for known in said):
            continue
        said.add(keys)
        words = _("%(number)s messages in a week from %(day)s to the same people") % {
            "number": len(within), "day": f"{first.first:%d %b}",
        }  # fmt: skip
        yield Conflict("messages", keys, words)


def _same_people(one: Entry, other: Entry) -> bool:
    asked, wanted = one.facts.get("audience"), other.facts.get("audience")
    return not asked or not wanted or asked == wanted


def _stock(own: Sequence[Entry]) -> Iterator[Conflict]:
    """A reward of which there is not any number, given by several at the same time."""
    by_reward: defaultdict[Reward, list[Entry]] = defaultdict(list)
    campaigns = {item.facts.get("campaign"): item for item in own if item.kind == "challenge"}
    limited = {"reward__stock__isnull": False}
    for challenge in Challenge.objects.filter(
        campaign__in=[pk for pk in campaigns if pk], **limited
    ).select_related("reward"):
        if challenge.reward is not None:
            by_reward[challenge.reward].append(campaigns[challenge.campaign_id])
    games = {item.facts.get("game"): item for item in own if item.kind == "game"}
    for prize in GamePrize.objects.filter(
        game__in=[pk for pk in games if pk], **limited
    ).select_related("reward"):
        if prize.reward is not None:
            by_reward[prize.reward].append(games[prize.game_id])
    for reward, entry in _given_by_surprises(own):
        by_reward[reward].append(entry)
    for reward, users in by_reward.items():
        for one, other in combinations(users, 2):
            if one.key == other.key or one.last < other.first or other.last < one.first:
                continue
            left = max((reward.stock or 0) - reward.taken - reward.kept, 0)
            said = {"one": one.title, "other": other.title, "reward": reward.name, "left": left}
            words = _("%(one)s and %(other)s both give “%(reward)s”: %(left)s are left") % said
            yield Conflict("stock", frozenset({one.key, other.key}), words)


def _given_by_surprises(own: Iterable[Entry]) -> Iterator[tuple[Reward, Entry]]:
    """Rewards with a stock."""
    shown = {item.facts.get("campaign"): item for item in own if item.kind == "promotion"}
    rows = Campaign.objects.filter(pk__in=[pk for pk in shown if pk], template__in=SURPRISES)
    given = {row: code for row in rows if (code := offer_of(row).reward)}
    if not given:
        return
    limited = Reward.objects.filter(
        code__in=set(given.values()), program__in={row.program_id for row in given},
        stock__isnull=False,
    )  # fmt: skip
    known = {(reward.program_id, reward.code): reward for reward in limited}
    for row, code in given.items():
        if (reward := known.get((row.program_id, code))) is not None:
            yield reward, shown[row.pk]
