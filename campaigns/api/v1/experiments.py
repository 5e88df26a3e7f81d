"""/experiments: which of two promotions is better, told by members who were drawn by lot."""

from __future__ import annotations

import datetime as dt
from http import HTTPStatus
from typing import Annotated, Any, Protocol
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from campaigns.experiment_definitions import ExperimentDefinition, definition_of_experiment
from campaigns.experiment_words import verdict_words
from campaigns.models import Experiment
from campaigns.selectors.experiment_plans import plan_of
from campaigns.selectors.experiment_results import ExperimentResult, experiment_result
from campaigns.selectors.experiments import experiments, get_experiment
from campaigns.services.experiments import (
    change_experiment,
    create_experiment,
    delete_experiment,
    end_experiment,
    start_experiment,
)
from loyalty.models import Program
from members.api.bodies import NAME, TEXT, Answer, answer, read_body, read_query, refuse_field
from members.api.idempotency import idempotent
from members.api.pagination import Page, PageQuery, paginate
from members.api.schema import query_parameters
from members.api.views import ApiView
from members.errors import ConflictError
from members.services.audit import Actor

READ, WRITE = "campaigns:read", "campaigns:write"


class ExperimentIn(ExperimentDefinition):
    """An experiment as a draft. `promotion` of an arm: the code of a draft of the program."""

    program: Annotated[str, Field(max_length=64, pattern=TEXT)]
    code: Annotated[str, Field(max_length=30, pattern=NAME)] | None = Field(
        None, description="By default made of the name. One that is taken gets a number."
    )


class ExperimentChangesIn(ExperimentDefinition):
    """A draft as it shall be."""

    revision: int | None = Field(
        None, description="What you have read: refused with 409 where it was changed since."
    )


class ExperimentQuery(PageQuery):
    program: Annotated[str, Field(max_length=64)] = ""


class ExperimentOut(Answer):
    id: UUID
    program: str
    code: str
    name: str
    status: Experiment.Status
    started_at: dt.datetime | None
    ends_at: dt.datetime | None = Field(description="When it ends, or was to end.")
    ended_at: dt.datetime | None
    verdict: str = Field(
        description="better, worse (the first arm is better), none, few or early. Empty: nothing is"
        " declared yet."
    )
    winner: str | None = Field(description="The name of the arm that is better. Null: none is.")
    decided_at: dt.datetime | None
    sentence: str = Field(description="The verdict in words.")
    revision: int = Field(description="Counted up with everything that becomes of it.")
    definition: dict[str, Any] = Field(description="All that is said of it, as PUT takes it.")


class ExperimentPage(Page):
    results: list[ExperimentOut]


class PlanRowOut(Answer):
    weeks: int
    have: int = Field(
        description="Members in the smallest arm. Of words: those whom the message reaches in so"
        " many weeks."
    )
    mean: float = Field(description="What is measured, of each member in the last so many weeks.")
    difference: float = Field(description="The smallest difference that matters.")
    needed: int | None = Field(description="Members in each arm. Null: nobody can say.")
    enough: bool


class ExperimentPlanOut(Answer):
    members: int = Field(description="In the audience now.")
    smallest_arm: int
    weeks: int | None = Field(description="The shortest time that is enough. Null: it never is.")
    rows: list[PlanRowOut]


class ArmOut(Answer):
    name: str
    members: int
    mean: float
    difference: float | None = Field(description="From the first arm. Null: of the first itself.")
    low: float | None = Field(
        description="The difference is at least that: all intervals together hold in 95 of 100,"
        " however often they are read. Before its planned end they are wider."
    )
    high: float | None


class ExperimentResultOut(Answer):
    measure: Experiment.Measure
    currency: str
    arms: list[ArmOut]
    sizes: float = Field(
        description="How probable arms as unequal as these are. Below 0.001 something is wrong."
    )
    verdict: str = Field(description="What was declared. Empty: the figures may be chance.")


def experiment_out(found: Experiment) -> ExperimentOut:
    names = ("code", "name", "started_at", "ends_at", "ended_at", "verdict", "decided_at",
             "revision")  # fmt: skip
    return ExperimentOut(
        id=found.public_id, program=found.program.code, status=Experiment.Status(found.status),
        winner=None if found.winner is None else found.arms.all()[found.winner].name,
        sentence=verdict_words(found), definition=_said(found),
        **{name: getattr(found, name) for name in names},
    )  # fmt: skip


