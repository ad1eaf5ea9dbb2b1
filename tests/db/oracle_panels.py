"""The numbers and panels of trends once more in plain Python, as their own words define them."""

from collections import Counter
from datetime import date
from functools import partial
from itertools import accumulate
from zoneinfo import ZoneInfo

from tests.db.oracle import DAY, backlog, begins, downtime, local_days, promise, quantile, step_of, within

FEW = 20
ELSEWHERE = {"movers", "on_call"}
"""panels that other tests compare: what moves needs many incidents, and who was on call none"""
AGES = {
    "Up to 1 day": DAY,
    "1 to 3 days": 3 * DAY,
    "3 to 7 days": 7 * DAY,
    "1 to 4 weeks": 28 * DAY,
    "4 to 13 weeks": 91 * DAY,
    "Older": 10_000 * DAY,
}
"""by how long ago it was reported -> at most"""


def numbers(cases, start, end, now):
    """key -> (value, how many cases it rests on)."""
    opened, resolved = within(cases, "reported", start, end), within(cases, "resolved", start, end)
    counted = [case for case in cases if case.counts]
    done = within(counted, "resolved", start, end)
    answered, recovered = within(counted, "acknowledged", start, end), within(counted, "recovered", start, end)

    def count(n):
        return n, n

    def share(n, of):
        return (n / of if of else None), of

    def median(hours):
        return quantile(hours, 0.5), len(hours)

    kept = {kind: promise(opened, kind, now) for kind in ("response", "resolution")}
    return {
        "opened": count(len(opened)),
        "resolved": count(len(resolved)),
        "unresolved": count(len(backlog(cases, end))),
        "unclosed": count(sum(case.reported_at < end and not case.closed_by(end) for case in cases)),
        "never_acknowledged": count(sum(case.counts and case.acknowledged_at is None for case in opened)),
        "to_acknowledge": median([case.hours_to_acknowledge for case in answered]),
        "to_resolve": median([case.hours_to_resolve for case in done]),
        "to_recover": median([case.hours_to_recover for case in recovered]),
        "response_met_share": share(kept["response"]["met"], sum(kept["response"].values())),
        "resolution_met_share": share(kept["resolution"]["met"], sum(kept["resolution"].values())),
        "resolution_missed": count(kept["resolution"]["breached"]),
        "reopened_share": share(sum(case.reopen_count > 0 for case in done), len(done)),
        "first_line_share": share(sum(case.straight for case in done), len(done)),
        "handed_over_share": share(sum(case.handovers > 0 for case in opened), len(opened)),
        "ping_pong_share": share(sum(case.ping_pong for case in opened), len(opened)),
        "severe": count(sum(_lasted(case, start, end) for case in cases)),
    }


def _lasted(case, start, end):
    began = case.started_at or case.reported_at
    return case.severe and began < end and (case.restored_at is None or case.restored_at > start)


def _bar(day, length):
    """The bar that a local day belongs to, in words: '23 Nov' or 'Mar 26'."""
    if length == "month":
        return f"{day:%b %y}"
    first = date.fromisoformat(step_of(day, length))
    return f"{first.day} {first:%b}"


def _by_bar(cases, moment, start, end, zone):
    """bar -> the cases whose moment lies in it."""
    days = (end - start).days
    length = "day" if days <= 14 else "week" if days <= 200 else "month"
    found = {_bar(day, length): [] for day in local_days(start, end, zone)}
    for case in within(cases, moment, start, end):
        at = getattr(case, f"{moment}_at").astimezone(ZoneInfo(zone))
        found[_bar(at.date(), length)].append(case)
    return found


def flow(cases, start, end, zone, now):
    kinds = {"Opened": "reported", "Resolved": "resolved"}
    return {
        (name, kind): len(some)
        for kind, moment in kinds.items()
        for name, some in _by_bar(cases, moment, start, end, zone).items()
    }


