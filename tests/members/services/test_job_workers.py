"""A process is known to be dead only when it certainly is."""

import os
import subprocess
import sys
import time

from members.services.job_workers import is_dead, this_worker

CODE = "from members.services.job_workers import this_worker; print(this_worker(), flush=True);"


def named(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_this_process_lives() -> None:
    assert this_worker()
    assert this_worker() == this_worker()
    assert not is_dead(this_worker())


def test_a_process_lives_until_it_is_killed() -> None:
    command = [sys.executable, "-c", CODE + "input()"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        worker = named(process)
        assert not is_dead(worker)
        process.kill()
        # Killed and not waited for it is a zombie, which works no more.
        while not is_dead(worker):
            time.sleep(0.01)
    assert is_dead(worker)


def test_another_process_with_the_same_number_is_another_process() -> None:
    place, pid, began = this_worker().rsplit("/", 2)
    assert int(pid) == os.getpid()
    assert is_dead(f"{place}/{pid}/{int(began) - 1}")


def test_of_a_process_elsewhere_nothing_is_claimed() -> None:
    _place, pid, began = this_worker().rsplit("/", 2)
    assert not is_dead(f"another-boot/pid:[1]/{int(pid) + 1}/{began}")
    assert not is_dead("")
    assert not is_dead("something")
