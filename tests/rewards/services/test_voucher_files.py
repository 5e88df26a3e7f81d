"""Many codes: read from a file and made, piece by piece, from where a killed run stood."""

import uuid

import pytest

from members.errors import DomainError
from members.models import AuditEntry, Job
from members.services.audit import SYSTEM
from rewards.codes import is_mistyped
from rewards.models import Voucher
from rewards.services import generated_vouchers, voucher_files
from rewards.services.generated_vouchers import run_generation, start_generation
from rewards.services.voucher_files import run_voucher_import, start_voucher_import
from rewards.services.voucher_pools import create_voucher_pool
from tests.loyalty.factories import make_program
from tests.sharing import of_each_test

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("undone_when_refused")]


_made_once, pool = of_each_test(
    lambda: create_voucher_pool(program=make_program(), code="films", name="Films", actor=SYSTEM)
)


class KilledError(BaseException):
    pass


def begin(pool, tmp_path, lines):
    path = tmp_path / "codes.csv"
    path.write_bytes("\n".join(lines).encode())
    return start_voucher_import(pool=pool, path=path, name="codes.csv", actor=SYSTEM)


def test_a_file_is_read_in_pieces_and_a_killed_run_goes_on_where_it_stood(
    pool, tmp_path, monkeypatch
):
    monkeypatch.setattr(voucher_files, "PIECE", 10)
    lines = ["\ufeffcode", *(f"FILM-{number:04},x" for number in range(35)), "?!", "FILM-0001"]
    job = begin(pool, tmp_path, lines)
    whole, calls = voucher_files.add_piece, []

    def die_in_the_third(*given):
        calls.append(1)
        if len(calls) == 3:
            raise KilledError
        whole(*given)

    monkeypatch.setattr(voucher_files, "add_piece", die_in_the_third)
    with pytest.raises(KilledError):
        run_voucher_import(job.pk)
    assert Voucher.objects.count() == 19
    monkeypatch.setattr(voucher_files, "add_piece", whole)
    Job.objects.filter(pk=job.pk).update(state="queued")
    done = run_voucher_import(job.pk)
    assert (done.state, done.done, Voucher.objects.filter(status="waiting").count()) == (
        "succeeded", 38, 35,
    )  # fmt: skip
    assert done.result == {"added": 35, "known": 1, "refused": 1}
    assert [(item.row, item.file) for item in done.errors.all()] == [(37, "codes")]
    assert voucher_files.import_words(done) == "35 added, 1 known already, 1 refused"
    entry = AuditEntry.objects.get(action="voucher_pool.filled")
    assert entry.after == {"added": 35, "known": 1, "refused": 1}


def test_a_file_that_is_gone_says_so(pool, tmp_path):
    job = begin(pool, tmp_path, ["A-1234"])
    (tmp_path / "codes.csv").unlink()
    with pytest.raises(DomainError):
        run_voucher_import(job.pk)
    assert Job.objects.get(pk=job.pk).state == "failed"


def test_so_many_codes_are_made_as_were_wanted_and_once_for_a_key(pool, monkeypatch):
    monkeypatch.setattr(generated_vouchers, "PIECE", 40)
    key = uuid.uuid4()
    wanted = {"pool": pool, "count": 100, "prefix": "TEA", "key": key, "actor": SYSTEM}
    job, known = start_generation(**wanted)
    done = run_generation(job.pk)
    assert (known, done.result, done.total) == (False, {"added": 100}, 100)
    assert start_generation(**wanted) == (done, True)
    made = Voucher.objects.filter(pool=pool, status="waiting")
    assert made.count() == 100
    assert all(item.written.startswith("TEA-") and not is_mistyped(item.code) for item in made)
    for count in (0, 1_000_001):
        with pytest.raises(DomainError):
            start_generation(**wanted | {"count": count})


def test_a_code_that_there_is_by_chance_is_made_up_for(pool, monkeypatch):
    codes = iter(["TEA-1111", "TEA-1111", "TEA-2222", "TEA-3333"])
    monkeypatch.setattr(generated_vouchers, "new_code", lambda _prefix: next(codes))
    job, _known = start_generation(pool=pool, count=3, prefix="TEA", key=uuid.uuid4(), actor=SYSTEM)
    assert run_generation(job.pk).result == {"added": 3}
    assert Voucher.objects.count() == 3
