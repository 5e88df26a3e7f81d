"""Codes on the screens: many from a file or made by a worker, and those that many may use."""

import io
import uuid

import pytest
from django.test import Client
from django.utils import timezone

from members.models import Job
from members.services.audit import SYSTEM
from members.services.job_runs import run_job
from rewards.backoffice import voucher_pools
from rewards.models import Voucher
from rewards.services.vouchers import use_voucher
from tests.loyalty.backoffice.conftest import Member
from tests.rewards.backoffice.screens import text, url
from tests.rewards.factories import offer

pytestmark = [
    pytest.mark.django_db, pytest.mark.usefixtures("ana_for_all", "undone_when_refused"),
]  # fmt: skip


@pytest.fixture
def pool(manager: Client, ana: Member):
    manager.post(url("voucher_pool_create", "beans"), {"name": "Films"})
    return ana.program.voucher_pools.get()


def test_a_large_file_is_read_by_a_worker_and_a_second_upload_is_the_same_job(
    manager: Client, pool, settings, tmp_path, monkeypatch
):
    settings.VAR_DIR = tmp_path
    # No worker comes before both are there.
    monkeypatch.setattr(voucher_pools, "queue_job", lambda _job: None)
    lines = (f"FILM-{number:06}-{uuid.uuid4().hex[:26]}" for number in range(7000))
    codes = "\n".join(lines).encode()
    fill = url("voucher_pool_fill", "beans", pool.code)
    for _upload in range(2):
        file = io.BytesIO(codes)
        file.name = "codes.csv"
        answer = manager.post(fill, {"file": file})
        assert "/jobs/" in answer["Location"]
    job = Job.objects.get(kind="voucher_import")
    run_job(job.pk)
    assert Voucher.objects.filter(pool=pool).count() == 7000
    page = text(manager.get(answer["Location"]))
    assert "7,000 added" in page


def test_codes_are_made_once_for_each_look_at_the_form(manager: Client, pool):
    address = url("voucher_pool_generate", "beans", pool.code)
    assert "How many" in text(manager.get(address))
    form = {"count": "25", "code_prefix": "tea", "key": str(uuid.uuid4())}
    for _click in range(2):
        manager.post(address, form)
    job = Job.objects.get(kind="voucher_generation")
    run_job(job.pk)
    manager.post(address, form)
    assert Job.objects.filter(kind="voucher_generation").count() == 1
    assert Voucher.objects.filter(code__startswith="TEA").count() == 25
    for wrong in ({"count": "0"}, {"count": "1000001"}, {"code_prefix": "a b"}):
        assert manager.post(address, form | wrong).status_code == 422


def test_a_shared_code_is_made_seen_and_stopped(manager: Client, client_of, ana: Member):
    reward = offer(ana.program)
    address = url("shared_code_create", "beans", reward.code)
    assert manager.post(address, {"written": "!", "most_uses": "5"}).status_code == 422
    manager.post(address, {"written": "SUMMER-26", "most_uses": "5", "until": ""})
    code = Voucher.objects.get()
    use_voucher(
        voucher=code, checkout="A", occasion=None, actor=SYSTEM, now=timezone.now(),
        member=ana.membership,
    )  # fmt: skip
    page = url("reward_page", "beans", reward.code)
    assert "SUMMER-26" in text(manager.get(page))
    assert "1 of 5" in text(manager.get(page))
    assert "SUMMER-26" not in text(client_of("analyst").get(page))
    manager.post(url("shared_code_stop", code.public_id))
    code.refresh_from_db()
    assert code.status == "void"
    assert manager.post(url("shared_code_stop", uuid.uuid4())).status_code == 404
