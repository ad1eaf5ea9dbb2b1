"""The row of an incident's room."""

from sqlalchemy.orm import Session

from db.models import Incident, Room


def room_of(db: Session, incident: Incident) -> Room:
    """Made when something is first said in it or owed to those outside. The caller holds the incident."""
    room = db.get(Room, incident.id)
    if room is None:
        room = Room(incident_id=incident.id, turn=0, call_url="")
        db.add(room)
    return room
