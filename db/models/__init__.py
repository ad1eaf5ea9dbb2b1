"""Everything that is remembered, as typed tables."""

from db.models.base import Base, Instant, Json, from_micros, to_micros
from db.models.incidents import (
    QUEUE_ACTIVE,
    QUEUE_AWAITING,
    QUEUE_DONE,
    QUEUE_GROUP,
    QUEUE_ON_HOLD,
    Attachment,
    AttachmentContent,
    Follower,
    Incident,
    Pause,
    TimelineEntry,
)
from db.models.people import OneTimeLink, Person, PersonRole, SignInSession, TeamMember, Throttle
from db.models.services import Category, CategoryPair, Service, Subcategory, Team
from db.models.work import AuditEntry, ImportRun, OutboxMessage, Setting, Timer

__all__ = [
    "QUEUE_ACTIVE",
    "QUEUE_AWAITING",
    "QUEUE_DONE",
    "QUEUE_GROUP",
    "QUEUE_ON_HOLD",
    "Attachment",
    "AttachmentContent",
    "AuditEntry",
    "Base",
    "Category",
    "CategoryPair",
    "Follower",
    "ImportRun",
    "Incident",
    "Instant",
    "Json",
    "OneTimeLink",
    "OutboxMessage",
    "Pause",
    "Person",
    "PersonRole",
    "Service",
    "Setting",
    "SignInSession",
    "Subcategory",
    "Team",
    "TeamMember",
    "Throttle",
    "TimelineEntry",
    "Timer",
    "from_micros",
    "to_micros",
]
