"""Models that migrations render when they look at them are those that Django renders each time."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps.registry import Apps
from django.apps.registry import apps as installed
from django.core.exceptions import FieldDoesNotExist
from django.db import connection, models
from django.db.migrations import CreateModel
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.models import ModelOperation
from django.db.migrations.state import ModelState, ProjectState, StateApps

from config.database.rendering import LazyApps, rendered_when_needed


def all_migrations() -> list[Any]:
    """In their order."""
    graph = MigrationLoader(None).graph
    return [graph.nodes[key] for key in graph._generate_plan(graph.leaf_nodes(), at_end=True)]


def look_at_model(state: ProjectState, label: str, operation: Any) -> None:
    """The one that an operation gets to see."""
    name = looked_at(operation)
    if name and (label, name.lower()) in state.models:
        state.apps.get_model(label, name)


def looked_at(operation: Any) -> str | None:
    if isinstance(operation, ModelOperation):
        return operation.name
    return getattr(operation, "model_name", None)


def described(apps: Apps) -> dict[str, Any]:
    return {model._meta.label: description(apps, model) for model in apps.get_models()}


def description(apps: Apps, model: type[models.Model]) -> Any:
    """All that statements are made of."""
    meta = model._meta
    return (
        meta.db_table,
        [(field.name, field.column, field.db_type(connection)) for field in meta.local_fields],
        [f"{field.deconstruct()}" for field in [*meta.local_fields, *meta.local_many_to_many]],
        [f"{each.deconstruct()}" for each in [*meta.constraints, *meta.indexes]],
        sorted((str(each.related_model), each.name) for each in meta.related_objects),
    )


def leads_to_what_there_was(apps: Apps) -> list[str]:
    """Keys whose other side is a class that is outdated."""
    return [
        f"{field}"
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.get_fields(include_hidden=True)
        if (other := field.related_model) is not None
        and other is not apps.get_model(other._meta.label)
    ]


def test_after_all_steps_every_model_is_as_django_renders_it(db: None) -> None:
    state = ProjectState()
    with rendered_when_needed():
        for migration in all_migrations():
            for operation in migration.operations:
                operation.state_forwards(migration.app_label, state)
                # What stands for many steps is made of whole models.
                if not migration.replaces:
                    look_at_model(state, migration.app_label, operation)
        assert isinstance(state.apps, LazyApps)
        assert state.apps.outdated
        found, astray = described(state.apps), leads_to_what_there_was(state.apps)
    assert astray == []
    assert found == described(StateApps([], state.models))


@pytest.fixture
def shop() -> Any:
    """Lines of orders of customers, and notes that belong to nothing."""
    state = ProjectState()
    for name, to in (("Customer", None), ("Order", "Customer"), ("Line", "Order"), ("Note", None)):
        key = models.ForeignKey(f"shop.{to}", models.CASCADE, related_name="those") if to else None
        fields: list[Any] = [("id", models.BigAutoField(primary_key=True))]
        state.add_model(ModelState("shop", name, [*fields, ("of", key)] if key else fields))
    with rendered_when_needed():
        state.apps.get_models()
        yield state


def add_name(state: ProjectState, model: str) -> None:
    state.add_field("shop", model, "name", models.CharField(max_length=9, default=""), True)


def test_a_change_outdates_what_leads_to_the_model_and_nothing_else(shop: Any) -> None:
    before = {name: shop.apps.get_model("shop", name) for name in ("customer", "order", "note")}
    add_name(shop, "order")
    assert shop.apps.outdated == {("shop", "order"), ("shop", "line")}
    order = shop.apps.get_model("shop", "order")
    assert order._meta.get_field("name")
    assert shop.apps.outdated == {("shop", "line")}
    assert order._meta.get_field("of").related_model is before["customer"]
    assert shop.apps.get_model("shop", "note") is before["note"]
    assert shop.apps.get_model("shop.Line")._meta.get_field("of").related_model is order


def test_a_key_that_came_later_is_followed_with_the_next_change(shop: Any) -> None:
    shop.apps.get_model("shop", "note")
    key = models.ForeignKey("shop.Customer", models.CASCADE, null=True)
    shop.add_field("shop", "note", "about", key, True)
    assert shop.apps.outdated == {("shop", "note")}
    note = shop.apps.get_model("shop", "note")
    kept = shop.clone()
    shop.remove_field("shop", "note", "about")
    for state, follows in ((kept, True), (shop, False)):
        state.apps.get_models()
        add_name(state, "customer")
        assert (("shop", "note") in state.apps.outdated) is follows
    assert note._meta.get_field("about")


def test_a_copy_that_is_named_anew_goes_by_its_new_name(shop: Any) -> None:
    assert shop.models["shop", "order"].name_lower == "order"
    shop.rename_model("shop", "Order", "Basket")
    assert shop.models["shop", "basket"].name_lower == "basket"


def test_a_copy_of_a_model_is_not_changed_with_it(shop: Any) -> None:
    model = shop.models["shop", "note"]
    made = model.clone()
    assert made == model
    made.fields["name"] = models.CharField(max_length=9)
    made.options["ordering"] = ["name"]
    made.managers.append(("objects", models.Manager()))
    assert (list(model.fields), model.options.get("ordering"), model.managers) == (["id"], None, [])


def test_what_django_knows_of_its_settings_is_kept_while_models_are_made(shop: Any) -> None:
    installed.get_swappable_settings_name("auth.User")
    before = installed.get_swappable_settings_name.cache_info().misses
    add_name(shop, "customer")
    shop.apps.get_models()
    installed.get_swappable_settings_name("auth.User")
    assert installed.get_swappable_settings_name.cache_info().misses == before


def test_a_state_that_was_kept_has_models_of_its_own_time(shop: Any) -> None:
    add_name(shop, "customer")
    kept = shop.clone()
    add_name(shop, "order")
    shop.remove_field("shop", "customer", "name")
    names = [
        [field.name for field in state.apps.get_model("shop", model)._meta.local_fields]
        for state in (kept, shop)
        for model in ("customer", "order")
    ]
    assert names == [["id", "name"], ["id", "of"], ["id"], ["id", "of", "name"]]


def test_who_asks_for_what_leads_to_a_model_sees_all_of_it(shop: Any) -> None:
    add_name(shop, "customer")
    customer = shop.apps.get_model("shop", "customer")
    assert [each.related_model for each in customer._meta.related_objects] == [
        shop.apps.get_model("shop", "order")
    ]


def test_a_model_before_its_key_was_altered_knows_what_led_to_it(shop: Any) -> None:
    before = shop.clone()
    shop.alter_field("shop", "customer", "id", models.UUIDField(primary_key=True), True)
    for state, kind in ((before, "bigint"), (shop, "uuid")):
        customer = state.apps.get_model("shop", "customer")
        (leading,) = customer._meta.related_objects
        assert leading.field.db_type(connection) == kind


def test_models_that_are_removed_and_renamed_are_gone(shop: Any) -> None:
    add_name(shop, "line")
    shop.remove_model("shop", "line")
    shop.rename_model("shop", "Order", "Basket")
    assert {model._meta.model_name for model in shop.apps.get_models()} == {
        "customer", "basket", "note",
    }  # fmt: skip
    with pytest.raises(LookupError):
        shop.apps.get_model("shop", "order")
    assert leads_to_what_there_was(shop.apps) == []


def test_a_model_comes_with_what_its_keys_lead_to_and_nothing_else(shop: Any) -> None:
    apps = begun_anew(shop)
    assert apps.outdated == shop.models.keys()
    order = apps.get_model("shop", "order")
    assert apps.outdated == {("shop", "line"), ("shop", "note")}
    assert order._meta.get_field("of").related_model is apps.get_model("shop", "customer")
    assert apps.outdated == {("shop", "line"), ("shop", "note")}


def test_code_that_follows_a_key_backwards_finds_what_leads_to_the_model(shop: Any) -> None:
    shop.add_field(
        "shop", "note", "about", models.OneToOneField("shop.Order", models.CASCADE), True
    )
    shop.add_field("shop", "note", "hidden", hidden := models.ForeignKey(
        "shop.Customer", models.CASCADE, related_name="+"), True)  # fmt: skip
    assert hidden.remote_field.hidden
    apps = begun_anew(shop)
    customer = apps.get_model("shop", "customer")(id=1)
    assert apps.outdated == shop.models.keys() - {("shop", "customer")}
    assert [name for name in vars(type(customer)) if name in ("those", "note_set", "+")] == [
        "those"
    ]
    assert customer.those.model is apps.get_model("shop", "order")
    order = customer.those.model(id=2, of=customer)
    assert ("shop", "note") in apps.outdated
    order.note = apps.get_model("shop", "note")(about=order)
    assert order.note.about is order
    # Django's own is in its place now.
    assert vars(type(order))["note"].related.related_model is type(order.note)


def test_a_lookup_is_no_name_of_what_leads_to_a_model(shop: Any) -> None:
    apps = begun_anew(shop)
    order = apps.get_model("shop", "order")
    assert "of_id" in str(order.objects.filter(of__isnull=True).query)
    with pytest.raises(FieldDoesNotExist, match="Order has no field named 'isnull'"):
        order._meta.get_field("isnull")
    assert ("shop", "line") in apps.outdated
    # What does lead there is found by its name.
    assert "shop_line" in str(order.objects.filter(those__id=4).query)


def test_who_asks_for_an_application_sees_all_of_its_models(shop: Any) -> None:
    config = begun_anew(shop).get_app_config("shop")
    assert {model.__name__ for model in config.get_models()} == {
        "Customer", "Order", "Line", "Note",
    }  # fmt: skip


def begun_anew(state: ProjectState) -> LazyApps:
    """The models that an operation that runs code has."""
    add_name(state, "customer")
    state.clear_delayed_apps_cache()
    assert isinstance(state.apps, LazyApps)
    return state.apps


def test_what_runs_code_sees_models_made_from_the_beginning(shop: Any) -> None:
    CreateModel("Gift", [("id", models.BigAutoField(primary_key=True))]).state_forwards(
        "shop", shop
    )
    first = shop.apps
    shop.clear_delayed_apps_cache()
    assert shop.apps is not first
    assert shop.apps.get_model("shop", "gift")


def test_elsewhere_django_renders_as_ever() -> None:
    with rendered_when_needed():
        pass
    assert type(ProjectState().apps) is StateApps
