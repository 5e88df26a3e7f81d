"""The tiers that a program has: said in its file or in the form, kept as a line of wordings.

Benefits that earn are rules of their own, which ask for the tier (`benefit_rules`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pgtrigger
from django.db import connection, transaction
from django.db.models import F, Max, Q
from django.utils.translation import gettext as _

from loyalty.definitions import ProgramDefinition
from loyalty.four_eyes import is_bound
from loyalty.models import (
    ActivityType,
    MemberTier,
    Program,
    Tier,
    TierDraft,
    TierSet,
    WalletType,
)
from loyalty.rule_definitions import TIER_RULES
from loyalty.selectors.tier_sets import definition_of_set, tier_set_at
from loyalty.services.applied import Applied
from loyalty.services.benefit_rules import apply_benefit_rules
from loyalty.tier_benefits import tier_source
from loyalty.tier_definitions import TiersDefinition, check_wallet_types, plain
from members.errors import ConflictError, DomainError, FieldError
from members.services.audit import Actor, record_audit

SOURCE = "tiers"
# After all rules that people write: what multiplies is asked last anyway.
POSITION = 30_000
IMMUTABLE = ("loyalty.TierSet:tier_set_immutable", "loyalty.Tier:tier_immutable")


def apply_tiers(
    applied: Applied,
    definition: ProgramDefinition,
    wallet_types: Mapping[str, WalletType],
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Bring a program's tiers to what its definition says, from now on."""
    if applied.has_none_of(definition.tiers):
        return
    if definition.tiers is not None:
        _refuse_unknown_activities(definition.tiers)
    words = _write(
        applied.program, definition.tiers, wallet_types, actor=actor, now=now,
        alone=applied.second_person,
    )  # fmt: skip
    if words:
        applied.changes.append(words)


@transaction.atomic
def change_tiers(
    *, program: Program, tiers: TiersDefinition | None, actor: Actor, now: dt.datetime
) -> bool:
    """The program's tiers are these from now on, and a draft of them is done with. Whether that
    changes anything. Raises ConflictError where a second person publishes them."""
    program = Program.objects.select_for_update().get(pk=program.pk)
    alone = program.four_eyes
    words = put_tiers_in_force(program, tiers, actor=actor, now=now, alone=alone)
    TierDraft.objects.filter(program=program).delete()
    if words:
        record_audit(
            actor=actor, action="program.changed", target=program, after={"changes": [words]}
        )
    return bool(words)


def put_tiers_in_force(
    program: Program,
    tiers: TiersDefinition | None,
    *,
    actor: Actor,
    now: dt.datetime,
    alone: bool = False,
) -> str:
    """What has changed by it, in words. `program` is locked; `alone`: a second person
    ought to have read them, and none has."""
    wallet_types = {item.code: item for item in program.wallet_types.order_by("pk")}
    if tiers is not None:
        refuse_missing(program, tiers)
    words = _write(program, tiers, wallet_types, actor=actor, now=now, alone=alone)
    if words:
        Program.objects.filter(pk=program.pk).update(revision=F("revision") + 1)
    return words


def refuse_missing(program: Program, tiers: TiersDefinition) -> None:
    """Raise DomainError where the tiers name units or activities that are not there."""
    _refuse_unknown_activities(tiers)
    try:
        check_wallet_types(tiers, list(program.wallet_types.values_list("code", flat=True)))
    except ValueError as error:
        raise DomainError(str(error), code="invalid_tiers") from error


