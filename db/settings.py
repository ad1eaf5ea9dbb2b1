"""The environment: everything that is set from outside the app, read in this one place."""

import os
import secrets
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from rules import calls, mail_server, outgoing

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "data"


class SettingProblem(Exception):
    """A setting cannot be used; `sentence` says which, and what to do."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Settings(BaseSettings):
    """See README, 'Settings', for the meaning of each."""

    model_config = SettingsConfigDict(env_file=None, extra="ignore")

    database_url: str = f"sqlite:///{DATA / 'incidents.db'}"
    secret_key: str = ""
    base_url: str = ""
    smtp_url: str = ""
    outgoing_allow: str = ""
    anonymous_reports: bool = False
    worker: Literal["embedded", "off"] = "embedded"
    video_url: str = "https://meet.jit.si/{room}"

    @field_validator("database_url")
    @classmethod
    def _with_driver(cls, url: str) -> str:
        for plain in ("postgres://", "postgresql://"):
            if url.startswith(plain):
                return "postgresql+psycopg://" + url.removeprefix(plain)
        return url

    @field_validator("smtp_url")
    @classmethod
    def _mail_server(cls, url: str) -> str:
        if url:
            mail_server.parse(url)
        return url

    @field_validator("video_url")
    @classmethod
    def _call(cls, template: str) -> str:
        return calls.checked(template)

    @field_validator("outgoing_allow")
    @classmethod
    def _allowed(cls, listed: str) -> str:
        outgoing.parse(listed)
        return listed

    @property
    def secure(self) -> bool:
        """True when people reach the app by https: cookies are then marked Secure."""
        return self.base_url.startswith("https://")

    @property
    def cookie(self) -> str:
        """The name of the session's cookie; its prefix binds it to this host where https allows that."""
        return "__Host-incident_desk" if self.secure else "incident_desk"

    def secret(self) -> bytes:
        """The key that signs what browsers hold; made and kept beside the data on first start if absent."""
        return self.secret_key.encode() if self.secret_key else _kept_secret()


@lru_cache
def settings() -> Settings:
    """The settings of this process. SettingProblem when one of them cannot be used."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"])).upper()
        said = first["msg"].removeprefix("Value error, ").rstrip(".")
        raise SettingProblem(f"The setting {name} cannot be used: {said}.") from error


@lru_cache
def _kept_secret() -> bytes:
    place = DATA / "secret_key"
    try:
        return _read_or_make(place)
    except OSError as error:
        raise SettingProblem(
            f"The key that signs cookies cannot be kept in {place.parent}: {error.strerror}. "
            "Make that folder writable, or set SECRET_KEY."
        ) from error


def _read_or_make(place: Path) -> bytes:
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        kept = place.read_bytes().strip()
        if len(kept) >= 32:
            return kept
        raise SettingProblem(f"{place} is damaged: it holds no key. Delete it to have a new one made.") from None
    key = secrets.token_hex(32).encode()
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
    return key
