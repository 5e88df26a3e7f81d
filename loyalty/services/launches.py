"""Planning a launch: its phases and dates, the list of who may join when, and stopping it.

A phase that has begun stays as it is: who might join at which moment is never rewritten.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from django.db import connection, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from loyalty.launch_definitions import FoundingDefinition, LaunchDefinition, PhaseDefinition
from loyalty.models import (
    FoundingBonus,
    FoundingGrant,
    Launch,
    LaunchPhase,
    LaunchPlace,
    Program,
    WalletType,
)
from loyalty.rules.calendar import start_of_day
from loyalty.selectors.launches import count_buyers, get_launch, launch_definition, share_of
from loyalty.services.applied import Applied, refuse_rewriting
from members.errors import ConflictError, DomainError, FieldError
from members.formatting import format_units
from members.services.audit import Actor, record_audit


def apply_launch(
    applied: Applied,
    wanted: LaunchDefinition | None,
    wallet_types: Mapping[str, WalletType],
    now: dt.datetime,
) -> None:
    """Bring a program's launch to what its definition says."""
    if applied.has_none_of(wanted):
        return
    applied.changes += _write(applied.program, wanted, wallet_types, now)


@transaction.atomic
def plan_launch(
    *, program: Program, launch: LaunchDefinition | None, actor: Actor, now: dt.datetime
) -> bool:
    """The program is launched like this. Whether that changes anything. Raises ConflictError for
    what would change a phase that has begun."""
    program = Program.objects.select_for_update().get(pk=program.pk)
    wallet_types = {item.code: item for item in program.wallet_types.order_by("pk")}
    changes = _write(program, launch, wallet_types, now)
    if changes:
        Program.objects.filter(pk=program.pk).update(revision=F("revision") + 1)
        record_audit(
            actor=actor, action="program.changed", target=program, after={"changes": changes}
        )
    return bool(changes)


@transaction.atomic
def draw_up_list(*, program: Program, actor: Actor, now: dt.datetime) -> int:
    """Put the customers in order by what they have spent until now, and keep who is in which phase.
    Possible until the first phase begins. Returns how many are on the list."""
    launch = _locked(program)
    phases = list(launch.phases.all())
    if any(has_begun(launch, phase, now) for phase in phases):
        raise ConflictError(
            _("The launch has begun: its list stays as it is."), code="launch_begun"
        )
    listed = _draw_up(launch, phases, now)
    record_audit(actor=actor, action="launch.listed", target=program, after={"customers": listed})
    return listed


@transaction.atomic
def stop_launch(*, program: Program, actor: Actor, now: dt.datetime) -> bool:
    """No further phase begins. Members stay, and whoever the phase in force admits may still join.
    Whether it was going on."""
    launch = _locked(program)
    if launch.stopped_at is not None:
        return False
    launch.stopped_at = now
    launch.save(update_fields=["stopped_at"])
    record_audit(actor=actor, action="launch.stopped", target=program)
    return True


@transaction.atomic
def resume_launch(*, program: Program, actor: Actor, now: dt.datetime) -> bool:
    """The phases that are still to come begin on their days again; one whose day passed meanwhile
    needs another date first. Whether it was stopped."""
    launch = _locked(program)
    stopped = launch.stopped_at
    if stopped is None:
        return False
    if any(stopped <= phase.starts_at <= now for phase in launch.phases.all()):
        raise ConflictError(
            _("A phase should have begun while the launch was stopped. Give it a new date."),
            code="phase_passed",
        )
    launch.stopped_at = None
    launch.save(update_fields=["stopped_at"])
    record_audit(actor=actor, action="launch.resumed", target=program)
    return True


def _locked(program: Program) -> Launch:
    Program.objects.select_for_update().get(pk=program.pk)
    launch = get_launch(program)
    if launch is None:
        raise ConflictError(_("No launch is planned for this program."), code="no_launch")
    return launch


def _write(
    program: Program,
    wanted: LaunchDefinition | None,
    wallet_types: Mapping[str, WalletType],
    now: dt.datetime,
) -> list[str]:
    """What has changed, in words."""
    before = launch_definition(program)
    if before == wanted:
        return []
    phases = wanted.phases if wanted else ()
    changes: list[str] = []
    if phases != (before.phases if before else ()):
        _write_phases(program, phases, now)
        changes.append(_phase_words(phases))
    founding = wanted.founding if wanted else None
    if founding != (before.founding if before else None):
        changes.append(_write_founding(program, founding, wallet_types))
    if wanted is None:
        Launch.objects.filter(program=program).delete()
    else:
        Launch.objects.get_or_create(program=program, defaults={"created_at": now})
    return changes