class Experiments(ApiView):
    scopes = {"GET": READ, "POST": WRITE}

    @extend_schema(
        operation_id="listExperiments",
        parameters=query_parameters(ExperimentQuery),
        responses={200: ExperimentPage},
    )
    def get(self, request: Request) -> HttpResponse:
        """List experiments, newest first."""
        query, rows = read_query(request, ExperimentQuery), experiments()
        if query.program:
            rows = rows.filter(program__code=query.program)
        page = paginate(request, rows, query, ordering=["-pk"], row=experiment_out)
        return answer(ExperimentPage(**page))

    @extend_schema(
        operation_id="createExperiment", request=ExperimentIn, responses={201: ExperimentOut}
    )
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Write an experiment as a draft. Nobody gets anything before it is started."""
        body = read_body(request, ExperimentIn)
        program = Program.objects.filter(code=body.program).first()
        if program is None:
            raise refuse_field("program", _("There is no such program."), "not_found")
        made = create_experiment(
            program=program, definition=_definition(body), actor=self.actor, now=timezone.now(),
            code=body.code or "",
        )  # fmt: skip
        return answer(experiment_out(made), HTTPStatus.CREATED)


class OneExperiment(ApiView):
    scopes = {"GET": READ, "PUT": WRITE, "DELETE": WRITE}

    @extend_schema(operation_id="getExperiment", responses={200: ExperimentOut})
    def get(self, request: Request, experiment_id: UUID) -> HttpResponse:
        """Read an experiment."""
        return answer(experiment_out(get_experiment(experiment_id)))

    @extend_schema(
        operation_id="changeExperiment", request=ExperimentChangesIn, responses={200: ExperimentOut}
    )
    def put(self, request: Request, experiment_id: UUID) -> HttpResponse:
        """Bring a draft to what is said. Again changes nothing."""
        body, found = read_body(request, ExperimentChangesIn), get_experiment(experiment_id)
        changed = change_experiment(
            experiment=found, definition=_definition(body), actor=self.actor, now=timezone.now(),
            revision=body.revision,
        )  # fmt: skip
        return answer(experiment_out(changed))

    @extend_schema(operation_id="deleteExperiment", responses={204: None})
    def delete(self, request: Request, experiment_id: UUID) -> HttpResponse:
        """Throw a draft away; the promotions of its arms stay drafts."""
        found = get_experiment(experiment_id)
        delete_experiment(experiment=found, actor=self.actor, now=timezone.now())
        return HttpResponse(status=HTTPStatus.NO_CONTENT)


class _Act(Protocol):
    def __call__(self, *, experiment: Experiment, actor: Actor, now: dt.datetime) -> Experiment: ...


def _acting(name: str, act: _Act, words: str) -> type[ApiView]:
    """The endpoint of one thing that can be done with an experiment."""

    class Acting(ApiView):
        scopes = {"POST": WRITE}

        @extend_schema(
            operation_id=f"{name}Experiment", description=words, request=None,
            responses={200: ExperimentOut},
        )  # fmt: skip
        @idempotent()
        def post(self, request: Request, experiment_id: UUID) -> HttpResponse:
            found = get_experiment(experiment_id)
            done = act(experiment=found, actor=self.actor, now=timezone.now())
            return answer(experiment_out(done))

    Acting.__name__ = Acting.__qualname__ = f"{name.capitalize()}Experiment"
    return Acting


StartExperiment = _acting(
    "start", start_experiment,
    "Who is in which arm is written down, and the promotions of its arms begin. Refused with 422"
    " `never_enough` where its plan never comes to an end and no `weeks` are said, and with 403"
    " `second_person` where a second person publishes the rules of the program.",
)  # fmt: skip
EndExperiment = _acting(
    "end", end_experiment,
    "End it, and its promotions, for good. Before its time nothing is declared. Again changes"
    " nothing.",
)  # fmt: skip


class ExperimentPlan(ApiView):
    scopes = {"GET": READ}

    @extend_schema(operation_id="getExperimentPlan", responses={200: ExperimentPlanOut})
    def get(self, request: Request, experiment_id: UUID) -> HttpResponse:
        """Read how many members and weeks it takes, as of now."""
        plan = plan_of(get_experiment(experiment_id), timezone.now())
        rows = [
            PlanRowOut(weeks=row.weeks, have=row.have, mean=row.mean, difference=row.difference,
                       needed=row.needed, enough=row.enough)
            for row in plan.rows
        ]  # fmt: skip
        weeks = plan.first.weeks if plan.first else None
        return answer(
            ExperimentPlanOut(members=plan.members, smallest_arm=plan.have, weeks=weeks, rows=rows)
        )


class ExperimentResults(ApiView):
    scopes = {"GET": READ}

    @extend_schema(operation_id="getExperimentResults", responses={200: ExperimentResultOut})
    def get(self, request: Request, experiment_id: UUID) -> HttpResponse:
        """Read what its arms have done so far. Refused with 409 before it is started."""
        found = get_experiment(experiment_id)
        if found.started_at is None:
            raise ConflictError(_("It has not begun."), code="experiment_state")
        return answer(_results(found, experiment_result(found, timezone.now())))


def _results(found: Experiment, result: ExperimentResult) -> ExperimentResultOut:
    arms = []
    for arm, row in zip(found.arms.all(), result.arms, strict=True):
        against = row.against
        known = against is not None and against.z is not None
        arms.append(
            ArmOut(
                name=arm.name, members=row.moments.members, mean=row.moments.mean,
                difference=against.value if against else None,
                low=against.low if against and known else None,
                high=against.high if against and known else None,
            )
        )  # fmt: skip
    return ExperimentResultOut(
        measure=Experiment.Measure(found.measure), currency=found.program.currency, arms=arms,
        sizes=result.sizes, verdict=found.verdict,
    )  # fmt: skip


def _said(found: Experiment) -> dict[str, Any]:
    return definition_of_experiment(found).model_dump(mode="json", exclude_defaults=True)


def _definition(body: ExperimentDefinition) -> ExperimentDefinition:
    said = {name: getattr(body, name) for name in ExperimentDefinition.model_fields}
    return ExperimentDefinition.model_construct(**said)
