"""The demonstration's segments: ready ones that somebody took, and a list."""

from __future__ import annotations

from django.utils import timezone

from loyalty.services import fact_rebuilds
from members.models import Customer, Segment, User
from members.segment_templates import segment_templates
from members.services.audit import SYSTEM, Actor
from members.services.job_runs import run_job, start_work
from members.services.segment_jobs import latest_job
from members.services.segment_lists import load_list
from members.services.segments import create_segment

TAKEN = ("best", "at-risk", "lapsed", "price-sensitive", "birthday")
GUESTS = 12


def people_in_segments() -> None:
    """Once, however often the demonstration is loaded."""
    facts = start_work(kind=fact_rebuilds.KIND, actor=SYSTEM, now=timezone.now())
    if facts is not None:
        run_job(facts.pk)
    if Segment.objects.exists():
        return
    manager = Actor.of_user(User.objects.get(email__startswith="mia@"))
    for template in segment_templates():
        if template.key in TAKEN:
            segment = create_segment(
                actor=manager, name=str(template.name), description=str(template.description),
                condition=template.condition, now=timezone.now(),
            )  # fmt: skip
            job = latest_job(segment)
            assert job is not None
            run_job(job.pk)
    _guest_list(manager)


def _guest_list(manager: Actor) -> None:
    now = timezone.now()
    guests = create_segment(
        actor=manager, name="Tasting evening", kind=Segment.Kind.STATIC, now=now,
        description="Who came to the tasting evening in the downtown store.",
    )  # fmt: skip
    rows = Customer.objects.filter(merged_into=None).exclude(external_id=None).order_by("pk")
    numbers = rows.values_list("external_id", flat=True)[:GUESTS]
    load_list(
        actor=manager, segment=guests, content="\n".join(filter(None, numbers)).encode(), now=now
    )
