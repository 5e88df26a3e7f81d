"""Block components for templates: a tag with typed parameters, a body and named slots.

A component is a function from its parameters to the context of a partial template; the partial
lives in templates/components/. Django's own simple_block_tag has a body but no slots.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import getfullargspec
from typing import Any, cast

from django.template import Context, Library, Node, NodeList, TemplateSyntaxError
from django.template.base import FilterExpression, Parser, Token
from django.template.library import parse_bits
from django.urls import get_script_prefix
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, get_language_bidi

type_of_component = Callable[..., dict[str, Any]]

_STACK = "setia_slots"


def open_components(context: Context) -> list[dict[str, str]]:
    """The slots of every component that is being rendered, the innermost last."""
    return cast("list[dict[str, str]]", context.render_context.setdefault(_STACK, []))


class SlotNode(Node):
    """Hands its rendered body to the component around it and prints nothing in place."""

    def __init__(self, name: str, nodelist: NodeList) -> None:
        self.name = name
        self.nodelist = nodelist

    def render(self, context: Context) -> SafeString:
        stack = open_components(context)
        if not stack:
            raise TemplateSyntaxError(f"Slot {self.name!r} stands outside of any component.")
        stack[-1][self.name] = self.nodelist.render(context)
        return mark_safe("")


def compile_slot(parser: Parser, token: Token) -> SlotNode:
    """Compile `{% slot "actions" %}…{% endslot %}`; the name is a literal."""
    bits = token.split_contents()
    if len(bits) != 2:
        raise TemplateSyntaxError("A slot takes exactly one name.")
    nodelist = parser.parse(("endslot",))
    parser.delete_first_token()
    return SlotNode(bits[1].strip("\"'"), nodelist)


class KeptNode(Node):
    """Draws its body once for each language, and from then on hands out what it has. The body
    knows the language alone: nothing of a page, or of its reader, can be in it."""

    def __init__(self, nodelist: NodeList) -> None:
        self.nodelist = nodelist
        self.kept: dict[tuple[str | None, str], SafeString] = {}

    def render(self, context: Context) -> SafeString:
        language = get_language()
        # Addresses begin with where all of it is.
        place = (language, get_script_prefix())
        found = self.kept.get(place)
        if found is None:
            direction = "rtl" if get_language_bidi() else "ltr"
            own = context.new({"language": language, "direction": direction})
            own.template = context.template
            found = self.kept[place] = self.nodelist.render(own)
        return found


def compile_kept(parser: Parser, token: Token) -> KeptNode:
    """Compile `{% kept %}…{% endkept %}`: what is the same on every page in a language."""
    nodelist = parser.parse(("endkept",))
    parser.delete_first_token()
    return KeptNode(nodelist)


class ComponentNode(Node):
    """Renders body and slots first, then the component's partial around them."""

    def __init__(
        self,
        component: type_of_component,
        template_name: str,
        nodelist: NodeList,
        args: list[FilterExpression],
        kwargs: dict[str, FilterExpression],
    ) -> None:
        self.component = component
        self.template_name = template_name
        self.nodelist = nodelist
        self.args = args
        self.kwargs = kwargs

    def render(self, context: Context) -> SafeString:
        stack = open_components(context)
        stack.append({})
        try:
            content = self.nodelist.render(context)
        finally:
            slots = stack.pop()
        args = [arg.resolve(context) for arg in self.args]
        kwargs = {name: value.resolve(context) for name, value in self.kwargs.items()}
        values = self.component(context, *args, **kwargs)
        values.update(content=mark_safe(content.strip()), slots=slots)
        return render_partial(context, self.template_name, values)


def render_partial(context: Context, template_name: str, values: dict[str, Any]) -> SafeString:
    """Render a component's partial with its own values and what every page knows."""
    engine = context.template.engine if context.template else None
    if engine is None:  # pragma: no cover - a context is always bound while rendering
        raise RuntimeError("A component can only be rendered inside a template.")
    inner = context.new(values)
    for name in ("csrf_token", "request", "in_dialog", "in_panel"):
        if name in context and name not in values:
            inner[name] = context[name]
    return engine.get_template(template_name).render(inner)


def block_component(
    register: Library, name: str, template_name: str
) -> Callable[[type_of_component], type_of_component]:
    """Register a function `(context, …)` as the tag `{% name … %}…{% endname %}`."""

    def decorate(component: type_of_component) -> type_of_component:
        spec = getfullargspec(component)

        def compile_component(parser: Parser, token: Token) -> ComponentNode:
            args, kwargs = parse_bits(  # type: ignore[call-arg]
                parser,
                token.split_contents()[1:],
                spec.args,
                spec.varargs,
                spec.varkw,
                spec.defaults,
                spec.kwonlyargs,
                spec.kwonlydefaults,
                True,  # type: ignore[arg-type]
                name,
            )
            nodelist = parser.parse((f"end{name}",))
            parser.delete_first_token()
            return ComponentNode(component, template_name, nodelist, args, kwargs)

        register.tag(name, compile_component)
        return component

    return decorate
