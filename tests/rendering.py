"""What a page of a test's browser was made with.

Django keeps a copy of the context of each template that is rendered, so of every icon and button.
Here it keeps that of the page: `response.context["form"]` is what the view gave.
"""

from typing import Any

from django.template import Template
from django.template.context import Context
from django.test.signals import template_rendered


def install() -> None:
    """Once Django has put its own in place."""
    Template._render = render  # type: ignore[assignment,method-assign]


def render(self: Template, context: Context) -> Any:
    if context.template is self:
        template_rendered.send(sender=self, template=self, context=context)
    return self.nodelist.render(context)
