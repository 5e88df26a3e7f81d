"""Files that shops export, brought in by the import that there is, under the connection's
source."""

from __future__ import annotations

from django.utils.translation import gettext as _

from campaigns.connectors.shopify_export import addresses_in, convert
from campaigns.models import Connection
from loyalty.models import Program
from loyalty.services.import_files import discard_folder, new_folder, store_file
from loyalty.services.imports import start_import
from members.errors import DomainError
from members.models import Customer, Job, JobError
from members.services.audit import Actor
from members.services.jobs import record_job_errors


def start_export_import(
    *, connection: Connection, program: Program, content: str, actor: Actor
) -> Job:
    """A waiting import of a Shopify shop's export, to be queued. Orders that cannot come in this
    way are named with it."""
    if connection.kind != Connection.Kind.SHOPIFY:
        raise DomainError(_("Only Shopify’s export of orders is known."))
    found = convert(content, _numbers(addresses_in(content) if content.strip() else set()))
    folder = new_folder()
    try:
        job = start_import(
            program=program,
            orders_path=store_file(folder, "shopify-orders.csv", [found.orders.encode()]),
            lines_path=store_file(folder, "shopify-lines.csv", [found.lines.encode()]),
            source=connection.source, actor=actor,
        )  # fmt: skip
    except DomainError:
        discard_folder(folder)
        raise
    record_job_errors(
        job,
        [
            JobError(file="export", row=place, column="Name", value=name[:200], reason=reason[:300])
            for place, (name, reason) in enumerate(found.left_out, start=1)
        ],
    )
    return job


def _numbers(addresses: set[str]) -> dict[str, str]:
    """The numbers of those whose addresses are known."""
    known = Customer.objects.filter(email__in=addresses).exclude(external_id=None)
    return {email: number or "" for email, number in known.values_list("email", "external_id")}
