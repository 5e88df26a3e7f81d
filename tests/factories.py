"""People and things of the lowest application, with nothing invented that a test does not need."""

from __future__ import annotations

from typing import Any

import factory
from allauth.account.models import EmailAddress
from factory.django import DjangoModelFactory

from members.models import ApiKey, Customer, CustomerNote, Job, OutboxEvent, StaffMember, User
from members.services.api_keys import SCOPES, create_api_key
from members.services.audit import SYSTEM

PASSWORD = "a-password-of-tests"


class UserFactory(DjangoModelFactory[User]):
    """Somebody who can sign in with `PASSWORD`: the address is proved to be theirs."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda number: f"user{number}@example.com")
    name = factory.Sequence(lambda number: f"User {number}")

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **fields: Any) -> User:
        password = fields.pop("password", PASSWORD)
        return model_class.objects.create_user(password=password, **fields)

    @factory.post_generation
    def verified(self: User, create: bool, extracted: bool | None, **kwargs: Any) -> None:
        if create:
            EmailAddress.objects.create(
                user=self, email=self.email, primary=True, verified=extracted is not False
            )


class StaffMemberFactory(DjangoModelFactory[StaffMember]):
    class Meta:
        model = StaffMember

    user = factory.SubFactory(UserFactory)
    role = StaffMember.Role.SUPPORT_AGENT

    class Params:
        administrator = factory.Trait(role=StaffMember.Role.ADMINISTRATOR)


class CustomerFactory(DjangoModelFactory[Customer]):
    class Meta:
        model = Customer

    given_name = factory.Sequence(lambda number: f"Given{number}")
    family_name = factory.Sequence(lambda number: f"Family{number}")
    email = factory.Sequence(lambda number: f"customer{number}@example.com")
    external_id = factory.Sequence(lambda number: f"C-{number:05}")

    class Params:
        # A customer who has signed in.
        with_user = factory.Trait(
            user=factory.SubFactory(UserFactory, email=factory.SelfAttribute("..email"))
        )


class CustomerNoteFactory(DjangoModelFactory[CustomerNote]):
    class Meta:
        model = CustomerNote

    customer = factory.SubFactory(CustomerFactory)
    text = "Prefers to be called in the afternoon."


class ApiKeyFactory(DjangoModelFactory[ApiKey]):
    """A key that may do everything; `key.presented` is what a shop would send."""

    class Meta:
        model = ApiKey

    name = factory.Sequence(lambda number: f"Shop {number}")
    scopes = list(SCOPES)

    @classmethod
    def _create(cls, model_class: type[ApiKey], *args: Any, **fields: Any) -> ApiKey:
        key, presented = create_api_key(actor=SYSTEM, **fields)
        key.presented = presented  # type: ignore[attr-defined]
        return key


class JobFactory(DjangoModelFactory[Job]):
    class Meta:
        model = Job

    kind = "import"
    label = "orders.csv"
    fingerprint = factory.Sequence(lambda number: f"fingerprint-{number}")


class OutboxEventFactory(DjangoModelFactory[OutboxEvent]):
    class Meta:
        model = OutboxEvent

    kind = "test.happened"
    payload = factory.Sequence(lambda number: {"number": number})