def levels(cases, start, end, zone, now):
    days = local_days(start, end, zone)
    return {_bar(day, "day"): len(backlog(cases, min(begins(day + DAY, zone), end))) for day in days}


def quantiles(moment, hours, cases, start, end, zone, now):
    counted = [case for case in cases if case.counts]
    return {
        (name, kind): (quantile([hours(case) for case in some], share), len(some), len(some) < FEW)
        for name, some in _by_bar(counted, moment, start, end, zone).items()
        for kind, share in (("Median", 0.5), ("90th percentile", 0.9))
        if some
    }


def shares(moment, kinds, cases, start, end, zone, now):
    """`kinds`: word -> what says of some cases how many meet it, of how many."""
    found = {}
    for name, some in _by_bar(cases, moment, start, end, zone).items():
        for kind, parts in kinds.items():
            n, of = parts(some, now)
            if of:
                found[name, kind] = (n / of, n, of, of < FEW)
    return found


def _kept(kind, some, now):
    told = promise(some, kind, now)
    return told["met"], sum(told.values())


def _counted(meets, some, now):
    counted = [case for case in some if case.counts]
    return sum(map(meets, counted)), len(counted)


def _all(meets, some, now):
    return sum(map(meets, some)), len(some)


PROMISES = {"Answered": partial(_kept, "response"), "Resolved": partial(_kept, "resolution")}
REWORK = {
    "Reopened": partial(_counted, lambda case: case.reopen_count > 0),
    "Fixed by the first line": partial(_counted, lambda case: case.straight),
}
HANDOVERS = {
    "Handed over": partial(_all, lambda case: case.handovers > 0),
    "Came back": partial(_all, lambda case: case.ping_pong),
}


def promises_by_priority(cases, start, end, zone, now):
    found = {}
    for level in range(1, 6):
        some = [case for case in within(cases, "reported", start, end) if case.priority == level]
        for kind, parts in PROMISES.items():
            met, of = parts(some, now)
            if of:
                found[kind, level] = (met, of - met, met / of)
    return found


def ranking(which, name, running, cases, start, end, zone, now):
    """value -> (how many, in words with their share). What has none is left out; categories have a 0 for it."""
    none = 0 if name == "category_pair_id" else None
    counts = Counter(getattr(case, name) or none for case in which(cases, start, end))
    del counts[None]
    return {value: (n, None if running else f"{n} · {n / counts.total():.0%}") for value, n in counts.items()}


def opened(cases, start, end):
    return within(cases, "reported", start, end)


def resolved(cases, start, end):
    return within(cases, "resolved", start, end)


def unresolved(cases, start, end):
    return backlog(cases, end)


def handed_over(cases, start, end):
    return [case for case in opened(cases, start, end) if case.handovers > 0]


def services_by_downtime(cases, start, end, zone, now):
    found = {service: downtime(cases, service, start, end, now) for service in (1, 2)}
    return {service: hours for service, hours in found.items() if hours}


def repeats(cases, start, end, zone, now):
    counts = Counter((case.service_id, case.category_pair_id) for case in opened(cases, start, end))
    return {both: n for both, n in counts.items() if None not in both and n >= 3}


