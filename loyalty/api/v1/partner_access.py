"""What a partner's key may see: the people whom it has identified, and what it has told itself."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from loyalty.api.v1.order_bodies import Buyer
from loyalty.models import Order
from loyalty.selectors.partners import AtPartner, partner_of_key
from members.api.bodies import refuse_field
from members.api.views import ApiView
from members.errors import NotFoundError


def partner_asking(view: ApiView) -> AtPartner | None:
    """On whose behalf the key of a request speaks; None: the merchant's."""
    return partner_of_key(view.api_key)


def require_identified(
    partner: AtPartner | None, buyers: Iterable[tuple[str, Buyer | None]]
) -> None:
    """A partner names people by the id that identifying them has answered, which nobody guesses;
    not by the merchant's numbers, and it makes nobody a customer. `buyers`: field, body."""
    for field, buyer in buyers if partner is not None else ():
        if buyer is not None and buyer.id is None:
            raise refuse_field(
                f"{field}.external_id",
                _("Identify the member first, and name them by the id that is answered."),
                "not_for_partners",
            )


def own_orders(found: QuerySet[Order], partner: AtPartner | None) -> QuerySet[Order]:
    """Those that the partner has told; all where it is none."""
    return found if partner is None else found.filter(partner=partner.account_id)


def require_own_order(partner: AtPartner | None, source: str, external_id: str) -> None:
    """Raises NotFoundError where a partner asks for, or refers to, what is not its own."""
    if partner is None:
        return
    address = {"source": source, "external_id": external_id}
    named = "\x00" not in source + external_id
    if not named or not own_orders(Order.objects.all(), partner).filter(**address).exists():
        raise NotFoundError(f"There is no order {external_id} from {source}.")
