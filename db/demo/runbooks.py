"""The runbooks of the sample data, and what is suspected and ticked on its major incident."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.commands import hypotheses, opened_runbooks, runbooks
from db.demo.organisation import Organisation
from db.models import Hypothesis, OpenedRunbook, Runbook
from rules.access import Actor

MESSAGES = "Messages do not arrive"
RUNBOOKS: dict[str, dict[str, Any]] = {
    MESSAGES: {
        "service": "Message exchange",
        "text": """Admissions, orders and results travel through the message exchange. Nothing is lost while it stands:
the senders keep what they could not deliver.

- [ ] Is it one type of message, or all? Count them by type, one ward and one hour
- [ ] Tell the wards to go on with paper, and until when
- [ ] Look at the log of the last ten minutes:

```
journalctl -u exchange --since -10min | grep -i refused
```

## When a release went out today

- [ ] **Stop** the senders first, then roll back one node
- [ ] Send one admission of the test ward, and see it arrive
- [ ] Roll back the other node and start the senders

> Never empty a queue. Patients are in it.

## Afterwards

- [ ] Compare the counts with those of before
- [ ] Tell the wards to enter what they wrote on paper""",
    },
    "Printer prints nothing": {
        "pair": ("Hardware", "Printer"),
        "text": """- [ ] Is it switched on, and is there paper?
- [ ] Print the page of settings at the device itself
- [ ] Empty the queue on the print server, *only* of this printer
- [ ] Bring the spare from the store in building B, room 0.11""",
    },
    "A vendor has to be called": {
        "text": """| Who | Reached |
|---|---|
| Laboratory analysers | weekdays until 18:00, then the emergency number of the contract |
| Telephone exchange | round the clock |

- [ ] Note the number of the contract and the serial number of the device
- [ ] Call, and ask for a reference
- [ ] Put the incident on hold for the vendor, with the reference""",
    },
}


def build(db: Session, org: Organisation, at: datetime) -> None:
    """Write them as a lead would."""
    lead = org.with_role("lead")[0]
    for name, told in RUNBOOKS.items():
        runbooks.save(
            db,
            None,
            name=name,
            text=told["text"],
            service_id=org.services[told["service"]].id if "service" in told else None,
            category_pair_id=org.pairs[told["pair"]].id if "pair" in told else None,
            actor=lead,
            now=at,
        )


def take(db: Session, incident_id: int, verb: str, given: Mapping[str, Any], actor: Actor, now: datetime) -> None:
    """One step of a story: open_runbook, tick_runbook, suspect, or rule_out."""
    if verb == "suspect":
        hypotheses.suspect(db, incident_id, given["cause"], given["evidence"], actor=actor, now=now)
    elif verb == "rule_out":
        wanted = select(Hypothesis).where(Hypothesis.incident_id == incident_id, Hypothesis.text == given["cause"])
        found = db.scalars(wanted).one()
        hypotheses.rule_out(db, incident_id, found.id, found.version, given["evidence"], actor=actor, now=now)
    elif verb == "open_runbook":
        runbook = db.scalars(select(Runbook.id).where(Runbook.name == given["name"])).one()
        opened_runbooks.open_newest(db, incident_id, runbook, actor=actor, now=now)
    else:
        opened = db.scalars(select(OpenedRunbook.id).where(OpenedRunbook.incident_id == incident_id)).one()
        opened_runbooks.tick(db, incident_id, opened, given["step"], True, actor=actor, now=now)


VERBS = frozenset({"open_runbook", "tick_runbook", "suspect", "rule_out"})
