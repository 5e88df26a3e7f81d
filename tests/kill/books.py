"""Whether the books hold what they must, each order once."""

from __future__ import annotations

from collections.abc import Mapping

from tests.kill.installation import Installation

RECORDED = """
    SELECT o.external_id, count(DISTINCT o.id), count(DISTINCT e.id), count(DISTINCT t.id),
           coalesce(sum(t.amount), 0)::bigint
      FROM loyalty_order o
      LEFT JOIN loyalty_orderevaluation e ON e.order_id = o.id
      LEFT JOIN loyalty_transfer t ON t.order_id = o.id
     WHERE o.source = %s
     GROUP BY o.external_id
"""


def recorded(installation: Installation, source: str) -> dict[str, tuple[int, ...]]:
    """Orders of a source: how often each is there, judged and posted, and the units posted."""
    return {name: tuple(rest) for name, *rest in installation.query(RECORDED, source)}


def assert_kept(installation: Installation, source: str, acknowledged: Mapping[str, int]) -> None:
    """Each acknowledged order is there once, with its units; others may be there."""
    found = recorded(installation, source)
    lost = sorted(acknowledged.keys() - found.keys())
    assert not lost, f"{len(lost)} of {len(acknowledged)} acknowledged orders are lost: {lost[:5]}"
    for name, units in acknowledged.items():
        assert found[name] == (1, 1, int(units > 0), units), name


def assert_exactly(installation: Installation, source: str, expected: Mapping[str, int]) -> None:
    """Each order is there once, with its units, nothing else is, and the ledger is coherent."""
    assert_kept(installation, source, expected)
    more = recorded(installation, source).keys() - expected.keys()
    assert not more, f"{len(more)} orders that nobody knows of: {sorted(more)[:5]}"
    assert installation.do("verify") == []
