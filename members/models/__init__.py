from members.models.api_keys import ApiKey, IdempotencyRecord
from members.models.audit import AuditEntry, AuditSeal
from members.models.customers import Customer, CustomerNote
from members.models.event_wishes import EventWish
from members.models.facts import CustomerFacts
from members.models.jobs import Job, JobError, JobLogLine
from members.models.merchant import Merchant
from members.models.merges import CustomerMerge
from members.models.outbox import OutboxEvent
from members.models.packages import PersonalPackage, PersonalPackagePart
from members.models.profile_questions import ProfileQuestion
from members.models.segments import Segment, SegmentMember, SegmentSize
from members.models.sign_in_providers import SignInProvider
from members.models.sign_ins import SignIn
from members.models.staff import StaffMember
from members.models.tasks import CustomerTask
from members.models.users import User

__all__ = [
    "ApiKey",
    "AuditEntry",
    "AuditSeal",
    "Customer",
    "CustomerFacts",
    "CustomerMerge",
    "CustomerNote",
    "CustomerTask",
    "EventWish",
    "IdempotencyRecord",
    "Job",
    "JobError",
    "JobLogLine",
    "Merchant",
    "OutboxEvent",
    "PersonalPackage",
    "PersonalPackagePart",
    "ProfileQuestion",
    "Segment",
    "SegmentMember",
    "SegmentSize",
    "SignIn",
    "SignInProvider",
    "StaffMember",
    "User",
]
