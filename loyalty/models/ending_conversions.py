"""What becomes of units that are left when a program ends: they go on as units of another one."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Q

from loyalty.models.ledger import Transfer
from loyalty.models.program_times import ProgramEnding
from loyalty.models.wallet_types import WalletType


class EndingConversion(models.Model):
    """For each `take` of one kind of units, members get `give` of another program's, in whole main
    units. Of a plan of an end; it never changes. `finished_at`: all wallets were gone through."""

    ending = models.ForeignKey(ProgramEnding, on_delete=models.PROTECT, related_name="conversions")
    wallet_type = models.ForeignKey(WalletType, on_delete=models.PROTECT, related_name="+")
    to_wallet_type = models.ForeignKey(WalletType, on_delete=models.PROTECT, related_name="+")
    take = models.DecimalField(max_digits=14, decimal_places=4)
    give = models.DecimalField(max_digits=14, decimal_places=4)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["ending", "wallet_type"]
        constraints = [
            models.UniqueConstraint(
                fields=["ending", "wallet_type"], name="ending_conversion_once"
            ),
            models.CheckConstraint(
                name="ending_conversion_rate", condition=Q(take__gt=0, give__gt=0)
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="ending_conversion_between_programs",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func="""
                    IF (SELECT t.program_id <> e.program_id OR o.program_id = e.program_id
                          FROM loyalty_programending e, loyalty_wallettype t, loyalty_wallettype o
                         WHERE e.id = NEW.ending_id AND t.id = NEW.wallet_type_id
                           AND o.id = NEW.to_wallet_type_id) THEN
                        RAISE EXCEPTION 'units go on in another program' USING ERRCODE = 'SL010';
                    END IF;
                    IF EXISTS (SELECT FROM loyalty_wallettype
                                WHERE id IN (NEW.wallet_type_id, NEW.to_wallet_type_id)
                                  AND stored_value) THEN
                        RAISE EXCEPTION 'stored value stays, and is not made of units'
                            USING ERRCODE = 'SL010';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="ending_conversion_immutable",
                operation=pgtrigger.Update | pgtrigger.Delete,
                when=pgtrigger.Before,
                func="""
                    IF TG_OP = 'UPDATE' AND OLD.finished_at IS NULL
                       AND (to_jsonb(NEW) - 'finished_at') = (to_jsonb(OLD) - 'finished_at') THEN
                        RETURN NEW;
                    END IF;
                    RAISE EXCEPTION 'the plan of an end does not change' USING ERRCODE = 'SL010';
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.wallet_type} → {self.to_wallet_type}"


class ConvertedWallet(models.Model):
    """Both sides of what became of one wallet: what left it, and what came to the other one."""

    conversion = models.ForeignKey(
        EndingConversion, on_delete=models.PROTECT, related_name="wallets"
    )
    left = models.OneToOneField(Transfer, on_delete=models.PROTECT, related_name="+")
    came = models.OneToOneField(Transfer, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(name="converted_wallet_two_sides", condition=~Q(left=F("came"))),
        ]
        triggers = [
            pgtrigger.Protect(
                name="converted_wallet_immutable", operation=pgtrigger.Update | pgtrigger.Delete
            ),
        ]

    def __str__(self) -> str:
        return f"{self.conversion}: {self.left_id}"
