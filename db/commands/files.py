"""Files on an incident: checked by content and kept in the database, so that one backup holds everything."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from db.commands import timeline
from db.models import Attachment, AttachmentContent, Incident
from rules.access import Actor
from rules.attachments import checked_name, media_type


@dataclass(frozen=True)
class Upload:
    name: str
    content: bytes


def attach(
    db: Session, incident: Incident, upload: Upload, *, actor: Actor, now: datetime, internal: bool = False
) -> Attachment:
    """Keep the file. RuleError when its size or content is not taken. Access is the caller's to check.

    An `internal` one is only for those who work on the incident.
    """
    kept = Attachment(
        incident_id=incident.id,
        name=checked_name(upload.name),
        media_type=media_type(upload.name, upload.content),
        size=len(upload.content),
        sha256=hashlib.sha256(upload.content).hexdigest(),
        added_by_id=None if actor.anonymous else actor.id,
        added_at=now,
        internal=internal,
    )
    db.add(kept)
    db.flush()
    db.add(AttachmentContent(attachment_id=kept.id, content=upload.content))
    timeline.add(db, incident, actor, now, "file", f"added {kept.name}", public=not internal, versioned=False)
    return kept
