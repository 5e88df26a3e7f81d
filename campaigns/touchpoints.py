"""The touchpoints of this application: how many members opened or clicked a message, played, began
a challenge, brought a friend, or answered a survey in the last 90 days."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from loyalty.selectors.goal_metrics import MEMBERS
from loyalty.selectors.touchpoints import register_touchpoint

# A message is of a membership, or of a customer whatever the program.
_MESSAGES = f"""
    WITH m AS ({MEMBERS})
    SELECT count(DISTINCT m.id) FROM campaigns_delivery d
      JOIN campaigns_message s ON s.id = d.message_id
      JOIN m ON m.customer_id = s.customer_id
       AND (s.membership_id IS NULL OR s.membership_id = m.id)
     WHERE {{what}} >= %(since)s AND {{what}} < %(until)s
"""
_ROWS = f"""
    WITH m AS ({MEMBERS})
    SELECT count(DISTINCT m.id) FROM {{rows}} x JOIN m ON m.id = x.membership_id
     WHERE x.{{what}} >= %(since)s AND x.{{what}} < %(until)s
"""
_FRIENDS = f"""
    WITH m AS ({MEMBERS})
    SELECT count(DISTINCT m.id) FROM campaigns_referral r
      JOIN campaigns_referrallink l ON l.id = r.link_id JOIN m ON m.id = l.membership_id
     WHERE r.program_id = %(program)s AND r.came_at >= %(since)s AND r.came_at < %(until)s
"""


def register() -> None:
    """Called once, when the application is ready."""
    for code, name, query in (
        ("touch_opened", _("Opened a message"),
         _MESSAGES.format(what="coalesce(d.opened_at, d.read_at)")),
        ("touch_clicked", _("Followed a link in a message"), _MESSAGES.format(what="d.clicked_at")),
        ("touch_challenges", _("Began a challenge"),
         _ROWS.format(rows="campaigns_challengeentry", what="created_at")),
        ("touch_games", _("Played a game"),
         _ROWS.format(rows="campaigns_gameplay", what="used_at")),
        ("touch_referrals", _("Brought a friend"), _FRIENDS),
        ("touch_surveys", _("Answered a survey"),
         _ROWS.format(rows="campaigns_surveyresponse", what="answered_at")),
    ):  # fmt: skip
        register_touchpoint(code, name, query)