def _phase_words(phases: Sequence[PhaseDefinition]) -> str:
    if not phases:
        return _("Everyone may join at once")
    words = dict(LaunchPhase.Kind.choices)
    told = (f"{words[LaunchPhase.Kind(item.kind)]}: {item.starts_on}" for item in phases)
    return _("Launch in phases: %s") % ", ".join(told)


def _write_phases(program: Program, phases: Sequence[PhaseDefinition], now: dt.datetime) -> None:
    launch, _created = Launch.objects.get_or_create(program=program, defaults={"created_at": now})
    known = list(launch.phases.all())
    wanted = [
        LaunchPhase(
            launch=launch, position=position, kind=item.kind, percent=item.percent,
            starts_at=start_of_day(item.starts_on, program.zone),
        )
        for position, item in enumerate(phases, start=1)
    ]  # fmt: skip
    shares = [(item.kind, item.percent) for item in wanted]
    redrawn = shares != [(item.kind, item.percent) for item in known]
    begun = [phase for phase in known if has_begun(launch, phase, now)]
    for before, after in zip(begun, wanted, strict=False):
        if redrawn or before.starts_at != after.starts_at:
            refuse_rewriting(
                "launch.phases",
                _("The launch has begun: only phases that are still to come can be moved."),
            )
    if begun and not wanted:
        refuse_rewriting("launch.phases", _("The launch has begun and stays on record."))
    today = start_of_day(now.astimezone(program.zone).date(), program.zone)
    dates = {phase.starts_at for phase in known}
    for index, phase in enumerate(wanted):
        if known and phase.starts_at < today and phase.starts_at not in dates:
            refuse_rewriting(
                f"launch.phases[{index}].starts_on", _("A phase begins today at the earliest.")
            )
    launch.phases.all().delete()
    LaunchPhase.objects.bulk_create(wanted)
    if redrawn:
        _draw_up(launch, wanted, now)


def has_begun(launch: Launch, phase: LaunchPhase, now: dt.datetime) -> bool:
    """Whether a phase has ever been in force: a launch that was stopped before has kept it out."""
    stopped = launch.stopped_at
    return phase.starts_at <= now and (stopped is None or phase.starts_at < stopped)


def _draw_up(launch: Launch, phases: Sequence[LaunchPhase], now: dt.datetime) -> int:
    """Keep who is in which phase: by what they spent, equal ones by who came first."""
    LaunchPlace.objects.filter(launch=launch).delete()
    buyers = count_buyers()
    shares = [phase for phase in phases if phase.percent is not None]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO loyalty_launchplace (launch_id, customer_id, position, rank, spend)
            SELECT %(launch)s, r.customer_id,
                   (SELECT min(p.position) FROM unnest(%(positions)s::int[], %(counts)s::int[])
                                                AS p(position, customers)
                     WHERE r.rank <= p.customers),
                   r.rank, r.spend
              FROM (SELECT f.customer_id, f.spend,
                           row_number() OVER (ORDER BY f.spend DESC, f.customer_id) AS rank
                      FROM members_customerfacts f
                      JOIN members_customer c
                        ON c.id = f.customer_id AND c.merged_into_id IS NULL
                     WHERE f.orders > 0) r
             WHERE r.rank <= %(last)s
            """,
            {
                "launch": launch.pk,
                "positions": [phase.position for phase in shares],
                "counts": [share_of(buyers, phase.percent) for phase in shares],
                "last": max((share_of(buyers, phase.percent) for phase in shares), default=0),
            },
        )
        listed: int = cursor.rowcount
    launch.listed_at, launch.listed = now, listed
    launch.save(update_fields=["listed_at", "listed"])
    return listed


def _write_founding(
    program: Program, wanted: FoundingDefinition | None, wallet_types: Mapping[str, WalletType]
) -> str:
    if wanted is None:
        FoundingBonus.objects.filter(program=program).delete()
        return _("Founding members get nothing more")
    wallet_type = wallet_types[wanted.wallet_type]
    units = wanted.units.scaleb(wallet_type.scale)
    if units != int(units):
        message = _("%(units)s have %(scale)s decimals.") % {
            "units": wallet_type.plural, "scale": wallet_type.scale,
        }  # fmt: skip
        raise DomainError(message, errors=[FieldError("launch.founding.units", message)])
    if FoundingGrant.objects.filter(program=program).exclude(
        transfer__wallet_type=wallet_type
    ).exists():  # fmt: skip
        refuse_rewriting(
            "launch.founding.wallet_type", _("Founding members were given something already.")
        )
    FoundingBonus.objects.update_or_create(
        program=program,
        defaults={
            "wallet_type": wallet_type,
            "units": int(units),
            "days": wanted.days,
            "most_members": wanted.most_members,
        },
    )
    return _("Founding members get %s") % format_units(int(units), wallet_type)
