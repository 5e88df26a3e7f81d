"""Where something is sent to: what is asked, how it is kept, and how it is written on a label."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from django.utils.translation import gettext as _
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from members.choices import country_name
from members.errors import DomainError, FieldError

Line = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=120, pattern=r"^[^\x00-\x1f]*$")
]
Needed = Annotated[Line, Field(min_length=1)]


class Address(BaseModel):
    """A postal address of any country."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    recipient: Needed = Field(description="Who receives it.")
    street: Needed = Field(description="Street and number.")
    extra: Line = Field("", description="Floor, company, care of.")
    postal_code: Annotated[Line, Field(max_length=16)] = ""
    city: Needed
    region: Line = Field("", description="State or province.")
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] = Field(
        description="ISO 3166 code: US."
    )
    phone: Annotated[Line, Field(max_length=32)] = Field("", description="For the carrier.")

    @property
    def lines(self) -> list[str]:
        """As it stands on a label, the country by its name."""
        place = " ".join(part for part in (self.postal_code, self.city) if part)
        where = ", ".join(part for part in (place, self.region) if part)
        found = (self.recipient, self.extra, self.street, where, country_name(self.country))
        return [line for line in found if line]


def read_address(given: Mapping[str, Any]) -> Address:
    """Raises DomainError with the fields that are wrong."""
    try:
        return Address.model_validate(dict(given))
    except ValidationError as error:
        wrong = [
            FieldError(str(item["loc"][0]), _field_words(str(item["type"])))
            for item in error.errors(include_url=False)
        ]
        raise DomainError(_("The address is not complete."), errors=wrong) from error


def kept_address(stored: Mapping[str, Any] | None) -> Address | None:
    return None if stored is None else Address.model_validate(dict(stored))


def _field_words(kind: str) -> str:
    return {
        "string_too_short": _("This is needed."),
        "missing": _("This is needed."),
        "string_too_long": _("This is too long."),
    }.get(kind, _("This cannot be read."))
