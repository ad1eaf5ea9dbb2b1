"""Parts that people take in the response to an incident."""

ROLES = {
    "commander": "Commander",
    "communications": "Communications",
    "scribe": "Scribe",
    "expert": "Expert",
}
DUTIES = {
    "commander": "leads the response and decides",
    "communications": "writes the updates",
    "scribe": "keeps the timeline",
    "expert": "knows the matter",
}
SEVERAL = frozenset({"expert"})
"""roles that more than one person may have at a time"""
LEADING = ("commander", "communications", "scribe")
