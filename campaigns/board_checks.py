"""Whether leaderboards say what was done."""

from __future__ import annotations

from django.utils.translation import gettext_noop as _

from campaigns.services.leaderboards import WANTED

CHECKS: dict[str, str] = {
    _("a score of a leaderboard is what its member did in challenges"): f"""
        SELECT 'member ' || coalesce(w.membership_id, s.membership_id) || ' in '
               || coalesce(w.challenge_id, s.challenge_id, 0) || ' ' || coalesce(w.month, s.month),
               coalesce(w.score, 0)::text, coalesce(s.score, 0)::text
          FROM ({WANTED.format(only="")}) w
          FULL JOIN campaigns_boardscore s
            ON s.membership_id = w.membership_id AND s.month = w.month
           AND coalesce(s.challenge_id, 0) = coalesce(w.challenge_id, 0)
         WHERE coalesce(w.score, 0) <> coalesce(s.score, 0)
            OR w.program_id IS DISTINCT FROM s.program_id
    """,
}
