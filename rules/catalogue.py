"""The words of the catalogue: tiers of teams, their ways of working, how much hangs on a service."""

TIERS = {
    "1": "Tier 1, front line",
    "2": "Tier 2, specialists",
    "3": "Tier 3, developers",
    "external": "External vendor",
}
WAYS = {"itil": "Incidents are handed from tier to tier", "devops": "You build it, you run it"}
IMPACTS = {None: "Not said", 1: "High: many stop working without it", 2: "Medium", 3: "Low: hardly anybody notices"}
KINDS = {"team": "Teams", "service": "Services", "category": "Categories"}
