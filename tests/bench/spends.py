"""Spending: beside raw SQL that does the same, with few lots and with very many; and one member
whom everybody serves at once."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from django.db import connection, transaction

from loyalty.ledger.posting import WalletRef, movement, post
from loyalty.models import Account, Program, Wallet
from loyalty.services.redemptions import redeem_units
from members.services.audit import SYSTEM
from tests.bench import pgbench
from tests.bench.aged import NOW, Aged, Range
from tests.bench.figures import Figures, Goal

GOALS = {
    "spend few": Goal("`ledger_post` of a spend / raw SQL, wallets with 10 lots", 0.5),
    "spend many": Goal("the same, wallets with 10,000 lots", 0.5),
    "post few": Goal("`post` from Python / raw SQL from Python, wallets with 10 lots", 0.5),
    "post many": Goal("the same, wallets with 10,000 lots", 0.5),
    "redeem": Goal("`redeem_units` / raw SQL from Python, wallets with 10 lots"),
    "spend lots": Goal("`ledger_post` of a spend, 10,000 lots / 10 lots"),
    "hot in": Goal("`ledger_post` of accruals, one member / spread", 0.4),
    "hot out": Goal("`ledger_post` of spends, one member / spread", 0.4),
    "raw hot in": Goal("raw SQL of accruals (E), one member / spread"),
    "raw hot out": Goal("raw SQL of spends, one member / spread"),
}
# More than a lot has: two lots are touched, sometimes three.
UNITS = 120
# pgbench takes a colon with a letter or digit behind it for a variable, in quotes too.
INSTANT = f"{NOW:%Y%m%dT%H%M%SZ}"
AT = f"timestamptz '{INSTANT}'"
# Each connection goes through wallets of its own, from where the last run ended.
WALLET = (
    "\\set k :k + 1\n"
    "\\set w :first + :client_id * (:count / 8) + (:k * 7919) % (:count / 8)\n"
    "\\set a :w + :to_account\n"
)
ONE_WALLET = "\\set k :k + 1\n\\set w :first\n\\set a :w + :to_account\n"
KEY = "'bench ' || :run || ' ' || :client_id || ' ' || :k"
RAW = f"SELECT bench_spend(:w, :a, {UNITS}, {KEY}, {AT});\n"


class Spends:
    """Rounds of spends and accruals on aged books."""

    def __init__(self, aged: Aged, *, members: int, seconds: float) -> None:
        self.aged, self.members, self.seconds = aged, members, seconds
        program = Program.objects.get(pk=aged.program_id)
        accounts = dict(program.accounts.values_list("kind", "pk"))
        self.redeemed = accounts[Account.Kind.REDEEMED]
        self.issued = accounts[Account.Kind.ISSUED]
        self.wallet_type = program.wallet_types.get()
        self.policy = self.wallet_type.lot_policies.latest("pk").pk
        self.zone = program.zone
        self.runs = 0
        # How many times each connection has gone on to another wallet.
        self.steps: dict[int, int] = {}

    def warm_up(self) -> None:
        """What the first calls read from the files, the measured ones find in memory."""
        for wallets in (self.aged.wallets, self.aged.rich):
            self.load(RAW, wallets)

    def spends(self) -> Figures:
        few, many = self.aged.wallets, self.aged.rich
        raw_few, own_few = self.load(RAW, few), self.load(self.spend(), few)
        raw_many, own_many = self.load(RAW, many), self.load(self.spend(), many)
        python = {name: self.from_python(few, call) for name, call in self.calls().items()}
        rich = {name: self.from_python(many, call) for name, call in self.calls().items()}
        return {
            "spend few": own_few / raw_few,
            "spend many": own_many / raw_many,
            "post few": python["post"] / python["raw"],
            "post many": rich["post"] / rich["raw"],
            "redeem": python["redeem"] / python["raw"],
            "spend lots": own_many / own_few,
            "raw spends, 10 lots, 8 connections, a second": raw_few,
            "raw spends, 10,000 lots, 8 connections, a second": raw_many,
            "raw spends from Python, 1 connection, a second": python["raw"],
            "`redeem_units`, 1 connection, a second": python["redeem"],
        }

    def hot(self) -> Figures:
        """Whatever one member does waits for the last commit; others commit together."""
        few, many = self.aged.wallets, self.aged.rich
        found: Figures = {}
        for name, call, wallets in (
            ("hot in", self.accrual(), few), ("hot out", self.spend(), many),
            ("raw hot out", RAW, many),
        ):  # fmt: skip
            spread = self.load(call, wallets)
            found[name] = self.load(call, wallets, one=True) / spread
        spread = pgbench.accruals_per_second(self.members, seconds=self.seconds)
        one = pgbench.accruals_per_second(1, seconds=self.seconds)
        return found | {"raw hot in": one / spread, "E on these books, accruals a second": spread}

    def load(self, call: str, wallets: Range, *, one: bool = False) -> float:
        """So many calls a second, 8 connections: over all wallets, or all on one."""
        self.runs += 1
        steps = self.steps.get(wallets.first, 0)
        done = pgbench.run(
            (ONE_WALLET if one else WALLET) + call,
            seconds=self.seconds, run=self.runs, k=steps, first=wallets.first,
            count=wallets.count, to_account=wallets.to_account,
        )  # fmt: skip
        self.steps[wallets.first] = steps + done.transactions // pgbench.CONNECTIONS + 1
        return done.per_second

    def spend(self) -> str:
        """`ledger_post` as `post` calls it, the entry ready as text."""
        return self.entry(
            f'"dir": "out", "kind": "redemption", "n": {UNITS}, "p": {self.redeemed},'
            ' "debt": false, "why": {}'
        )

    def accrual(self) -> str:
        return self.entry(
            f'"dir": "in", "kind": "accrual", "n": 100, "p": {self.issued}, "debt": false,'
            f' "sp": "{INSTANT}", "ex": "20271120T120000Z", "pol": {self.policy},'
            ' "why": {"rule": "Base rate", "version": 1, "steps": [["rate", "1", "1", "money"]]}'
        )

    def entry(self, rest: str) -> str:
        head = (
            f'[{{{rest}, "wt": {self.wallet_type.pk}, "at": "{INSTANT}", "day": "{NOW.date()}",'
            ' "hash": "00112233445566778899aabbccddeeff", "src": "api", "w": '
        )
        return (
            f"""SELECT * FROM ledger_post(('{head}' || :w || ', "a": ' || :a || ', "key": "' ||"""
            f""" {KEY} || '"}}]')::jsonb, {AT});\n"""
        )

    def calls(self) -> dict[str, Callable[[int, int, str], None]]:
        return {"raw": self.call_raw, "post": self.call_post, "redeem": self.call_redeem}

    def call_raw(self, wallet: int, account: int, key: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT bench_spend(%s, %s, %s, %s, %s)", [wallet, account, UNITS, key, NOW]
            )

    def call_post(self, wallet: int, account: int, key: str) -> None:
        entry = movement(
            direction="out", kind="redemption",
            ref=WalletRef(wallet, account, self.wallet_type.pk, self.zone),
            counter_account_id=self.redeemed, amount=UNITS, occurred_at=NOW, key=key, source="api",
        )  # fmt: skip
        with transaction.atomic():
            post([entry], now=NOW)

    def call_redeem(self, wallet: int, _account: int, key: str) -> None:
        redeem_units(
            wallet=Wallet.objects.select_related("wallet_type").get(pk=wallet),
            units=UNITS, key=key, source="api", actor=SYSTEM, now=NOW,
        )  # fmt: skip

    def from_python(self, wallets: Range, call: Callable[[int, int, str], None]) -> float:
        """So many calls a second of one connection, one after the other."""
        self.runs += 1
        took: list[float] = []
        steps = self.steps.get(wallets.first, 0)
        ends = time.perf_counter() + self.seconds / 2
        while time.perf_counter() < ends:
            steps += 1
            wallet = wallets.first + steps * 7919 % wallets.count
            begun = time.perf_counter()
            call(wallet, wallet + wallets.to_account, f"bench:{self.runs}:{steps}")
            took.append(time.perf_counter() - begun)
        self.steps[wallets.first] = steps
        # The median call: a pause of the machine in one of a few hundred calls is not the ledger's.
        return 1 / statistics.median(took)
