"""The organisation of the sample data: a regional hospital with its people, teams, services and categories."""

import unicodedata
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import Category, CategoryPair, Person, PersonRole, Service, Subcategory, Team, TeamMember
from rules.access import Actor
from rules.errors import RuleError

NAME = "Auental Regional Hospital"
ZONE = "Europe/Berlin"
DESK_PHONE = "4444"
DOMAIN = "auental.example"

DESK, ONSITE, NETWORK, SERVERS = "Service Desk", "On-site Support", "Network", "Servers and Storage"
CLINICAL, DEVICES, IDENTITY = "Clinical Applications", "Medical Devices IT", "Identity and Access"
SECURITY, INTEGRATION, PORTAL = "Information Security", "Integration Platform", "Patient Portal"
MEDIVANCE, NORDLINK = "Medivance Software", "Nordlink Telecom"

TEAMS = (
    # name, tier, way of working, contact
    (DESK, "1", "itil", "Telephone 4444, day and night"),
    (ONSITE, "1", "itil", "Telephone 4450, Mon to Fri 07:00 to 18:00"),
    (NETWORK, "2", "itil", "network@auental.example"),
    (SERVERS, "2", "itil", "servers@auental.example"),
    (CLINICAL, "2", "itil", "clinical.apps@auental.example"),
    (DEVICES, "2", "itil", "Telephone 4470, building C, room C 0.12"),
    (IDENTITY, "2", "itil", "identity@auental.example"),
    (SECURITY, "3", "itil", "security@auental.example"),
    (INTEGRATION, "3", "devops", "integration@auental.example"),
    (PORTAL, "2", "devops", "portal@auental.example"),
    (MEDIVANCE, "external", "itil", "support@medivance.example, contract MV-20731"),
    (NORDLINK, "external", "itil", "+49 30 5550 1000, customer 88-4127"),
)

SERVICES = (
    # name, team, impact, what it is for
    ("Patient record", CLINICAL, 1, "Charts, findings and notes of every patient"),
    ("Medication and orders", CLINICAL, 1, "Prescriptions, orders and the nurses' round"),
    ("Laboratory results", CLINICAL, 1, "Orders to the laboratory and results back"),
    ("Radiology images", CLINICAL, 1, "Archive and viewers for X-ray, CT and MRI"),
    ("Admissions and billing", CLINICAL, 2, "Admission, transfer, discharge and invoices"),
    ("Staff roster", CLINICAL, 3, "Shifts, leave and working hours"),
    ("Bedside monitors", DEVICES, 1, "Monitors, their alarms and the central stations"),
    ("Message exchange", INTEGRATION, 1, "Carries messages between the clinical systems"),
    ("Patient portal", PORTAL, 2, "Appointments, letters and results for patients"),
    ("E-mail and calendar", SERVERS, 2, "Mail, shared calendars and rooms"),
    ("File shares", SERVERS, 2, "Department and personal folders"),
    ("Network and Wi-Fi", NETWORK, 1, "Cabled and wireless network in all buildings"),
    ("Remote access", NETWORK, 2, "VPN for working from elsewhere"),
    ("Telephony", NETWORK, 1, "Telephones, pagers and the nurse call link"),
    ("Sign-in", IDENTITY, 1, "Accounts, staff cards and single sign-on"),
    ("Printing", ONSITE, 3, "Office, label and wristband printers"),
    ("Workstations", ONSITE, 3, "Desktops, laptops, carts and tablets"),
)

