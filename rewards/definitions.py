"""A reward as data: what the screen, the API and a file say of it, validated."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from django.utils.translation import gettext as _
from pydantic import (
    AwareDatetime,
    Field,
    StringConstraints,
    field_serializer,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from loyalty.rule_conditions import read_condition
from loyalty.rules.amounts import plain_text
from loyalty.rules.body_parts import Code, Part, PositiveAmount
from members.conditions.tree import ConditionError
from rewards.models import Reward
from rewards.part_definitions import ContentPart, GiftDayPart, SeatEvent
from rewards.texts import LANGUAGES

Money = Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=4)]
Text = Annotated[str, StringConstraints(strip_whitespace=True)]
Named = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=128)]
WITH_VOUCHER = tuple(kind for kind in Reward.Kind if kind not in Reward.WITHOUT_VOUCHER)
# What only some kinds have.
OF_KINDS = {
    "amount": (Reward.Kind.AMOUNT_OFF, *Reward.WITHOUT_VOUCHER),
    "charity": (Reward.Kind.CHARITY,),
    "things": (Reward.Kind.CHARITY,),
    "percent": (Reward.Kind.PERCENT_OFF,),
    "most": (Reward.Kind.PERCENT_OFF,),
    "skus": Reward.OFF_THE_PRICE,
    "categories": (Reward.Kind.AMOUNT_OFF, Reward.Kind.PERCENT_OFF),
    "least": Reward.OFF_THE_PRICE,
    "valid_days": WITH_VOUCHER,
    "prefix": WITH_VOUCHER,
    "prizes": (Reward.Kind.MYSTERY,),
    "voucher_pool": tuple(kind for kind in WITH_VOUCHER if kind != Reward.Kind.MYSTERY),
    "event": (Reward.Kind.EVENT_SEAT,),
    "window": tuple(kind for kind in Reward.Kind if kind != Reward.Kind.EVENT_SEAT),
    "content": (Reward.Kind.CONTENT,),
    "sent": (Reward.Kind.GIFT, Reward.Kind.EXPERIENCE, Reward.Kind.FREE_PRODUCT),
}
NEEDED = {
    Reward.Kind.AMOUNT_OFF: "amount",
    Reward.Kind.GIFT_CARD: "amount",
    Reward.Kind.STORE_CREDIT: "amount",
    Reward.Kind.CHARITY: "charity",
    Reward.Kind.PERCENT_OFF: "percent",
    Reward.Kind.FREE_PRODUCT: "skus",
    Reward.Kind.PARTNER_VOUCHER: "voucher_pool",
    Reward.Kind.MYSTERY: "prizes",
}


class VoucherPoolDefinition(Part):
    """A list of codes that came from elsewhere. A file makes it; codes are put in on the screen."""

    code: Code = Field(description="Short name, unique in its program. Stays as it is.")
    name: Annotated[Text, Field(min_length=1, max_length=80)] = Field(
        description="What staff call it."
    )


class RewardText(Part):
    """A reward in a further language. What is empty is told in the first one."""

    name: Annotated[Text, Field(max_length=80)] = Field("", description="What members call it.")
    summary: Annotated[Text, Field(max_length=200)] = Field("", description="It in a sentence.")
    details: Annotated[Text, Field(max_length=2000)] = Field(
        "", description="What applies to it, as members read it."
    )


class RewardDefinition(Part):
    """Something that members may take for their units."""

    code: Code = Field(description="Short name, unique in its program. Stays as it is.")
    kind: Literal[
        "amount_off",
        "percent_off",
        "free_product",
        "free_shipping",
        "access",
        "partner_voucher",
        "gift_card",
        "store_credit",
        "charity",
        "mystery",
        "gift",
        "experience",
        "event_seat",
        "content",
    ] = Field(description="What it is. Stays as it is.")
    status: Literal["draft", "live", "archived"] = Field(
        "draft", description="Only a live one can be taken."
    )
    on_shelf: bool = Field(
        True, description="Members find it and may take it. Else it is only given to them."
    )
    name: Annotated[Text, Field(min_length=1, max_length=80)] = Field(
        description="What members call it: 5 off."
    )
    summary: Annotated[Text, Field(max_length=200)] = Field("", description="It in a sentence.")
    details: Annotated[Text, Field(max_length=2000)] = Field(
        "", description="What applies to it, as members read it."
    )
    texts: Mapping[str, RewardText] = Field(
        {}, description="The same in further languages, by the language's code: ms, zh-hans, el."
    )
    wallet_type: str = Field("points", description="Code of the units that it is taken for.")
    price: Money = Field(
        description="How many whole units it takes; only gifts, experiences, seats and content"
        " may take none."
    )
    tier_prices: Mapping[Code, PositiveAmount] = Field(
        {}, description="Another price for who has a tier, by the tier's code."
    )
    amount: PositiveAmount | None = Field(
        None,
        description="Of amount_off: so much money off; of gift_card and store_credit: so much"
        " money to spend; of charity: so much money to it.",
    )
    charity: Literal[""] | Code = Field(
        "", description="Of charity: whom it is given to, by the code of the program's charity."
        " Stays as it is.",
    )  # fmt: skip
    things: Annotated[Decimal, Field(gt=0, max_digits=14, decimal_places=4)] | None = Field(
        None, description="Of charity: so many of its things, as trees, in place of `amount`."
        " With neither, the units are worth what the charity's rate says.",
    )  # fmt: skip
    percent: Annotated[Decimal, Field(gt=0, le=100, max_digits=7, decimal_places=4)] | None = Field(
        None, description="Of percent_off: so many percent off."
    )
    most: PositiveAmount | None = Field(
        None, description="Of percent_off: so much money off at most."
    )
    skus: tuple[Named, ...] = Field(
        (), max_length=100,
        description="Of free_product: one of these is free. Else only these are reduced.",
    )  # fmt: skip
    categories: tuple[Named, ...] = Field(
        (), max_length=100, description="Only what is of these categories is reduced."
    )
    least: PositiveAmount | None = Field(None, description="Only for orders from so much money.")
    worth: Money = Field(Decimal(0), description="What it is worth to who takes it, in money.")
    cost: Money = Field(Decimal(0), description="What it costs the merchant, in money.")
    starts_at: AwareDatetime | None = Field(None, description="It can be taken from then on.")
    ends_at: AwareDatetime | None = Field(None, description="It can be taken until then.")
    window: Literal[""] | Code = Field(
        "", description="Code of the sale (`access_windows`) that it comes with: it can be taken"
        " when that opens for a member, until it closes. In place of starts_at.",
    )  # fmt: skip
    stock: Annotated[int, Field(ge=0, le=100_000_000)] | None = Field(
        None, description="How many there are. Empty: as many as are wanted."
    )
    per_member: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        None, description="So many for one member at most."
    )
    per_period: Literal["ever", "year", "month", "week", "day"] = Field(
        "ever", description="The period of per_member, in the program's time zone."
    )
    when: Mapping[str, Any] = Field(
        {}, description="Who may take it: a condition about the member."
    )
    valid_days: Annotated[int, Field(ge=1, le=3650)] | None = Field(
        None, description="Its voucher can be used for so many days."
    )
    combines: bool = Field(False, description="Its voucher goes together with others.")
    stacking_group: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{0,32}$")] = Field(
        "", description="Of those of one group a cart has one; only with combines. Empty: none."
    )
    applies: Annotated[int, Field(ge=1, le=999)] = Field(
        100, description="Its turn in a cart: smaller ones take their part off first."
    )
    sent: bool = Field(False, description="It is sent to an address; a gift always is.")
    prefix: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{0,8}$")] = Field(
        "", description="What its codes begin with: capital letters and digits."
    )
    voucher_pool: Literal[""] | Code = Field(
        "", description="Code of the pool that its codes come from. Empty: they are made."
    )

    prizes: Mapping[Code, Annotated[int, Field(ge=1, le=1_000_000)]] = Field(
        {}, description="Of mystery: what may be in it, rewards by their codes, and how often each"
        " comes compared with the others.",
    )  # fmt: skip

    event: SeatEvent | None = Field(
        None, description="Of event_seat: what it is a seat of. A file says it."
    )
    content: ContentPart | None = Field(
        None, description="Of content: what of the library it opens. A file says it."
    )
    gift_days: tuple[GiftDayPart, ...] | None = Field(
        None, description="When it is given by itself, each day once: all of them. A file says it;"
        " without it they stay as they are.",
    )  # fmt: skip

    @field_validator("texts")
    @classmethod
    def languages_are_known(cls, value: Mapping[str, RewardText]) -> Mapping[str, RewardText]:
        for code in value:
            if code not in LANGUAGES:
                raise ValueError(_("There is no language “%s” to write in.") % code)
        return {code: text for code, text in value.items() if text != RewardText()}

    @model_validator(mode="before")
    @classmethod
    def gifts_are_sent(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and data.get("kind") == Reward.Kind.GIFT:
            return {**data, "sent": True}
        return data

    @field_validator("gift_days")
    @classmethod
    def each_day_is_there_once(
        cls, value: tuple[GiftDayPart, ...] | None
    ) -> tuple[GiftDayPart, ...] | None:
        days = [item.day for item in value or ()]
        if len(set(days)) < len(days):
            raise ValueError(_("Each day once."))
        return value

    @field_validator("when")
    @classmethod
    def condition_can_be_read(cls, value: Mapping[str, Any]) -> Mapping[str, Any]:
        if value:
            try:
                read_condition(value, "occasion")
            except ConditionError as error:
                raise ValueError(str(error)) from error
        return value

    @field_serializer("price", "amount", "things", "percent", "most", "least", "worth", "cost",
                      when_used="json-unless-none")  # fmt: skip
    def in_plain_notation(self, value: Decimal) -> str:
        return plain_text(value)

    @field_serializer("tier_prices", when_used="json")
    def prices_in_plain_notation(self, value: Mapping[str, Decimal]) -> dict[str, str]:
        return {tier: plain_text(price) for tier, price in value.items()}

    @model_validator(mode="after")
    def details_belong_to_their_kind(self) -> Self:
        kind = Reward.Kind(self.kind)
        needed = NEEDED.get(kind)
        if needed and not getattr(self, needed):
            raise _wrong("needed", needed, _("Give %(field)s with kind “%(kind)s”."), self.kind)
        for name, kinds in OF_KINDS.items():
            if getattr(self, name) not in (None, (), {}, "", False) and kind not in kinds:
                raise _wrong("of_other_kinds", name, _("Kind “%(kind)s” has no %(field)s."), kind)
        if not self.price and kind not in Reward.MAY_BE_FREE:
            raise _wrong("needed", "price", _("Give %(field)s with kind “%(kind)s”."), self.kind)
        if self.stacking_group and not self.combines:
            words = _("Only what goes together with others has a group.")
            raise _wrong("alone", "stacking_group", words, kind)
        if self.amount and self.things:
            raise _wrong("two_worths", "things", _("Say things or money, not both."), kind)
        if self.starts_at and self.window:
            words = _("It begins with a sale or at a time of its own, not both.")
            raise _wrong("two_beginnings", "window", words, kind)
        if self.starts_at and self.ends_at and self.ends_at <= self.starts_at:
            raise _wrong("ends_first", "ends_at", _("Later than it begins."), kind)
        return self


def _wrong(code: str, field: str, words: str, kind: str) -> PydanticCustomError:
    """Something about the whole that is to be said at one of its fields, which `ctx` names."""
    message = words % {"field": field, "kind": kind}
    return PydanticCustomError(code, "{message}", {"message": message, "field": field})
