"""The templates of the sample data: four kinds of reports that a hospital has every day, and how they are answered."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy.orm import Session

from db.commands import templates
from db.demo.cases import Case
from db.demo.organisation import CLINICAL, IDENTITY, ONSITE, SECURITY, Organisation

DEVICE, ACCESS = "A device does not work", "I need access"
APPLICATION, SUSPICIOUS = "A medical application does not work", "Suspicious e-mail"
_DEVICES = ("Computer or laptop", "Printer", "Scanner", "Monitor", "Mobile phone or tablet", "Something else")
_APPLICATIONS = (
    "Patient record",
    "Medication and orders",
    "Laboratory results",
    "Radiology images",
    "Admissions and billing",
    "Staff roster",
)
_OF_CASES = {"Workstation": 0, "Printer": 1, "Scanner": 2, "Monitor": 3, "Mobile device": 4}
"""subcategory of Hardware -> place in _DEVICES"""
_USED = 0.6
"""so many of those who could use a template do"""

TEMPLATES: dict[str, dict[str, Any]] = {
    DEVICE: {
        "description": "Computers, printers, scanners, monitors, phones and tablets",
        "team": ONSITE,
        "questions": (
            {"key": "device", "label": "Which device?", "kind": "choice", "required": True, "options": _DEVICES},
            {"key": "label", "label": "What does the label on it say?", "help": "For example AU-20417"},
            {"key": "waiting", "label": "Is a patient waiting because of it?", "kind": "yes_no"},
        ),
        "checklist": (
            "Note the number on the label",
            "Restart it together with the reporter",
            "Bring a spare if it takes longer than a day",
        ),
        "pairs": tuple(("Hardware", device) for device in _OF_CASES),
    },
    ACCESS: {
        "description": "A folder, an application, a door",
        "category": ("Access", "Permissions"),
        "team": IDENTITY,
        "impact": 3,
        "questions": (
            {"key": "what", "label": "To what?", "required": True},
            {"key": "who", "label": "Who has agreed to it?", "required": True, "help": "Your head of department"},
            {"key": "day", "label": "From which day on?", "kind": "date"},
        ),
        "checklist": (
            "Ask who owns the data",
            "Give only what the work needs",
            "Tell the reporter how to sign in",
        ),
        "pairs": (("Access", "Permissions"),),
    },
    APPLICATION: {
        "description": "Patient record, orders, laboratory, radiology, admissions, roster",
        "team": CLINICAL,
        "questions": (
            {
                "key": "application",
                "label": "Which application?",
                "kind": "choice",
                "required": True,
                "options": _APPLICATIONS,
            },
            {"key": "care", "label": "Is the care of a patient affected?", "kind": "yes_no", "required": True},
            {"key": "message", "label": "What does the message say?", "help": "Word for word, if you can"},
            {"key": "computers", "label": "On how many computers have you seen it?", "kind": "number"},
        ),
        "checklist": (
            "If care is affected: start the paper procedure with the ward",
            "Look at the monitoring of the application and of the message exchange",
            "Try it with a test patient",
            "Have the ward try it before it is resolved",
        ),
        "pairs": tuple(
            ("Clinical system", what) for what in ("Data error", "Error message", "Slow", "Not available", "Update")
        ),
    },
    SUSPICIOUS: {
        "description": "A message that asks for a password, for money, or to open something",
        "service": "E-mail and calendar",
        "category": ("Security", "Suspicious message"),
        "team": SECURITY,
        "urgency": 1,
        "questions": (
            {"key": "opened", "label": "Did you open a link or a file in it?", "kind": "yes_no", "required": True},
            {"key": "sender", "label": "Who seems to have sent it?"},
            {"key": "others", "label": "How many others have it, as far as you know?", "kind": "number"},
        ),
        "checklist": (
            "If something was opened: change the password and isolate the computer",
            "Find the same message in other mailboxes",
            "Block the sender and the address",
            "Tell the reporter what to do with it",
        ),
        "pairs": (("Security", "Suspicious message"),),
    },
}


def build(db: Session, org: Organisation, at: datetime) -> dict[str, int]:
    """Add them as they were made at `at`, and let their categories name them; name -> id."""
    admin = next(actor for actor in org.actors.values() if actor.has("admin"))
    made = {}
    for name, told in TEMPLATES.items():
        category = told.get("category")
        made[name] = templates.save(
            db,
            None,
            name=name,
            description=told["description"],
            service_id=org.services[told["service"]].id if "service" in told else None,
            category_pair_id=org.pairs[category].id if category else None,
            impact=told.get("impact"),
            urgency=told.get("urgency"),
            team_id=org.teams[told["team"]].id,
            questions=told["questions"],
            checklist=told["checklist"],
            actor=admin,
            now=at,
        )
        for pair in told["pairs"]:
            org.pairs[pair].template_id = made[name]
    db.flush()
    return made


def use(org: Organisation, case: Case, index: int, reported: datetime) -> dict[str, Any]:
    """template_id and answers of a report, when its reporter chose one; the same for the same case and index."""
    rng = Random(f"template of {index}")
    name = next((name for name, told in TEMPLATES.items() if case.pair in told["pairs"]), None)
    fits = name != APPLICATION or case.service in _APPLICATIONS
    if name is None or not fits or rng.random() > _USED:
        return {}
    return {"template_id": org.templates[name], "answers": _answers(name, case, rng, reported)}


def _answers(name: str, case: Case, rng: Random, reported: datetime) -> dict[str, object]:
    yes_no, few = rng.choice(("yes", "no", "no")), rng.choice((None, 1, 2, 3))
    if name == DEVICE:
        device = _DEVICES[_OF_CASES[case.pair[1] or ""]]
        label = f"AU-{rng.randrange(10_000, 60_000)}" if rng.random() < 0.7 else None
        return {"device": device, "label": label, "waiting": yes_no}
    if name == ACCESS:
        who = rng.choice(("Margarethe Vogel", "The head of the ward", "Dr. Felix Hartmann"))
        day = reported.date() + timedelta(days=rng.randrange(8))
        return {"what": case.service, "who": who, "day": day}
    if name == APPLICATION:
        return {"application": case.service, "care": yes_no, "computers": few}
    sender = rng.choice(("The bank", "A colleague from building B", "A parcel service", None))
    return {"opened": yes_no, "sender": sender, "others": few}