def _write(
    program: Program,
    tiers: TiersDefinition | None,
    wallet_types: Mapping[str, WalletType],
    *,
    actor: Actor,
    now: dt.datetime,
    alone: bool,
) -> str:
    """What has changed, in words; empty: nothing."""
    drafting = program.live_since is None
    current = tier_set_at(program, now)
    if (definition_of_set(current) if current else None) == tiers:
        return ""
    if alone and not drafting and is_bound(actor):
        message = _("A second person publishes the tiers of this program: change them on their own"
                    " page, and ask for them to be published.")  # fmt: skip
        error = FieldError("tiers", message, "second_person")
        raise ConflictError(message, code="second_person", errors=[error])
    if drafting:
        _forget(program.tier_sets.values_list("pk", flat=True))
    else:
        # What was said at this very instant has never counted.
        _forget(program.tier_sets.filter(starts_at=now).values_list("pk", flat=True))
        if tiers is None and current is not None:
            TierSet.objects.filter(pk=current.pk).update(ends_at=now)
    if tiers is not None:
        _create(program, tiers, wallet_types, None if drafting else now, actor, now)
    apply_benefit_rules(
        program,
        [tier_source(tier) for tier in (tiers.tiers if tiers else ())],
        wallet_types, source=SOURCE, prefix=TIER_RULES, position=POSITION, actor=actor, now=now,
    )  # fmt: skip
    _provide_members(program, now)
    if tiers is None:
        return _("It has no tiers any more")
    names = ", ".join(tier.name for tier in tiers.tiers)
    return (_("Tiers from now on: %s") if current else _("It has tiers: %s")) % names


def _forget(ids: Any) -> None:
    ids = list(ids)
    if not ids:
        return
    with pgtrigger.ignore(*IMMUTABLE):
        MemberTier.objects.filter(
            Q(tier__tier_set__in=ids) | Q(falls_to__tier_set__in=ids)
        ).delete()
        Tier.objects.filter(tier_set__in=ids).delete()
        TierSet.objects.filter(pk__in=ids).delete()


def _create(
    program: Program,
    tiers: TiersDefinition,
    wallet_types: Mapping[str, WalletType],
    starts_at: dt.datetime | None,
    actor: Actor,
    now: dt.datetime,
) -> TierSet:
    last = program.tier_sets.aggregate(last=Max("number", default=0))["last"]
    tier_set = TierSet.objects.create(
        program=program,
        number=last + 1,
        metric=tiers.metric,
        wallet_type=wallet_types[tiers.wallet_type] if tiers.wallet_type else None,
        score={item.activity: plain(item.points) for item in tiers.score},
        window=tiers.window,
        counts_from=tiers.counts_from,
        refunds_count_on=tiers.refunds_count_on,
        return_days=tiers.return_days,
        downgrade=tiers.downgrade,
        grace_days=tiers.grace_days,
        priced_by=tiers.priced_by,
        starts_at=starts_at,
        written_by=actor.user,
        created_at=now,
    )
    Tier.objects.bulk_create(
        Tier(
            tier_set=tier_set, position=position, code=tier.code, name=tier.name, color=tier.color,
            icon=tier.icon, threshold=tier.threshold,
            benefits=[
                benefit.model_dump(mode="json", exclude_defaults=True) for benefit in tier.benefits
            ],
        )
        for position, tier in enumerate(tiers.tiers)
    )  # fmt: skip
    return tier_set


def _refuse_unknown_activities(tiers: TiersDefinition) -> None:
    known = set(ActivityType.objects.values_list("code", flat=True))
    for number, item in enumerate(tiers.score):
        if item.activity not in known:
            message = _("There is no type of activity %s.") % item.activity
            place = f"tiers.score[{number}].activity"
            raise DomainError(message, errors=[FieldError(place, message, "not_found")])


# --- Where members stand --------------------------------------------------------------------------


def _provide_members(program: Program, at: dt.datetime) -> None:
    """Every member has a row, and whoever reads it past `at` works it out anew."""
    MemberTier.objects.filter(membership__program=program).exclude(changes_at__lte=at).update(
        changes_at=at, by_clock=False, turn=None, due=None, landing=0
    )
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO loyalty_membertier (membership_id, tier_id, since, total, changes_at)
            SELECT m.id, t.id, m.enrolled_at, 0, greatest(m.enrolled_at, s.starts_at)
              FROM loyalty_membership m
              JOIN loyalty_tierset s ON s.program_id = m.program_id
              JOIN loyalty_tier t ON t.tier_set_id = s.id AND t.position = 0
             WHERE m.program_id = %s AND m.status <> 'merged'
               AND s.number = (SELECT min(number) FROM loyalty_tierset WHERE program_id = %s)
            ON CONFLICT DO NOTHING
            """,
            [program.pk, program.pk],
        )
