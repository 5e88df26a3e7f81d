from loyalty.models.ledger import NEVER, Account, Lot, LotUse, Transfer, Wallet
from loyalty.models.memberships import Membership
from loyalty.models.orders import (
    Order,
    OrderEvaluation,
    OrderLine,
    Refund,
    RefundLine,
    Tender,
)
from loyalty.models.programs import (
    EarningRule,
    EarningRuleVersion,
    ExpiryPolicy,
    Program,
    WalletType,
)
from loyalty.models.totals import DailyTotal

__all__ = [
    "NEVER",
    "Account",
    "DailyTotal",
    "EarningRule",
    "EarningRuleVersion",
    "ExpiryPolicy",
    "Lot",
    "LotUse",
    "Membership",
    "Order",
    "OrderEvaluation",
    "OrderLine",
    "Program",
    "Refund",
    "RefundLine",
    "Tender",
    "Transfer",
    "Wallet",
    "WalletType",
]
