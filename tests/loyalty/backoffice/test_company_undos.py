"""The page that undoes an import of companies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from django.test import Client
from django.urls import reverse

from loyalty.models import Pool, Program
from loyalty.services.company_imports import run_company_import, start_company_import
from members.services.audit import SYSTEM
from tests.loyalty.backoffice.conftest import url

ROWS = "company_id,name,customer_id,role\nK-1,Oak,b1,owner\nK-1,,b2,\nK-2,Elm,b3,owner\n"


def test_the_page_says_what_would_happen_and_the_jobs_page_leads_to_it(
    beans: Program, tmp_path: Path, client_of: Callable[[str], Client]
) -> None:
    path = tmp_path / "companies.csv"
    path.write_text(ROWS)
    job = start_company_import(program=beans, path=path, actor=SYSTEM)
    run_company_import(job.pk)
    manager, address = client_of("marketing_manager"), url("company_undo", job.public_id)
    page = manager.get(reverse("backoffice:job", args=[job.public_id]))
    assert address in page.content.decode()
    assert "2 companies that the file founded" in manager.get(address).content.decode()
    answer = manager.post(address, {"reason": "The wrong file"})
    assert answer.status_code == 302
    assert not Pool.objects.filter(status="open", kind="company").exists()
    assert "There is nothing left to undo." in manager.get(address).content.decode()