PAIRS = (
    # category, subcategory (None: the category alone), the team that usually takes it
    ("Access", "Password", DESK),
    ("Access", "Permissions", IDENTITY),
    ("Access", "Staff card", IDENTITY),
    ("Access", "Remote access", NETWORK),
    ("Clinical system", "Data error", CLINICAL),
    ("Clinical system", "Error message", CLINICAL),
    ("Clinical system", "Interface", INTEGRATION),
    ("Clinical system", "Slow", CLINICAL),
    ("Clinical system", "Update", CLINICAL),
    ("Clinical system", "Not available", CLINICAL),
    ("Hardware", "Workstation", ONSITE),
    ("Hardware", "Printer", ONSITE),
    ("Hardware", "Mobile device", ONSITE),
    ("Hardware", "Scanner", ONSITE),
    ("Hardware", "Monitor", ONSITE),
    ("Hardware", "Server", SERVERS),
    ("Medical device", "Monitor", DEVICES),
    ("Medical device", "Interface", DEVICES),
    ("Medical device", "Scanner", DEVICES),
    ("Network", "Wi-Fi", NETWORK),
    ("Network", "Cabling", NETWORK),
    ("Network", "Slow", NETWORK),
    ("Network", "Not available", NETWORK),
    ("Security", "Suspicious message", SECURITY),
    ("Security", "Lost device", SECURITY),
    ("Security", "Malware", SECURITY),
    ("Software", "Error message", DESK),
    ("Software", "Slow", DESK),
    ("Software", "Update", ONSITE),
    ("Software", "Storage space", SERVERS),
    ("Software", "Not available", SERVERS),
    ("Telephony", "Desk telephone", NETWORK),
    ("Telephony", "Pager", NETWORK),
    ("Web", "Patient portal", PORTAL),
    ("Other", None, DESK),
)

PEOPLE = (
    # name, roles, teams (a star marks the lead)
    ("Amara Okafor", "desk lead", f"*{DESK}"),
    ("Lukas Brandt", "desk responder", DESK),
    ("Mei-Ling Chen", "desk responder", DESK),
    ("Yusuf Demir", "desk", DESK),
    ("Ingrid Halvorsen", "lead responder", f"*{ONSITE}"),
    ("Tomasz Kowalczyk", "responder", ONSITE),
    ("Thandiwe Mokoena", "responder", ONSITE),
    ("Priya Nair", "lead responder", f"*{NETWORK}"),
    ("Jonas Weber", "responder", NETWORK),
    ("Kenji Watanabe", "lead responder", f"*{SERVERS}"),
    ("Siobhán Gallagher", "responder", SERVERS),
    ("Leïla Benali", "lead responder", f"*{CLINICAL}"),
    ("Mateo Fernández", "responder", CLINICAL),
    ("Hanna Lindqvist", "responder", f"{CLINICAL}, {DEVICES}"),
    ("Arjun Mehta", "lead responder", f"*{DEVICES}"),
    ("Olena Shevchenko", "lead responder", f"*{IDENTITY}, {SECURITY}"),
    ("Nikos Papadakis", "lead responder", f"*{SECURITY}"),
    ("Zanele Dlamini", "lead responder", f"*{INTEGRATION}"),
    ("Rafael Moreira", "responder", INTEGRATION),
    ("Anneke de Vries", "lead responder", f"*{PORTAL}"),
    ("Omar Haddad", "responder", PORTAL),
    ("Margarethe Vogel", "manager", ""),
    ("Samuel Adeyemi", "admin manager", ""),
    ("Charlotte Dubois", "admin responder", SERVERS),
    ("Katarina Novak", "", ""),
    ("Dr. Felix Hartmann", "", ""),
    ("Dr. Aaliyah Rahman", "", ""),
    ("Nguyễn Thị Lan", "", ""),
    ("Gabriel Silva", "", ""),
    ("Ewa Zielińska", "", ""),
    ("Birgit Schäfer", "", ""),
    ("Ahmed El-Sayed", "", ""),
    ("Paola Ricci", "", ""),
    ("Dr. Wanjiru Kamau", "", ""),
)
"""The last ten hold no role but the one that everyone has: they report."""


