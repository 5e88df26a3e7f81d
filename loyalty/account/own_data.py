"""All that is known of a customer, for them to keep."""

from __future__ import annotations

from django.http import FileResponse, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from members.account.access import CustomerRequest, customer_view
from members.services.audit import Actor
from members.services.personal_packages import make_package


@require_POST
@customer_view
def own_data(request: CustomerRequest) -> HttpResponse:
    """Of all programs, and of duplicates that were merged into them."""
    package = make_package(
        customer=request.customer, actor=Actor.of_user(request.user), for_staff=False,
        now=timezone.now(),
    )  # fmt: skip
    # Views may stream.
    return FileResponse(  # type: ignore[return-value]
        package, as_attachment=True, filename="personal-data.zip"
    )
