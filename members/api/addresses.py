"""How a body names a customer: by our id, or by the merchant's number."""

from __future__ import annotations

from typing import Self

from django.utils.translation import gettext as _
from pydantic import model_validator
from pydantic_core import PydanticCustomError

from members.api.bodies import Body, ExternalId, PublicId, refuse_field
from members.models import Customer


class CustomerAddress(Body):
    """A customer, by one of the two."""

    id: PublicId | None = None
    external_id: ExternalId | None = None

    @model_validator(mode="after")
    def exactly_one(self) -> Self:
        if (self.id is None) == (self.external_id is None):
            raise PydanticCustomError("one_of", str(_("Give id or external_id, and one only.")))
        return self


def find_customer(address: CustomerAddress, field: str = "customer") -> Customer:
    """Whose address it is, also one who was merged into another; else the field is refused."""
    people = Customer.objects.select_related("merged_into")
    found = (
        people.filter(public_id=address.id)
        if address.id is not None
        else people.filter(external_id=address.external_id)
    ).first()
    if found is None:
        raise refuse_field(field, _("There is no such customer."), "not_found")
    return found