def heat(cases, start, end, zone, now):
    """(day, hour) -> how many; nothing is drawn where none came."""
    if not opened(cases, start, end):
        return {}
    found = Counter({(day, hour): 0 for day in ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun") for hour in range(24)})
    for case in opened(cases, start, end):
        clock = case.reported_at.astimezone(ZoneInfo(zone))
        found[f"{clock:%a}", clock.hour] += 1
    return dict(found)


def ages(cases, start, end, zone, now):
    left = [case for case in cases if not case.gone_by(now)]
    found = Counter(next(name for name, most in AGES.items() if now - case.reported_at <= most) for case in left)
    share = {name: f" · {n / len(left):.0%}" for name, n in found.items()}
    return {name: (found[name], f"{found[name]}{share.get(name, ' · 0%')}") for name in AGES if left}


PANELS = {
    "flow": flow,
    "backlog": levels,
    "to_acknowledge": partial(quantiles, "acknowledged", lambda case: case.hours_to_acknowledge),
    "to_resolve": partial(quantiles, "resolved", lambda case: case.hours_to_resolve),
    "to_recover": partial(quantiles, "recovered", lambda case: case.hours_to_recover),
    "promises": partial(shares, "reported", PROMISES),
    "rework": partial(shares, "resolved", REWORK),
    "handovers": partial(shares, "reported", HANDOVERS),
    "promises_by_priority": promises_by_priority,
    "categories": partial(ranking, opened, "category_pair_id", True),
    "services": partial(ranking, opened, "service_id", False),
    "downtime": services_by_downtime,
    "repeats": repeats,
    "priorities": partial(ranking, opened, "priority", False),
    "sources": partial(ranking, opened, "source", False),
    "heat": heat,
    "teams_resolved": partial(ranking, resolved, "team_id", False),
    "teams_unresolved": partial(ranking, unresolved, "team_id", False),
    "teams_handed_over": partial(ranking, handed_over, "team_id", False),
    "ages": ages,
}
RANKED = {
    "categories": "pair_id",
    "services": "service_id",
    "priorities": "priority",
    "sources": "source",
    "teams_resolved": "team_id",
    "teams_unresolved": "team_id",
    "teams_handed_over": "team_id",
}
"""panel -> the filter by which each of its rows opens what it counts"""


def shown(panel):
    """What a panel of a report says, in the same shape."""
    rows = panel.rows
    if panel.chart == "ranking":
        _says_the_most(panel)
    match panel.key:
        case "backlog":
            return {row["when"]: row["n"] for row in rows}
        case "flow":
            return {(row["when"], row["kind"]): row["n"] for row in rows}
        case "heat":
            return {(row["day"], row["hour"]): row["n"] for row in rows}
        case "promises_by_priority":
            told = [(row["met"], row["missed"], row["share"]) for row in rows]
            return {
                (row["kind"], opens.filters.priority): each
                for row, opens, each in zip(rows, panel.opens, told, strict=True)
            }
        case "repeats":
            return {
                (opens.filters.service_id, opens.filters.pair_id): row["n"]
                for row, opens in zip(rows, panel.opens, strict=True)
            }
        case "downtime":
            return {opens.filters.service_id: row["n"] for row, opens in zip(rows, panel.opens, strict=True)}
        case "ages":
            return {row["name"]: (row["n"], row["words"]) for row in rows}
    if panel.chart == "quantiles":
        return {(row["when"], row["kind"]): (row["hours"], row["n"], row["few"]) for row in rows}
    if panel.chart == "shares":
        return {(row["when"], row["kind"]): (row["share"], row["n"], row["of"], row["few"]) for row in rows}
    return _ranked(panel)


def _says_the_most(panel):
    most = max((row["n"] for row in panel.rows), default=0)
    largest = [f"Most: {row['name']} with {row['words']}." for row in panel.rows if row["n"] == most]
    assert panel.says in (largest if most else ["There is nothing to count."])


def _ranked(panel):
    """As ranking does. Checked here: most first, but priorities in their order; categories with the share so far."""
    counts = [row["n"] for row in panel.rows]
    if panel.key != "priorities":
        assert counts == sorted(counts, reverse=True), "most first"
    if panel.key == "categories":
        shares = [part / sum(counts) for part in accumulate(counts)]
        said = [f"{n:.0f} · {share:.0%}" for n, share in zip(counts, shares, strict=True)]
        assert [row["words"] for row in panel.rows] == said
    return {
        getattr(opens.filters, RANKED[panel.key]): (row["n"], None if panel.key == "categories" else row["words"])
        for row, opens in zip(panel.rows, panel.opens, strict=True)
    }
