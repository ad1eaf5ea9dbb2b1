"""How somebody else's problem reached the person who types it."""

SOURCES = {"phone": "By telephone", "desk": "In person", "mail": "By e-mail"}
"""key -> words; the incident's source"""
ANONYMOUS = "anonymous"
"""the source of what somebody without an account reported themselves"""
PROGRAM = "api"
"""the source of what a program reported"""
