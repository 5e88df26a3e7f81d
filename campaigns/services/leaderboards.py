"""Being seen on leaderboards: by one's own wish, by another name, which staff may hide. And how far
those are who are seen, kept up with what they do in challenges."""

from __future__ import annotations

import datetime as dt
import itertools
import re
import secrets
from collections.abc import Iterable

from django.db import connection, transaction
from django.utils.translation import gettext as _

from campaigns.models import BoardName
from campaigns.services.community_names import is_like_staff
from loyalty.models import Membership
from members.errors import ConflictError, DomainError, FieldError
from members.models import Customer
from members.services.audit import Actor, record_audit
from members.services.transactions import run_atomically

LONGEST = 24
_NAME = re.compile(r"[\w][\w .'’-]{1,22}[\w]")
# A number that somebody could be called by.
_NUMBER = re.compile(r"\d{5}")
# So often a short one is looked for.
TRIES = 10
_GIVEN = ("Badger", "Heron", "Otter", "Maple", "Comet", "Pebble", "Falcon", "Clover", "Lynx",
          "Willow", "Ember", "Coral")  # fmt: skip

# What scores have to be, of those who want to be seen.
WANTED = """
    SELECT m.id AS membership_id, m.program_id, NULL::bigint AS challenge_id, x.month,
           count(*)::integer AS score
      FROM campaigns_boardname b
      JOIN loyalty_membership m ON m.id = b.membership_id
      JOIN loyalty_program p ON p.id = m.program_id
      JOIN campaigns_challengeentry e ON e.membership_id = m.id
      JOIN campaigns_challengewin w ON w.entry_id = e.id AND w.state = 'won'
     CROSS JOIN LATERAL (VALUES (''), (to_char(w.reached_at AT TIME ZONE p.time_zone, 'YYYY-MM')))
                AS x(month)
     WHERE b.since IS NOT NULL {only}
     GROUP BY m.id, m.program_id, x.month
     UNION ALL
    SELECT m.id, m.program_id, e.challenge_id, '',
           max(e.rounds * 100 + CASE e.state WHEN 'won' THEN 0 ELSE e.percent END)::integer
      FROM campaigns_boardname b
      JOIN loyalty_membership m ON m.id = b.membership_id
      JOIN campaigns_challengeentry e ON e.membership_id = m.id AND e.state <> 'left'
     WHERE b.since IS NOT NULL AND (e.rounds > 0 OR e.state <> 'won' AND e.percent > 0) {only}
     GROUP BY m.id, m.program_id, e.challenge_id
"""
_GONE = """
    DELETE FROM campaigns_boardscore s
     WHERE {whose} AND NOT EXISTS (
           SELECT FROM ({wanted}) w WHERE (w.membership_id, w.challenge_id, w.month)
               IS NOT DISTINCT FROM (s.membership_id, s.challenge_id, s.month))
"""
_KEPT = """
    INSERT INTO campaigns_boardscore AS s (membership_id, program_id, challenge_id, month, score)
    SELECT membership_id, program_id, challenge_id, month, score FROM ({wanted}) w
        ON CONFLICT ON CONSTRAINT board_score_once
        DO UPDATE SET score = EXCLUDED.score, program_id = EXCLUDED.program_id
        WHERE (s.score, s.program_id) <> (EXCLUDED.score, EXCLUDED.program_id)
"""


def join_leaderboards(*, membership: Membership, name: str, now: dt.datetime) -> BoardName:
    """Be seen from now on, by this name; an empty one: by the one that they have, or are given.
    Raises DomainError naming what is wrong with it."""
    wanted = _checked(name)

    def join() -> BoardName:
        row = BoardName.objects.select_for_update().filter(membership=membership).first()
        if row is None:
            row = BoardName(membership=membership, program=membership.program)
        if wanted and wanted != row.name:
            _refuse_hidden(row)
            _refuse_taken(row, wanted)
            _refuse_own(membership.customer, wanted)
            row.name = wanted
        row.name = row.name or _given_name(membership)
        row.since = row.since or now
        row.save()
        keep_scores([membership.pk])
        return row

    return run_atomically(join)


@transaction.atomic
def leave_leaderboards(*, membership: Membership) -> None:
    """Be seen no more. Their name stays theirs. Again changes nothing."""
    BoardName.objects.filter(membership=membership).update(since=None)
    keep_scores([membership.pk])


