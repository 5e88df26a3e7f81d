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
from django.db.migrations.utils import resolve_relation

Key = tuple[str, str]
clone_state = ProjectState.clone


class LazyApps(StateApps):
    """Models of a state, those that are outdated only by name."""

    def __init__(self, real_apps: Any, models: dict[Key, ModelState], **options: Any) -> None:
        self.outdated: set[Key] = set()
        # That of the project's state, which changes it.
        self.states = models
        super().__init__(real_apps, models, **options)

    def clone(self) -> LazyApps:
        made = super().clone()
        assert isinstance(made, LazyApps)
        made.outdated = set(self.outdated)
        return made

    def outdate(self, keys: Iterable[Key]) -> None:
        gone = reached(keys, users(self.states))
        with self.bulk_update():
            for key in gone:
                self.unregister_model(*key)
        self.outdated |= gone

    def render(self, keys: Iterable[Key]) -> None:
        """Those of them that are outdated, and all that they lead to."""
        wanted = self.outdated.intersection(keys)
        if not wanted:
            return
        wanted = reached(wanted, {key: led_to(self.states[key]) for key in self.outdated_now()})
        wanted &= self.outdated
        self.outdated -= wanted
        self.render_multiple([self.states[key] for key in sorted(wanted)])

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


def users(models: dict[Key, ModelState]) -> dict[Key, set[Key]]:
    """By model those whose classes cannot be without it."""
    found: dict[Key, set[Key]] = defaultdict(set)
    for key, model in models.items():
        for target in led_to(model):
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


def reload_model(self: ProjectState, app_label: str, model_name: str, delay: bool = False) -> None:
    reload_models(self, {(app_label, model_name)}, delay)


def reload_models(self: ProjectState, models: Iterable[Key], delay: bool = True) -> None:
    if "apps" not in self.__dict__:
        return
    apps: Any = self.apps
    keys = set(models)
    # Operations that run code have models without a trace of those before.
    self.is_delayed = True
    for key in () if delay else keys.intersection(self.models):
        remember_what_leads_to(apps, key)
    apps.outdate(keys)


def remember_what_leads_to(apps: LazyApps, key: Key) -> None:
    """Where others refer to what is changed, their keys are changed with it: what the model was
    before knows them."""
    try:
        before = apps.get_model(*key)
    except LookupError:
        return  # it is new
    _ = before._meta.related_objects


@contextmanager
def rendered_when_needed() -> Iterator[None]:
    """Within it, states of projects have `LazyApps`."""
    ours = {"clone": clone, "reload_model": reload_model, "reload_models": reload_models}
    theirs = {name: getattr(ProjectState, name) for name in ours}
    states.StateApps = LazyApps  # type: ignore[assignment,misc]
    for name, function in ours.items():
        setattr(ProjectState, name, function)
    try:
        yield
    finally:
        states.StateApps = StateApps  # type: ignore[misc]
        for name, function in theirs.items():
            setattr(ProjectState, name, function)
