"""SMTP_URL: where e-mail is handed over."""

from dataclasses import dataclass
from email.utils import parseaddr
from urllib.parse import parse_qs, unquote, urlsplit

_PORTS = {"smtp": 25, "smtps": 465}
_SHAPE = "It has the form smtp://user:password@host:587?from=desk@example.org, or begins with smtps://."


@dataclass(frozen=True)
class MailServer:
    """One server and how to speak to it."""

    host: str
    port: int
    user: str | None
    password: str
    sender: str
    """the address that messages come from"""
    sender_name: str
    encrypted: bool
    """TLS from the first byte (smtps)"""
    tls: str
    """'auto': STARTTLS when offered, and never a password without it; 'required'; 'off'"""
    verify: bool
    """the server's certificate is checked"""

    @property
    def domain(self) -> str:
        """of the sender; message ids end with it"""
        return self.sender.rpartition("@")[2]


def parse(url: str) -> MailServer:
    """ValueError with a sentence when it cannot be one."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise ValueError(f"SMTP_URL cannot be read. {_SHAPE}") from error
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError(f"SMTP_URL cannot be read. {_SHAPE}")
    given = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    unknown = sorted(set(given) - {"from", "tls", "verify"})
    if unknown:
        raise ValueError(f"SMTP_URL has '{unknown[0]}', which means nothing. It may have from, tls and verify.")
    tls, verify = given.get("tls", "auto"), given.get("verify", "yes")
    if tls not in ("auto", "required", "off") or verify not in ("yes", "no"):
        raise ValueError("In SMTP_URL, tls is auto, required or off, and verify is yes or no.")
    user = unquote(parts.username) if parts.username else None
    fallback = user if user and "@" in user else f"incident-desk@{parts.hostname}"
    written = given.get("from", fallback)
    name, sender = parseaddr(written)
    if "@" not in sender or " " in sender or not written.isprintable():
        raise ValueError("In SMTP_URL, from is an e-mail address such as desk@example.org.")
    return MailServer(
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        user=user,
        password=unquote(parts.password or ""),
        sender=sender,
        sender_name=name or "Incident Desk",
        encrypted=parts.scheme == "smtps",
        tls=tls,
        verify=verify == "yes",
    )
