from loyalty.instants import NEVER
from loyalty.models.absences import Absence
from loyalty.models.activities import Activity, ActivityAward, ActivityType, OccasionGrant
from loyalty.models.adjustments import AdjustmentLimit, AdjustmentReason, AdjustmentRequest
from loyalty.models.backtests import Backtest, BacktestPart
from loyalty.models.books import ClosedPeriod, SelfCheck, SelfCheckFinding
from loyalty.models.bulk_adjustments import BulkAdjustment, BulkRow
from loyalty.models.candidates import Candidate, JoinRequest
from loyalty.models.charities import Charity, CharityEntry, CharityPayout, CharityRate
from loyalty.models.companies import Company, SpendRequest
from loyalty.models.discount_budgets import DiscountBudget, DiscountBudgetUse
from loyalty.models.discount_entries import DiscountEntry
from loyalty.models.earning_rules import CapCounter, EarningRule, EarningRuleVersion
from loyalty.models.economics import EconomicAssumptions, EconomicScenario
from loyalty.models.ending_conversions import ConvertedWallet, EndingConversion
from loyalty.models.exchange_rates import ExchangeRate, MissingRate, OrderConversion, OrderRate
from loyalty.models.goals import Goal, GoalPoint
from loyalty.models.import_batches import (
    CompanyBatch,
    EnrollmentBatch,
    ImportBatch,
    UndoneOrder,
)
from loyalty.models.insights import CohortMonth, InsightPoint, TargetBand
from loyalty.models.launches import (
    FoundingBonus,
    FoundingGrant,
    Launch,
    LaunchPhase,
    LaunchPlace,
    ProgramReading,
)
from loyalty.models.ledger import Account, Transfer, Wallet
from loyalty.models.lots import Lot, LotChange, LotUse
from loyalty.models.memberships import Membership
from loyalty.models.orders import (
    Order,
    OrderDiscount,
    OrderEvaluation,
    OrderLine,
    Refund,
    RefundLine,
    Tender,
    WindowAward,
    WindowPart,
)
from loyalty.models.partners import Partner, PartnerRate, PartnerSettlement, SettledTransfer
from loyalty.models.plan_charges import PaymentEvent, PlanCharge, PlanCredit
from loyalty.models.plans import Plan, PlanVersion, Subscription
from loyalty.models.pledges import Pledge, PledgeEvent
from loyalty.models.pools import Pool, PoolMember
from loyalty.models.program_drafts import ProgramDraft
from loyalty.models.program_reviews import ProgramReview, ReviewFinding, ReviewReading
from loyalty.models.program_times import ProgramEnding, ProgramPause
from loyalty.models.programs import Program
from loyalty.models.risk import OrderTaking, RiskCase, RiskPolicy, RiskScore
from loyalty.models.standing_gifts import StandingGift
from loyalty.models.tallies import CharityTally, MemberTally, PartnerTally
from loyalty.models.tier_changes import TierChange
from loyalty.models.tier_checkpoints import TierCheckpoint
from loyalty.models.tier_drafts import TierDraft
from loyalty.models.tiers import ManualTier, MemberTier, Tier, TierSet
from loyalty.models.totals import DailyTotal, LotFigures, LotPosition, LotTotal
from loyalty.models.unit_tenders import UnitTender
from loyalty.models.unit_terms import FormerUnitTerms
from loyalty.models.wallet_passes import PassDevice, WalletPass
from loyalty.models.wallet_types import LotPolicy, WalletType

__all__ = [
    "NEVER",
    "Absence",
    "Account",
    "Activity",
    "ActivityAward",
    "ActivityType",
    "AdjustmentLimit",
    "AdjustmentReason",
    "AdjustmentRequest",
    "Backtest",
    "BacktestPart",
    "BulkAdjustment",
    "BulkRow",
    "Candidate",
    "CapCounter",
    "Charity",
    "CharityEntry",
    "CharityPayout",
    "CharityRate",
    "CharityTally",
    "ClosedPeriod",
    "CohortMonth",
    "Company",
    "CompanyBatch",
    "ConvertedWallet",
    "DailyTotal",
    "DiscountBudget",
    "DiscountBudgetUse",
    "DiscountEntry",
    "EarningRule",
    "EarningRuleVersion",
    "EconomicAssumptions",
    "EconomicScenario",
    "EndingConversion",
    "EnrollmentBatch",
    "ExchangeRate",
    "FormerUnitTerms",
    "FoundingBonus",
    "FoundingGrant",
    "Goal",
    "GoalPoint",
    "ImportBatch",
    "InsightPoint",
    "JoinRequest",
    "Launch",
    "LaunchPhase",
    "LaunchPlace",
    "Lot",
    "LotChange",
    "LotFigures",
    "LotPolicy",
    "LotPosition",
    "LotTotal",
    "LotUse",
    "ManualTier",
    "MemberTally",
    "MemberTier",
    "Membership",
    "MissingRate",
    "OccasionGrant",
    "Order",
    "OrderConversion",
    "OrderDiscount",
    "OrderEvaluation",
    "OrderLine",
    "OrderRate",
    "OrderTaking",
    "Partner",
    "PartnerRate",
    "PartnerSettlement",
    "PartnerTally",
    "PassDevice",
    "PaymentEvent",
    "Plan",
    "PlanCharge",
    "PlanCredit",
    "PlanVersion",
    "Pledge",
    "PledgeEvent",
    "Pool",
    "PoolMember",
    "Program",
    "ProgramDraft",
    "ProgramEnding",
    "ProgramPause",
    "ProgramReading",
    "ProgramReview",
    "Refund",
    "RefundLine",
    "ReviewFinding",
    "ReviewReading",
    "RiskCase",
    "RiskPolicy",
    "RiskScore",
    "SelfCheck",
    "SelfCheckFinding",
    "SettledTransfer",
    "SpendRequest",
    "StandingGift",
    "Subscription",
    "TargetBand",
    "Tender",
    "Tier",
    "TierChange",
    "TierCheckpoint",
    "TierDraft",
    "TierSet",
    "Transfer",
    "UndoneOrder",
    "UnitTender",
    "Wallet",
    "WalletPass",
    "WalletType",
    "WindowAward",
    "WindowPart",
]