@dataclass(frozen=True)
class Organisation:
    """What the histories refer to, by name. Holds the rows themselves, so that the session need not read them again."""

    teams: dict[str, Team]
    services: dict[str, Service]
    pairs: dict[tuple[str, str | None], CategoryPair]
    people: dict[str, Person]
    actors: dict[str, Actor]
    templates: dict[str, int] = field(default_factory=dict)
    """name -> id"""

    def members(self, team: str) -> list[Actor]:
        """Who of the team may work on incidents."""
        team_id = self.teams[team].id
        return [actor for actor in self.actors.values() if team_id in actor.team_ids]

    def with_role(self, *roles: str) -> list[Actor]:
        """Who holds one of the roles."""
        return [actor for actor in self.actors.values() if actor.has(*roles)]


def build(db: Session, at: datetime) -> Organisation:
    """Add the organisation as it was made at `at`."""
    teams = {name: Team(name=name, tier=tier, way=way, contact=contact) for name, tier, way, contact in TEAMS}
    db.add_all(teams.values())
    db.flush()
    services = {
        name: Service(name=name, description=about, team_id=teams[team].id, impact=impact)
        for name, team, impact, about in SERVICES
    }
    categories = {name: Category(name=name) for name, _, _ in PAIRS}
    subcategories = {name: Subcategory(name=name) for _, name, _ in PAIRS if name}
    people = {
        name: Person(name=name, email=address(name), zone=ZONE, created_at=at, sample=True) for name, _, _ in PEOPLE
    }
    for rows in (services, categories, subcategories, people):
        db.add_all(rows.values())
    db.flush()
    pairs = {
        (category, sub): CategoryPair(
            category_id=categories[category].id,
            subcategory_id=subcategories[sub].id if sub else None,
            team_id=teams[team].id,
        )
        for category, sub, team in PAIRS
    }
    db.add_all(pairs.values())
    actors = {}
    for name, roles, memberships in PEOPLE:
        person = people[name]
        held = frozenset(("reporter", *roles.split()))
        db.add_all(PersonRole(person_id=person.id, role=role) for role in sorted(held))
        team_ids = set()
        for written in filter(None, memberships.split(", ")):
            team = teams[written.removeprefix("*")]
            team_ids.add(team.id)
            db.add(TeamMember(team_id=team.id, person_id=person.id, lead=written.startswith("*")))
        actors[name] = Actor(person.id, name, held, frozenset(team_ids), ZONE, person.email)
    db.flush()
    return Organisation(teams, services, pairs, people, actors)


def refuse_people(db: Session) -> None:
    """RuleError when there are people already: invented data never mixes with an organisation's own."""
    if db.execute(select(Person.id).limit(1)).first() is not None:
        raise RuleError("Sample data goes into an empty database only, and this one has people in it.")


def known(db: Session) -> Organisation:
    """The organisation as an earlier build() left it."""
    people = {person.name: person for person in db.scalars(select(Person).where(Person.sample))}
    roles: dict[int, set[str]] = {}
    for person_id, role in db.execute(select(PersonRole.person_id, PersonRole.role)):
        roles.setdefault(person_id, set()).add(role)
    teams: dict[int, set[int]] = {}
    for person_id, team_id in db.execute(select(TeamMember.person_id, TeamMember.team_id)):
        teams.setdefault(person_id, set()).add(team_id)
    pairs = (
        select(Category.name, Subcategory.name, CategoryPair)
        .join(Category, Category.id == CategoryPair.category_id)
        .outerjoin(Subcategory, Subcategory.id == CategoryPair.subcategory_id)
    )
    return Organisation(
        {team.name: team for team in db.scalars(select(Team).where(Team.name.in_([name for name, *_ in TEAMS])))},
        {service.name: service for service in db.scalars(select(Service))},
        {(category, sub): pair for category, sub, pair in db.execute(pairs)},
        people,
        {
            name: Actor(
                one.id, name, frozenset(roles.get(one.id, ())), frozenset(teams.get(one.id, ())), ZONE, one.email
            )
            for name, one in people.items()
        },
    )


def address(name: str) -> str:
    """first.last@… in plain letters."""
    plain = unicodedata.normalize("NFKD", name.removeprefix("Dr. ").lower().replace(" ", "."))
    return f"{plain.encode('ascii', 'ignore').decode()}@{DOMAIN}"
