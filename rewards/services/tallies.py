"""Lines of what was handed out are brought together, one for each reward and day.

What is shown is their sum, so it is the same before and after, and doing it twice changes nothing.
"""

from __future__ import annotations

import datetime as dt

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from members.formatting import format_number
from members.jobs import Work
from members.models import Job
from members.services.job_runs import Step, run_in_chunks
from members.services.transactions import run_atomically
from rewards.models import RewardTally

KIND = "reward_tallies"
PIECE = 10_000
GATHER = """
    WITH loose AS (
        SELECT id FROM rewards_rewardtally WHERE NOT gathered
         ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM rewards_rewardtally t USING loose WHERE t.id = loose.id
        RETURNING t.reward_id, t.day, t.taken, t.used, t.units
    ), put AS (
        INSERT INTO rewards_rewardtally (reward_id, day, taken, used, units, gathered)
        SELECT reward_id, day, sum(taken), sum(used), sum(units), true
          FROM gone GROUP BY 1, 2 ORDER BY 1, 2
        ON CONFLICT (reward_id, day) WHERE gathered DO UPDATE
           SET taken = rewards_rewardtally.taken + excluded.taken,
               used = rewards_rewardtally.used + excluded.used,
               units = rewards_rewardtally.units + excluded.units
    )
    SELECT count(*) FROM gone
"""


def find_tallies(_now: dt.datetime) -> Work | None:
    """A line that stands by itself, if there is one."""
    if not RewardTally.objects.filter(gathered=False).exists():
        return None
    return Work(_("Figures of rewards"))


def run_tallies(job_id: int) -> Job | None:
    """Bring lines together; None when another run has it."""
    return run_in_chunks(job_id, _gather_piece)


def gather_tallies(*, most: int = PIECE) -> int:
    """Bring the oldest lines together; how many there were."""

    def gather() -> int:
        with connection.cursor() as cursor:
            cursor.execute(GATHER, [most])
            return int(cursor.fetchone()[0])

    return run_atomically(gather)


def tally_words(job: Job) -> str:
    count = job.result.get("count", 0)
    words = ngettext("%s line was brought together.", "%s lines were brought together.", count)
    return words % format_number(count)


def _gather_piece(job: Job) -> Step | None:
    some = gather_tallies()
    if not some:
        return None
    count = job.result.get("count", 0) + some
    return Step(checkpoint={}, done=count, total=count, result={"count": count})