@transaction.atomic
def hide_name(*, row: BoardName, actor: Actor, now: dt.datetime) -> BoardName:
    """Others see another one from now on, and the member cannot choose. What it was is not kept."""
    found = BoardName.objects.select_for_update().select_related("membership").get(pk=row.pk)
    if found.hidden_at is None:
        found.name, found.hidden_at, found.hidden_by = (
            _given_name(found.membership), now, actor.user
        )  # fmt: skip
        found.save()
        _audit("board_name.hidden", found, actor)
    return found


@transaction.atomic
def let_choose(*, row: BoardName, actor: Actor) -> BoardName:
    """The member may choose a name again."""
    found = BoardName.objects.select_for_update().select_related("membership").get(pk=row.pk)
    if found.hidden_at is not None:
        found.hidden_at, found.hidden_by = None, None
        found.save()
        _audit("board_name.let_choose", found, actor)
    return found


@transaction.atomic
def keep_scores(memberships: Iterable[int]) -> None:
    """Bring those of these members to what they did; of who is not seen there are none. Others wait
    who do so at the same time, and then see what these wrote."""
    keys = sorted(set(memberships))
    names = BoardName.objects.filter(membership__in=keys).order_by("pk")
    seen = list(names.select_for_update().values_list("membership", flat=True))
    if seen:
        _bring(_whose("s.membership_id"), WANTED.format(only=f"AND {_whose('m.id')}"), seen)


@transaction.atomic
def rebuild_leaderboards() -> int:
    """All of them anew. Returns how many scores there are."""
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE campaigns_boardname IN EXCLUSIVE MODE")
        wanted = WANTED.format(only="")
        cursor.execute(_GONE.format(whose="true", wanted=wanted))
        cursor.execute(_KEPT.format(wanted=wanted))
        cursor.execute("SELECT count(*) FROM campaigns_boardscore")
        return int(cursor.fetchone()[0])


def _bring(whose: str, wanted: str, seen: list[int]) -> None:
    asked = {"members": seen}
    with connection.cursor() as cursor:
        cursor.execute(_GONE.format(whose=whose, wanted=wanted), asked)
        cursor.execute(_KEPT.format(wanted=wanted), asked)


def _whose(column: str) -> str:
    return f"{column} = ANY(%(members)s)"


def _checked(name: str) -> str:
    said = " ".join(name.split())
    if said and (not _NAME.fullmatch(said) or _NUMBER.search(said)):
        raise _wrong(_("3 to 24 letters and digits, and no long number."), "invalid")
    if is_like_staff(said):
        raise _wrong(_("This name cannot be used."), "taken")
    return said


def _refuse_hidden(row: BoardName) -> None:
    if row.hidden_at is not None:
        message = _("The name was chosen for you.")
        raise ConflictError(
            message, code="name_hidden", errors=[FieldError("name", message, "hidden")]
        )


def _refuse_taken(row: BoardName, name: str) -> None:
    others = BoardName.objects.filter(program=row.program_id, name__iexact=name)
    if others.exclude(pk=row.pk).exists():
        raise _wrong(_("Somebody has this name."), "taken")


def _refuse_own(customer: Customer, name: str) -> None:
    """A first name alone says of nobody who they are."""
    said, family = name.casefold().split(), customer.family_name.casefold().split()
    if family and set(family) <= set(said):
        raise _wrong(_("This is your own name. Choose another one."), "own")


def _wrong(message: str, code: str) -> DomainError:
    return DomainError(message, errors=[FieldError("name", message, code)])


def _given_name(membership: Membership) -> str:
    """One that nobody has. Of one word there are a hundred thousand; where these are rare by now,
    it has two."""
    for tried in itertools.count():
        words = [secrets.choice(_GIVEN) for _word in range(1 if tried < TRIES else 2)]
        name = f"{' '.join(words)} {secrets.randbelow(9000) + 1000}"
        taken = BoardName.objects.filter(program=membership.program_id, name__iexact=name)
        if not taken.exists():
            return name
    raise AssertionError("unreachable")


def _audit(action: str, row: BoardName, actor: Actor) -> None:
    record_audit(actor=actor, action=action, target=row.membership)
