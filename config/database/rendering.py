"""Migrations render a model when they look at it, and not each time that something near it changes.

Django keeps the models as they are between two steps as classes, and makes those of all models
that are related to a changed one anew with each step: where most models are related to each other,
that is nine tenths of the time that migrations take. Here the classes that a change has outdated,
the model's and those whose keys lead to it, wait until somebody asks for one of them. It comes with
all that its keys lead to; who looks through all models, or for what leads to one, has every one.

Operations that run code see models that are made from the beginning, as ever.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.apps.registry import Apps
from django.db.migrations import state as states
from django.db.migrations.state import ModelState, ProjectState, StateApps
from django.db.migrations.utils import field_is_referenced, resolve_relation

Key = tuple[str, str]
clone_state = ProjectState.clone
alter_field_of_state = ProjectState.alter_field
rename_field_of_state = ProjectState.rename_field


class LazyApps(StateApps):
    """Models of a state, those that are outdated only by name."""

    def __init__(self, real_apps: Any, models: dict[Key, ModelState], **options: Any) -> None:
        self.outdated: set[Key] = set()
        # That of the project's state, which changes it.
        self.states = models
        # As far as it was asked for; each change of a model is told to `outdate`.
        self.led: dict[Key, set[Key]] = {}
        super().__init__(real_apps, models, **options)

    def clone(self) -> LazyApps:
        made = super().clone()
        assert isinstance(made, LazyApps)
        made.outdated = set(self.outdated)
        made.led = dict(self.led)
        return made

    def outdate(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self.led.pop(key, None)
        gone = reached(keys, users({key: self.led_to(key) for key in self.states}))
        with self.bulk_update():
            for key in gone:
                self.unregister_model(*key)
        self.outdated |= gone

    def render(self, keys: Iterable[Key]) -> None:
        """Those of them that are outdated, and all that they lead to."""
        wanted = self.outdated.intersection(keys)
        if not wanted:
            return
        wanted = reached(wanted, {key: self.led_to(key) for key in self.outdated_now()})
        wanted &= self.outdated
        self.outdated -= wanted
        self.render_multiple([self.states[key] for key in sorted(wanted)])

    def led_to(self, key: Key) -> set[Key]:
        if key not in self.led:
            self.led[key] = led_to(self.states[key])
        return self.led[key]

    def outdated_now(self) -> set[Key]:
        """Without models that were removed or renamed since."""
        self.outdated &= self.states.keys()
        return self.outdated

    def get_model(self, app_label: str, model_name: Any = None, require_ready: bool = True) -> Any:
        label, name = (app_label, model_name) if model_name else app_label.split(".")
        key = (label, name.lower())
        # A table between two models is no model of the state: it comes with one of them.
        self.render([key] if key in self.states else self.outdated_now())
        return super().get_model(app_label, model_name, require_ready)

    @functools.cache  # noqa: B019 (as that of Django, which empties it)
    def get_models(self, include_auto_created: bool = False, include_swapped: bool = False) -> Any:
        self.render(self.outdated_now())
        return Apps.get_models.__wrapped__(  # type: ignore[attr-defined]
            self, include_auto_created, include_swapped
        )

    # Django's is one for all registries, and emptied by each model that is made in any.
    get_swappable_settings_name = functools.cache(
        Apps.get_swappable_settings_name.__wrapped__  # type: ignore[attr-defined]
    )


def led_to(model: ModelState) -> set[Key]:
    """What a model's class cannot be without: what its keys name, and what it inherits from."""
    found = {base for base in model.bases if isinstance(base, str)}
    relations = [
        field.remote_field for field in model.fields.values() if field.remote_field is not None
    ]
    named: set[Any] = {relation.model for relation in relations}
    named |= {getattr(relation, "through", None) for relation in relations} - {None}
    return {
        resolve_relation(each, model.app_label, model.name_lower) for each in found | named
    }  # fmt: skip


def users(led: dict[Key, set[Key]]) -> dict[Key, set[Key]]:
    """By model those whose classes cannot be without it."""
    found: dict[Key, set[Key]] = defaultdict(set)
    for key, targets in led.items():
        for target in targets:
            found[target].add(key)
    return found


def reached(keys: Iterable[Key], steps: dict[Key, set[Key]]) -> set[Key]:
    """These, and all that steps lead to from them."""
    seen, waiting = set(keys), list(keys)
    while waiting:
        new = steps.get(waiting.pop(), set()) - seen
        seen |= new
        waiting += new
    return seen


def clone(self: ProjectState) -> ProjectState:
    made = clone_state(self)
    if "apps" in made.__dict__:
        made.apps.states = made.models  # type: ignore[attr-defined]
    return made


def clone_model(self: ModelState) -> ModelState:
    """Django's looks again at each of its fields, which were looked at when they came."""
    made = ModelState.__new__(type(self))
    made.__dict__.update(
        self.__dict__,
        fields=dict(self.fields), options=dict(self.options), managers=list(self.managers),
    )  # fmt: skip
    # Worked out from the name, which the copy may be given anew.
    made.__dict__.pop("name_lower", None)
    return made


def reload_model(self: ProjectState, app_label: str, model_name: str, delay: bool = False) -> None:
    reload_models(self, {(app_label, model_name)})


def reload_models(self: ProjectState, models: Iterable[Key], delay: bool = True) -> None:
    if "apps" not in self.__dict__:
        return
    # Operations that run code have models without a trace of those before.
    self.is_delayed = True
    self.apps.outdate(set(models))  # type: ignore[attr-defined]


def alter_field(
    self: ProjectState, app_label: str, model_name: str, name: str, *options: Any
) -> None:
    remember_what_leads_to(self, (app_label, model_name), name)
    alter_field_of_state(self, app_label, model_name, name, *options)


def rename_field(
    self: ProjectState, app_label: str, model_name: str, old_name: str, new_name: str
) -> None:
    remember_what_leads_to(self, (app_label, model_name), old_name)
    rename_field_of_state(self, app_label, model_name, old_name, new_name)


def remember_what_leads_to(state: ProjectState, key: Key, name: str) -> None:
    """Where others refer to a field that is changed, their keys are changed with it: what the model
    was before knows them."""
    field = state.models[key].fields.get(name)
    if field is None or "apps" not in state.__dict__:
        return
    if field_is_referenced(state, key, (name, field)):
        _ = state.apps.get_model(*key)._meta.related_objects


@contextmanager
def rendered_when_needed() -> Iterator[None]:
    """Within it, states of projects have `LazyApps`."""
    ours = (clone, alter_field, rename_field, reload_model, reload_models)
    theirs = {each.__name__: getattr(ProjectState, each.__name__) for each in ours}
    clone_as_ever = ModelState.clone
    states.StateApps = LazyApps  # type: ignore[assignment,misc]
    ModelState.clone = clone_model  # type: ignore[method-assign]
    for each in ours:
        setattr(ProjectState, each.__name__, each)
    try:
        yield
    finally:
        states.StateApps = StateApps  # type: ignore[misc]
        ModelState.clone = clone_as_ever  # type: ignore[method-assign]
        for name, function in theirs.items():
            setattr(ProjectState, name, function)
