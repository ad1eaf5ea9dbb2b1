"""Chats: Slack (incoming webhook), Teams (workflow webhook, an Adaptive Card), Mattermost (incoming webhook).

What people wrote is put where the chat takes it as plain text, or escaped: it formats nothing and calls nobody.
"""

import json
import re
from datetime import datetime
from typing import Any

from db.commands.deliveries import Message
from rules import channels
from rules.page_links import ACTIONS
from worker.senders import outgoing

_SLACK_HEADER, _SLACK_SECTION, _SLACK_BUTTON, _LONGEST = 150, 3000, 75, 8000
_MARKUP = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:])")
_UNSEEN = "\u200b"


def send_slack(message: Message, now: datetime) -> None:
    _post(message, now, slack(message))


def send_teams(message: Message, now: datetime) -> None:
    _post(message, now, teams(message))


def send_mattermost(message: Message, now: datetime) -> None:
    _post(message, now, mattermost(message))


def _post(message: Message, now: datetime, content: dict[str, Any]) -> None:
    headers = {"content-type": "application/json; charset=utf-8", "webhook-id": message.key}
    outgoing.post(message.address, json.dumps(content, ensure_ascii=False).encode(), headers, now=now)


def links(message: Message) -> list[tuple[str, str]]:
    """(word, url) of the buttons."""
    acting = [(ACTIONS[action], url) for action, url in message.links]
    leading = [message.button] if message.button else [("Open", message.url)] if message.url else []
    return [*acting, *leading]


def slack(message: Message) -> dict[str, Any]:
    """Blocks of plain text, and a line of text for notifications. What was said in a room stands above its incident."""
    if message.kind == channels.ROOM:
        about: list[dict[str, Any]] = [_plain(message.subject, _SLACK_SECTION)]
        if message.url:
            about.append({"type": "mrkdwn", "text": f"<{message.url}|Open>"})
        words = {"type": "section", "text": _plain(message.body, _SLACK_SECTION)}
        fallback = _entities(cut(f"{message.number} {message.body}", _SLACK_SECTION))
        return {"text": fallback, "blocks": [words, {"type": "context", "elements": about}]}
    fallback = _entities(message.subject)
    blocks: list[dict[str, Any]] = [{"type": "header", "text": _plain(message.subject, _SLACK_HEADER)}]
    if message.body:
        blocks.append({"type": "section", "text": _plain(message.body, _SLACK_SECTION)})
    buttons = [{"type": "button", "text": _plain(word, _SLACK_BUTTON), "url": url} for word, url in links(message)]
    if buttons:
        blocks.append({"type": "actions", "elements": buttons})
    return {"text": fallback, "blocks": blocks}


def _entities(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _plain(words: str, limit: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": cut(words, limit), "emoji": False}


def teams(message: Message) -> dict[str, Any]:
    """An Adaptive Card; its TextRuns take no markup."""
    if message.kind == channels.ROOM:
        body = [_rich(message.body), _rich(message.subject, size="small", isSubtle=True)]
    else:
        body = [_rich(message.subject, size="large", weight="bolder")]
        body += [_rich(message.body)] if message.body else []
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "actions": [{"type": "Action.OpenUrl", "title": word, "url": url} for word, url in links(message)],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _rich(words: str, **looks: str | bool) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": cut(words, _LONGEST), **looks}]}


def mattermost(message: Message) -> dict[str, Any]:
    """Markdown in which everything that people wrote is escaped."""
    opened = " · ".join(f"[{word}]({url})" for word, url in links(message))
    if message.kind == channels.ROOM:
        lines = [_escaped(cut(message.body, _LONGEST)), " ".join(filter(None, (_escaped(message.subject), opened)))]
    else:
        lines = [f"**{_escaped(message.subject)}**", _escaped(cut(message.body, _LONGEST)), opened]
    return {"text": "\n\n".join(filter(None, lines)), "username": "Incident Desk"}


def _escaped(words: str) -> str:
    return _MARKUP.sub(r"\\\1", words).replace("@", f"@{_UNSEEN}")


def cut(words: str, limit: int) -> str:
    """At most `limit` characters, with a mark where something is missing."""
    return words if len(words) <= limit else words[: limit - 1] + "…"
