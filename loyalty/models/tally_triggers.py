"""Sums that the database keeps as rows come, change and go: how many members programs have, what
charities were given, what moved at partners, and what higher applications add.

Each statement adds what it changes, so that nobody waits for a row that all would write; now and
then all that was added is folded into one row for each key (`loyalty/services/tallies.py`). They
are derived: the self-check compares them with what they sum up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pgtrigger


@dataclass(frozen=True, slots=True)
class Tally:
    """Of `rows`, by these columns, their sums; what each is of a row `r`. `said`: which a row `x`
    of the tally is, for people who read what the self-check found. `joined`: what else is read
    with each; `only_if`: else there is nothing to add; `less`: the tally, in the same table, of
    other rows that are taken off again."""

    table: str
    rows: str
    keys: Mapping[str, str]
    sums: Mapping[str, str]
    said: str
    joined: str = ""
    only_if: str = ""
    less: Tally | None = None

    @property
    def all_rows(self) -> list[str]:
        """The tables that it sums up."""
        return [self.rows, *([self.less.rows] if self.less else [])]

    def anew(self) -> str:
        """The statement that adds all that there is."""
        return self._added([self.read_of("true"), *self._taken_off()])

    def read_of(self, which: str, sign: str = "") -> str:
        """The query of what some of its rows bring."""
        return self._read(self.rows, sign, which)

    def added(self, *parts: tuple[str, str], which: str = "true") -> str:
        """The statement that adds what there is in some tables (name, sign), or some of it."""
        return self._added([self._read(*part, which) for part in parts])

    def _taken_off(self) -> list[str]:
        return [self.less.read_of("true", "-")] if self.less else []

    def _added(self, parts: Sequence[str]) -> str:
        keys, sums = ", ".join(self.keys), ", ".join(self.sums)
        totals = [f"sum(c.{name})" for name in self.sums]
        read = " UNION ALL ".join(parts)
        return f"""
            INSERT INTO {self.table} ({keys}, {sums})
            SELECT {", ".join(f"c.{name}" for name in self.keys)}, {", ".join(totals)}
              FROM ({read}) c GROUP BY {", ".join(f"c.{name}" for name in self.keys)}
            HAVING {" OR ".join(f"{total} <> 0" for total in totals)}"""

    def _read(self, table: str, sign: str, which: str) -> str:
        keys = [f"{value} AS {name}" for name, value in self.keys.items()]
        sums = [f"{sign}{value} AS {name}" for name, value in self.sums.items()]
        return f"SELECT {', '.join([*keys, *sums])} FROM {table} r{self.joined} WHERE {which}"

    def drifts(self) -> str:
        """The query of a check of the books: where it says anything else than its rows."""
        keys = ", ".join(f"x.{name}" for name in self.keys)
        columns = ", ".join([*self.keys, *self.sums])
        totals = [f"sum(x.{name})" for name in self.sums]
        differ = [f"sum(CASE WHEN x.tallied THEN -x.{name} ELSE x.{name} END) <> 0"
                  for name in self.sums]  # fmt: skip
        found, told = (
            ", ".join(f"coalesce({total} FILTER (WHERE {which}), 0)" for total in totals)
            for which in ("NOT x.tallied", "x.tallied")
        )
        counted = " UNION ALL ".join([self.read_of("true"), *self._taken_off()])
        return f"""
            SELECT {self.said}, concat_ws(' · ', {found}), concat_ws(' · ', {told})
              FROM (SELECT counted.*, false AS tallied
                      FROM ({counted}) counted
                     UNION ALL SELECT {columns}, true FROM {self.table}) x
             GROUP BY {keys} HAVING {" OR ".join(differ)}
        """

    def triggers(self) -> list[pgtrigger.Trigger]:
        """For the table whose rows are summed up."""
        old, new = ("old_rows", "-"), ("new_rows", "")
        return [
            self._trigger("tally_new", pgtrigger.Insert, {"new": "new_rows"}, new),
            self._trigger("tally_gone", pgtrigger.Delete, {"old": "old_rows"}, old),
            self._trigger(
                "tally_changed", pgtrigger.Update, {"old": "old_rows", "new": "new_rows"}, new, old
            ),
        ]

    def _trigger(
        self, name: str, operation: pgtrigger.Operation, referencing: dict[str, str],
        *parts: tuple[str, str],
    ) -> pgtrigger.Trigger:  # fmt: skip
        return pgtrigger.Trigger(
            name=name, level=pgtrigger.Statement, when=pgtrigger.After, operation=operation,
            referencing=pgtrigger.Referencing(**referencing),  # type: ignore[no-untyped-call]
            func=f"{self._only_if(f'{self.added(*parts)};')} RETURN NULL;",
        )  # fmt: skip

    def _only_if(self, statement: str) -> str:
        return f"IF {self.only_if} THEN {statement} END IF;" if self.only_if else statement

    def trigger_of_new(self, sign: str = "") -> pgtrigger.Trigger:
        """For a table whose rows never change and never go."""
        return self._trigger("tally_new", pgtrigger.Insert, {"new": "new_rows"}, ("new_rows", sign))


MEMBERS = Tally(
    "loyalty_membertally", "loyalty_membership",
    {
        "program_id": "r.program_id", "status": "r.status",
        "joined_on": "(r.enrolled_at AT TIME ZONE (SELECT p.time_zone FROM loyalty_program p"
                     " WHERE p.id = r.program_id))::date",
    },
    {"members": "1"},
    said="'program ' || x.program_id || ', ' || x.status || ' since ' || x.joined_on",
)  # fmt: skip
CHARITIES = Tally(
    "loyalty_charitytally", "loyalty_charityentry",
    {
        name: f"r.{name}"
        for name in ("charity_id", "kind", "wallet_type_id", "payout_id", "booked_on")
    },
    {name: f"r.{name}" for name in ("units", "money", "things")},
    said="'charity ' || x.charity_id || ', ' || x.kind || ' on ' || x.booked_on",
)  # fmt: skip
# What moved at partners and is in none of their settlements: by the day it was booked on, and that
# whose rate counts, which is the day of what came back. A merchant without partners pays nothing.
_OF_PARTNERS = {
    "partner_id": "p.account_id", "wallet_type_id": "t.wallet_type_id",
    "side": "CASE coalesce(o.kind, t.kind) WHEN 'redemption' THEN 'taken_in' ELSE 'issued' END",
    "booked_on": "t.booked_on", "rated_on": "coalesce(o.booked_on, t.booked_on)",
}  # fmt: skip
_MOVED_AT_PARTNERS = {
    "units": "CASE WHEN (t.from_account_id = p.account_id)"
             " = (coalesce(o.kind, t.kind) <> 'redemption') THEN t.amount ELSE -t.amount END",
    "movements": "1",
}  # fmt: skip
_AT_PARTNERS = (
    " JOIN loyalty_partner p ON p.account_id IN (t.from_account_id, t.to_account_id)"
    " LEFT JOIN loyalty_transfer o ON o.id = coalesce(t.reverses_id, t.corrects_id)"
)
_SAID = "'partner ' || x.partner_id || ', ' || x.side || ' on ' || x.booked_on"
SETTLED = Tally(
    "loyalty_partnertally", "loyalty_settledtransfer", _OF_PARTNERS, _MOVED_AT_PARTNERS, _SAID,
    joined=f" JOIN loyalty_transfer t ON t.id = r.transfer_id{_AT_PARTNERS}",
)  # fmt: skip
UNSETTLED = Tally(
    "loyalty_partnertally", "loyalty_transfer", _OF_PARTNERS, _MOVED_AT_PARTNERS, _SAID,
    joined=f" CROSS JOIN LATERAL (SELECT r.*) t{_AT_PARTNERS}",
    only_if="EXISTS (SELECT FROM loyalty_partner)", less=SETTLED,
)  # fmt: skip
TALLIES = [MEMBERS, CHARITIES, UNSETTLED]


def register_tallies(*tallies: Tally) -> None:
    """What a higher application has summed up is folded and made anew with the others."""
    TALLIES.extend(tally for tally in tallies if tally not in TALLIES)


def days_moved() -> pgtrigger.Trigger:
    """For programs: by another clock people have joined on other days. A fold that runs has ended
    when both tables are locked, so that what it made is seen and goes."""
    added = MEMBERS.added((MEMBERS.rows, ""), which="r.program_id = NEW.id")
    return pgtrigger.Trigger(
        name="tally_anew", operation=pgtrigger.UpdateOf("time_zone"), when=pgtrigger.After,  # type: ignore[no-untyped-call]
        condition=pgtrigger.Q(old__time_zone__df=pgtrigger.F("new__time_zone")),
        func=f"""
            LOCK TABLE {MEMBERS.rows} IN SHARE ROW EXCLUSIVE MODE;
            LOCK TABLE {MEMBERS.table} IN SHARE ROW EXCLUSIVE MODE;
            DELETE FROM {MEMBERS.table} WHERE program_id = NEW.id;
            {added};
            RETURN NULL;
        """,
    )  # fmt: skip
