"""The calendar by a secret address, as people's own calendars read it."""

from __future__ import annotations

import datetime as dt

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import override
from django.views.decorators.http import require_safe

from campaigns.calendar_files import calendar_file
from campaigns.selectors.calendar import Span, entries
from campaigns.services.calendar_feeds import read_feed
from loyalty.models import Program
from members.errors import NotFoundError
from members.program_scope import limited_to, programs_of

# From so many days back to so many ahead.
BACK, AHEAD = 92, 400


@require_safe
def calendar_of(request: HttpRequest, token: str) -> HttpResponse:
    """Whoever has the address may read it, until it is taken back. Staff read English."""
    now = timezone.now()
    try:
        feed = read_feed(token, now)
    except NotFoundError as error:
        raise Http404("There is no such calendar.") from error
    today = now.date()
    span = Span(today - dt.timedelta(days=BACK), today + dt.timedelta(days=AHEAD))
    with override("en"), limited_to(programs_of(feed.user)):
        found = entries(list(Program.objects.order_by("pk")), span, now)
        origin = request.build_absolute_uri("/").rstrip("/")
        text = calendar_file(found, origin=origin, now=now)
    response = HttpResponse(text, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'inline; filename="campaigns.ics"'
    response["Cache-Control"] = "private, no-store"
    response["X-Robots-Tag"] = "noindex"
    return response
