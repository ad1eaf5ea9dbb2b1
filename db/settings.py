"""The environment: everything that is set from outside the app, read in this one place."""

import os
import secrets
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "data"


class Settings(BaseSettings):
    """See README, 'Settings', for the meaning of each."""

    model_config = SettingsConfigDict(env_file=None, extra="ignore")

    database_url: str = f"sqlite:///{DATA / 'incidents.db'}"
    secret_key: str = ""
    base_url: str = ""
    smtp_url: str = ""
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
    """The settings of this process."""
    return Settings()


@lru_cache
def _kept_secret() -> bytes:
    place = DATA / "secret_key"
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        kept = place.read_bytes().strip()
        if len(kept) >= 32:
            return kept
        raise RuntimeError(f"{place} is damaged: it holds no key. Delete it to have a new one made.") from None
    key = secrets.token_hex(32).encode()
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
    return key
