from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import to_locale

from config.catalogs.customers import customers_texts
from config.catalogs.files import compile_catalogs, renew_catalog


class Command(BaseCommand):
    help = "Bring the catalogs of what customers read in step with the code, and compile them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--missing", action="store_true", help="show what is not translated")

    def handle(self, *args: Any, missing: bool, **options: Any) -> None:
        texts = customers_texts()
        for code, name in settings.KNOWN_LANGUAGES:
            if code == settings.LANGUAGE_CODE:
                continue
            lacking = renew_catalog(to_locale(code), texts)
            self.stdout.write(
                f"{name}: {len(texts.places)} texts, {len(lacking)} not translated yet."
            )
            for text in lacking if missing else ():
                self.stdout.write(f"  {text.forms[0]}")
        self.stdout.write(f"{len(compile_catalogs())} compiled.")
