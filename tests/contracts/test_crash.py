"""kill -9 in the middle of posting, again and again: nothing is lost, nothing is doubled."""

import random
import time

import pytest

from tests import oracle
from tests.cast import make_khata, make_shop
from tests.processes import go, start, together

ROUNDS = 8
ENTRIES = 150


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_killed_poster_loses_nothing_it_acknowledged_and_a_restart_doubles_nothing() -> None:
    khata = make_khata(make_shop())
    chance = random.Random()
    acknowledged: set[str] = set()
    for _ in range(ROUNDS):
        process = start("post", khata.pk, "form", ENTRIES, 1_00)
        go(process)
        assert process.stdout is not None
        for _ in range(chance.randrange(ENTRIES)):
            acknowledged.add(process.stdout.readline().strip())
        time.sleep(chance.random() / 200)  # somewhere inside the next entry
        process.kill()
        # Not communicate(): it reads past what readline() has already taken out of the pipe.
        acknowledged.update(line for line in process.stdout.read().split("\n")[:-1] if line)
        process.communicate()
        lines = oracle.check(khata.pk)
        keys = [line.key for line in lines]
        assert acknowledged <= set(keys)
        assert len(keys) - len(acknowledged) in {0, 1}  # at most the one that was cut off after its commit
        assert keys == [f"form-{number}" for number in range(len(keys))]
        acknowledged.update(keys)
    together(("post", khata.pk, "form", ENTRIES, 1_00))
    lines = oracle.check(khata.pk)
    assert len(lines) == ENTRIES
    assert oracle.balance_of(lines) == ENTRIES * 1_00
