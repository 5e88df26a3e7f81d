"""Migrations render a model when they look at it, and not each time that something near it changes.

Django keeps the models as they are between two steps as classes, and makes those of all models
that are related to a changed one anew with each step: where most models are related to each other,
that is nine tenths of the time that migrations take. Here all classes wait until somebody asks for
one of them, and so do again those that a change has outdated, the model's and those whose keys lead
to it. It comes with all that its keys lead to, and with names for what leads to it, behind which
that is made once it is used; who looks through all models, or for all that leads to one, has every
one.

Operations that run code see models without a trace of those before, as ever.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.apps.registry import Apps
from django.core.exceptions import FieldDoesNotExist
from django.db.migrations import state as states
from django.db.migrations.state import AppConfigStub, ModelState, ProjectState, StateApps
from django.db.migrations.utils import field_is_referenced, resolve_relation
from django.db.models.options import Options

Key = tuple[str, str]
clone_state = ProjectState.clone
alter_field_of_state = ProjectState.alter_field
rename_field_of_state = ProjectState.rename_field
get_field_as_ever = Options.get_field


class LazyApps(StateApps):
    """Models of a state, those that nobody asked for and those that are outdated only by name."""

    def __init__(self, real_apps: Any, models: dict[Key, ModelState], **options: Any) -> None:
        self.outdated: set[Key] = set()
        # That of the project's state, which changes it.
        self.states = models
        # As far as it was asked for; each change of a model is told to `outdate`.
        self.led: dict[Key, dict[Key, set[str]]] = {}
        super().__init__(real_apps, {}, **options)
        self.outdated |= models.keys()

    def clone(self) -> LazyApps:
        """As Django's, which looks into each class to see that it is not to be copied."""
        made = LazyApps([], {})
        for label, models in self.all_models.items():
            made.all_models[label] = dict(models)
        for label in self.app_configs:
            config = made.app_configs[label] = AppConfigStub(label)
            config.apps = made
            config.import_models()
        made.real_models = self.real_models
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
        self.await_what_leads_to(wanted)

    def await_what_leads_to(self, keys: set[Key]) -> None:
        for key in self.outdated:
            for target, names in self.led_to(key).items():
                if target in keys:
                    label, model_name = target
                    model = self.all_models[label][model_name]._meta.concrete_model
                    for name in names:
                        setattr(model, name, Awaited(self, key, model, name))

    def led_to(self, key: Key) -> dict[Key, set[str]]:
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
        found = self.all_models[label].get(name.lower())
        return found or super().get_model(app_label, model_name, require_ready)

    def is_asked_for(self, name: str) -> bool:
        """Whether anything that leads to some model goes by this name there."""
        return any(
            asked_by(model, field.remote_field) == name
            for model in self.states.values()
            for field in model.fields.values()
            if field.remote_field is not None
        )

    def get_app_config(self, app_label: str) -> Any:
        self.render(self.outdated_now())
        return super().get_app_config(app_label)

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


class Awaited:
    """What leads to a model, under its name there, until that is rendered: Django then puts its own
    in this place."""

    def __init__(self, apps: LazyApps, key: Key, model: Any, name: str) -> None:
        self.apps, self.key, self.model, self.name = apps, key, model, name

    def __get__(self, instance: Any, owner: Any) -> Any:
        self.make_room()
        return getattr(owner if instance is None else instance, self.name)

    def __set__(self, instance: Any, value: Any) -> None:
        self.make_room()
        setattr(instance, self.name, value)

    def make_room(self) -> None:
        self.apps.render([self.key])
        if vars(self.model).get(self.name) is self:
            delattr(self.model, self.name)


def led_to(model: ModelState) -> dict[Key, set[str]]:
    """What a model's class cannot be without: what its keys name, and what it inherits from; and
    the names by which it is reached from there."""
    found: dict[Key, set[str]] = defaultdict(set)
    for base in model.bases:
        if isinstance(base, str):
            _ = found[resolve_relation(base)]
    for field in model.fields.values():
        relation = field.remote_field
        if relation is None:
            continue
        target = found[resolve_relation(relation.model, model.app_label, model.name_lower)]
        if not relation.hidden:
            target.add(name_there(model, relation))
        if through := getattr(relation, "through", None):
            _ = found[resolve_relation(through, model.app_label, model.name_lower)]
    return found


def name_there(model: ModelState, relation: Any) -> str:
    """That of the attribute by which the other model leads here."""
    return in_full(relation.related_name, model) or (
        f"{model.name_lower}{'_set' if relation.multiple else ''}"
    )


def asked_by(model: ModelState, relation: Any) -> str:
    """By which name those who ask for the other model speak of this one."""
    named = relation.related_query_name or relation.related_name
    return in_full(named, model) or model.name_lower


def in_full(name: str | None, model: ModelState) -> str:
    about = {"class": model.name_lower, "model_name": model.name_lower}
    return str(name % {**about, "app_label": model.app_label}) if name else ""


def users(led: Mapping[Key, Iterable[Key]]) -> dict[Key, set[Key]]:
    """By model those whose classes cannot be without it."""
    found: dict[Key, set[Key]] = defaultdict(set)
    for key, targets in led.items():
        for target in targets:
            found[target].add(key)
    return found


def reached(keys: Iterable[Key], steps: Mapping[Key, Iterable[Key]]) -> set[Key]:
    """These, and all that steps lead to from them."""
    seen, waiting = set(keys), list(keys)
    while waiting:
        new = set(steps.get(waiting.pop(), ())) - seen
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


def get_field(self: Options[Any], field_name: str) -> Any:
    """Nor is a lookup, such as that a key is null, a name of what leads to the model of the key: to
    see that, Django makes all that does."""
    if (
        isinstance(self.apps, LazyApps)
        and field_name not in self._forward_fields_map  # type: ignore[attr-defined]
        and not self.apps.is_asked_for(field_name)
    ):
        raise FieldDoesNotExist(f"{self.object_name} has no field named '{field_name}'")
    return get_field_as_ever(self, field_name)


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
    Options.get_field = get_field  # type: ignore[method-assign]
    for each in ours:
        setattr(ProjectState, each.__name__, each)
    try:
        yield
    finally:
        states.StateApps = StateApps  # type: ignore[misc]
        ModelState.clone = clone_as_ever  # type: ignore[method-assign]
        Options.get_field = get_field_as_ever  # type: ignore[method-assign]
        for name, function in theirs.items():
            setattr(ProjectState, name, function)
