from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from loyalty.program_files import dump_definition
from loyalty.program_templates.kinds import build, read_answers
from loyalty.program_templates.registry import TEMPLATES, template_named
from members.errors import DomainError


class Command(BaseCommand):
    help = "Write a kind of program, with its usual answers, as a file that apply_program takes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("template", help="the template's code")
        parser.add_argument("--name", help="what the program is called; by default as its kind")
        parser.add_argument("--code", help="the program's code; by default the template's")
        parser.add_argument("--currency", default="USD")
        parser.add_argument("--time-zone", default="UTC")
        parser.add_argument("--output", type=Path, help="write here instead of standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        template = template_named(options["template"])
        if template is None:
            known = ", ".join(item.code for item in TEMPLATES)
            raise CommandError(f"There is no such template. Templates: {known}.")
        given = {
            "program_name": options["name"] or str(template.name),
            "code": options["code"] or template.code,
            "currency": options["currency"],
            "time_zone": options["time_zone"],
        }
        try:
            text = dump_definition(build(template, read_answers(template, given)))
        except DomainError as error:
            wrong = "\n".join(f"  {item.field}: {item.message}" for item in error.errors)
            raise CommandError(f"{error.message}\n{wrong}") from error
        if options["output"]:
            options["output"].write_text(text, encoding="utf-8")
        else:
            self.stdout.write(text, ending="")
