"""Instants in words, in the reader's own zone."""

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from rules.priority import span


def zone() -> ZoneInfo:
    """The zone of the reader's browser; UTC when it says none."""
    return _zone(st.context.timezone or "UTC")


@lru_cache
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def local(instant: datetime) -> datetime:
    """The instant on the reader's clock."""
    return instant.astimezone(zone())


def full(instant: datetime) -> str:
    """'Mon 23 Nov 2026, 14:05 CET'."""
    at = local(instant)
    return f"{at:%a} {at.day} {at:%b %Y, %H:%M %Z}"


def day(instant: datetime) -> str:
    """'23 Nov 2026'."""
    at = local(instant)
    return f"{at.day} {at:%b %Y}"


def short(instant: datetime, now: datetime) -> str:
    """'14:05' today, 'tomorrow 14:05', 'Thu 14:05' within a week, else '3 Dec 14:05', with the year when it differs."""
    at, today = local(instant), local(now)
    days = (at.date() - today.date()).days
    if days == 0:
        return f"{at:%H:%M}"
    if days in (-1, 1):
        return f"{'tomorrow' if days == 1 else 'yesterday'} {at:%H:%M}"
    if 1 < days < 7:
        return f"{at:%a %H:%M}"
    year = f" {at.year}" if at.year != today.year else ""
    return f"{at.day} {at:%b}{year} {at:%H:%M}"


def ago(instant: datetime, now: datetime) -> str:
    """'just now', '18 min ago', '3 d ago'; a date when longer than a month ago."""
    seconds = (now - instant).total_seconds()
    if seconds < 60:
        return "just now"
    if seconds > 31 * 86_400:
        at = local(instant)
        return f"on {at.day} {at:%b %Y}"
    return f"{span(seconds)} ago"
