"""Two members turn out to be one person, perhaps in error: the one is merged into the other, and
they are parted again. What is said of either in between is of the one who is kept."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from members.errors import ConflictError
from members.models import Customer
from members.services.merging import merge_customers, undo_merge
from tests.loyalty.ledger.machine.world import MEMBERS, World


class ByMerge(World):
    @precondition(lambda self: not self.shop.merge)
    @rule(kept=st.integers(0, MEMBERS - 1))
    def merge(self, kept: int) -> None:
        merged = 1 - kept
        how = {"kept": self.customer(kept), "merged": self.customer(merged)} | self.by_job()
        if merged in self.shop.sharing:
            with self.refused(ConflictError):
                merge_customers(**how)
            return
        done, _known = merge_customers(**how)
        assert merge_customers(**how) == (done, True)
        with self.refused(ConflictError):
            merge_customers(**how | {"kept": how["merged"], "merged": how["kept"]})
        self.merges.append(done)
        self.shop.join(kept, merged, self.now)

    @precondition(lambda self: self.shop.merge)
    @rule()
    def part(self) -> None:
        how = {"merge": self.merges[-1]} | self.by_job()
        undo_merge(**how)
        assert undo_merge(**how)[1]
        self.shop.part(self.now)

    # --- short ways

    def customer(self, member: int) -> Customer:
        return Customer.objects.get(external_id=f"c{member}")
