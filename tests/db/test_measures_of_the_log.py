"""Every measure of the real log against pandas over its raw file.

What is computed here follows the written definitions and the file alone; nothing of the app's own counting is used.
"""

from datetime import UTC, datetime
from itertools import product

import pandas as pd
import pytest
from sqlalchemy import func, select, update

from db.commands import facts
from db.engine import reading, writing
from db.models import Category, CategoryPair, Incident, Service, Subcategory, Team
from db.queries import measures, trends
from rules.access import SYSTEM
from rules.measures import Filters
from tests.db.imported import LOG
from tests.db.oracle import differences

pytestmark = pytest.mark.slow
NOW = datetime(2017, 6, 1, tzinfo=UTC)
HOUR = pd.Timedelta(hours=1)
WORKED_ON = ["Active", "Awaiting User Info", "Awaiting Vendor", "Awaiting Problem", "Awaiting Evidence"]
TIERS = ("1", "2", "3", "external")
PERIODS = {
    "a month": ("2016-03-01T00:00Z", "2016-04-01T00:00Z", "UTC"),
    "the whole": ("2016-02-01T00:00Z", "2017-03-01T00:00Z", "UTC"),
    "the whole far from here": ("2016-02-01T00:00Z", "2017-03-01T00:00Z", "Australia/Lord_Howe"),
    # From the morning on which clocks went forward to the night on which they went back.
    "an odd cut": ("2016-03-13T09:17Z", "2016-11-06T06:43Z", "America/Chicago"),
}


def moments(column):
    return pd.to_datetime(column.where(column != "?"), format="%d/%m/%Y %H:%M", utc=True)


def tier_of(team):
    """The tier that these tests give a group of the log."""
    return TIERS[sum(map(ord, team)) % len(TIERS)]


def read_log():
    """One row per incident: what the raw rows of its number amount to."""
    rows = pd.read_csv(LOG, dtype=str)
    rows["at"] = moments(rows.sys_updated_at)
    last = rows.drop_duplicates("number", keep="last").set_index("number")
    log = pd.DataFrame(index=last.index)
    log["reported"] = moments(last.opened_at)
    worked_on = rows[rows.incident_state.isin(WORKED_ON)].drop_duplicates("number").set_index("number")["at"]
    log["acknowledged"] = worked_on.reindex(log.index)
    log["acknowledged"] = log.acknowledged.where(~(log.acknowledged < log.reported), log.reported)
    resolutions = rows[rows.incident_state == "Resolved"].drop_duplicates("number", keep="last").set_index("number")
    log["resolved"] = moments(last.resolved_at).fillna(resolutions["at"].reindex(log.index))
    log["closed"] = moments(last.closed_at)
    log["priority"] = last.priority.str[0].astype(int)
    for name, theirs in {"category": "category", "subcategory": "subcategory", "service": "cmdb_ci"}.items():
        log[name] = last[theirs].where(last[theirs] != "?", None)
    log["reopened"] = last.reopen_count.astype(int) > 0
    told = rows[rows.assignment_group != "?"]
    changed = told[told.assignment_group != told.groupby("number").assignment_group.shift()].groupby("number")
    log["team"] = changed.assignment_group.last().reindex(log.index)
    log["team"] = log.team.where(log.team.notna(), None)
    log["handovers"] = (changed.size() - 1).reindex(log.index, fill_value=0)
    log["ping_pong"] = (changed.size() > changed.assignment_group.nunique()).reindex(log.index, fill_value=False)
    # What the log does not tell, given to some below.
    for name in ("recovered", "started", "detected", "response_due", "resolution_due"):
        log[name] = pd.Series(pd.NaT, index=log.index, dtype="datetime64[ns, UTC]")
    return log.assign(source="import")


def give(log):
    """What the log lacks, to some of its incidents: promises, a start, a recovery, monitoring."""
    place = pd.Series(range(len(log)), index=log.index)
    promised, found = place % 9 == 0, place % 10 == 3
    log.loc[promised, "response_due"] = log.reported + HOUR * 2
    log.loc[promised, "resolution_due"] = log.reported + HOUR * 24
    log.loc[found, "source"] = "alert"
    log.loc[place % 20 == 3, "detected"] = log.reported - HOUR / 4
    log.loc[promised | found, "recovered"] = log.resolved + HOUR / 2
    log.loc[found, "started"] = log.reported - HOUR * 3
    log["promised"] = promised | found
    return log


def spread(hours, levels=None):
    said = {"n": len(hours), "median": None, "p90": None}
    if len(hours):
        said |= {"median": hours.median(), "p90": hours.quantile(0.9)}
    if levels is not None:
        said["by_priority"] = {str(level): spread(some) for level, some in hours.groupby(levels)}
    return said


def in_pandas(log, start, end, zone):
    """The figures of `measures --json` by their written definitions; `log` as read_log gives it."""

    def inside(name):
        return log[(log[name] >= start) & (log[name] < end)]

    def per_month(moments_):
        by_name = moments_.dt.tz_convert(zone).dt.strftime("%Y-%m").value_counts()
        return {"n": len(moments_), "per_month": {name: int(by_name.get(name, 0)) for name in ends}}

    def taken(some, until, since):
        return spread((some[until] - since) / HOUR, some.priority)

    def promise(name, ended):
        due = opened[opened[name].notna()]
        met = int((ended[due.index] <= due[name]).sum())
        late = (ended[due.index] > due[name]) | (ended[due.index].isna() & (due[name] < NOW))
        return {"met": met, "breached": int(late.sum())}

    local = [pd.Timestamp(at).tz_convert(zone).tz_localize(None) for at in (start, end - pd.Timedelta(1))]
    ends = {
        str(month): min((month + 1).start_time.tz_localize(zone), end)
        for month in pd.period_range(*local, freq="M")
    }  # fmt: skip
    gone = log.resolved.fillna(log.closed)
    opened, resolved, acknowledged, recovered = map(inside, ("reported", "resolved", "acknowledged", "recovered"))
    began = acknowledged.reported.where(acknowledged.source != "alert", acknowledged.detected)
    first_line = resolved.team.map(tier_of, na_action="ignore").eq("1") & ~resolved.reopened & resolved.handovers.eq(0)
    pairs = opened[["category", "subcategory"]].astype(object)
    pairs = pairs.where(pairs.notna(), None).apply(tuple, axis=1) if len(opened) else pd.Series(dtype=object)
    pairs = pairs.map(lambda pair: pair if pair[0] else (None, None))
    return {
        "from": start.isoformat(),
        "to": end.isoformat(),
        "zone": zone,
        "opened": per_month(opened.reported),
        "resolved": per_month(resolved.resolved),
        "backlog": {
            "unresolved": {name: int(((log.reported < at) & ~(gone < at)).sum()) for name, at in ends.items()},
            "unclosed": {name: int(((log.reported < at) & ~(log.closed < at)).sum()) for name, at in ends.items()},
        },
        "time_to_acknowledge_hours": taken(acknowledged, "acknowledged", began.fillna(acknowledged.reported))
        | {"never": int(opened.acknowledged.isna().sum())},
        "time_to_resolve_hours": taken(resolved, "resolved", resolved.reported),
        "time_to_recover_hours": taken(recovered, "recovered", recovered.started.fillna(recovered.reported)),
        "reopened": {"n": int(resolved.reopened.sum()), "of": len(resolved)},
        "first_line": {"n": int(first_line.sum()), "of": len(resolved)},
        "handovers": {
            "any": int((opened.handovers > 0).sum()),
            "mean": opened.handovers.mean() if len(opened) else None,
            "ping_pong": int(opened.ping_pong.sum()),
        },
        "sla": {
            "response": promise("response_due", log.acknowledged.fillna(log.resolved)),
            "resolution": promise("resolution_due", log.resolved),
        },
        "by_priority": {str(level): n for level, n in opened.groupby("priority").size().items()},
        "by_category": [
            {"category": category, "subcategory": subcategory, "n": n}
            for (category, subcategory), n in pairs.value_counts().items()
        ],
    }


@pytest.fixture(scope="module")
def log(missing):
    if not LOG.exists():
        missing("The whole log is not beside the project (../shared/data/servicenow_event_log.csv.gz).")
    return read_log()


@pytest.fixture(scope="module")
def imported(copy_of_the_log):
    """A database of each kind into which the whole log has been imported, as it came."""
    with copy_of_the_log() as engine:
        yield engine


def test_all_of_it_is_imported(imported, log):
    with reading(imported) as db:
        assert db.scalar(select(func.count()).select_from(Incident)) == len(log)


def measured(engine, period, **filters):
    start, end, zone = PERIODS[period]
    with reading(engine) as db:
        start, end = datetime.fromisoformat(start), datetime.fromisoformat(end)
        return trends.measures(db, start, end, zone, now=NOW, filters=Filters(**filters))


def computed(log, period):
    start, end, zone = PERIODS[period]
    return in_pandas(log, pd.Timestamp(start), pd.Timestamp(end), zone)


def test_the_log_has_the_figures_that_stand_beside_it(imported, log):
    figures = {"measures": measured(imported, "the whole"), "pandas": computed(log, "the whole")}
    for by, found in figures.items():
        assert found["opened"]["n"] == 24_918, by
        assert found["by_priority"] == {"1": 270, "2": 408, "3": 23_466, "4": 774}, by
        spent = found["time_to_resolve_hours"]
        assert (spent["n"], round(spent["median"], 2), round(spent["p90"], 2)) == (24_905, 16.08, 361.14), by
        months = ["2016-03", "2016-04", "2016-05"]
        assert [found["opened"]["per_month"][month] for month in months] == [8_995, 7_934, 7_508], by
        assert [found["backlog"]["unresolved"][month] for month in months[:2]] == [1_505, 1_198], by
        assert [found["backlog"]["unclosed"][month] for month in months[:2]] == [3_353, 2_961], by
        assert found["reopened"]["n"] == 275, by
        assert (found["handovers"]["any"], found["handovers"]["ping_pong"]) == (9_575, 2_628), by
        none = {"met": 0, "breached": 0}
        assert found["sla"] == {"response": none, "resolution": none}, by
        assert found["time_to_recover_hours"]["n"] == 0, by


@pytest.mark.parametrize("period", PERIODS)
def test_the_log_as_it_came_measures_as_pandas_does(imported, log, period):
    tierless = computed(log, period) | {"first_line": None}
    found = measured(imported, period)
    assert found["first_line"]["n"] == 0, "a group without a tier is no first line"
    assert differences(found | {"first_line": None}, tierless) == []


@pytest.mark.parametrize(
    ("first", "last", "some"), [("2016-04-05", "2016-04-12", True), ("2017-03-01", "2017-04-01", False)]
)
def test_what_was_severe_lasts_until_it_was_resolved_where_nobody_told_its_recovery(imported, log, first, last, some):
    start, end = (datetime.fromisoformat(f"{day}T00:00Z") for day in (first, last))
    with reading(imported) as db:
        found = measures.measured(db, SYSTEM, Filters(), NOW).count("severe", start, end)
    lasting = (log.priority <= 2) & (log.reported < end) & ~(log.resolved.fillna(log.closed) <= start)
    assert found == lasting.sum()
    assert (found > 0) is some


@pytest.fixture(scope="module")
def completed(imported, log):
    """(the database, the log) with what the log lacks, after the log as it came was measured.

    Most incidents were packed before, and some changed since.
    """
    with writing(imported) as db:
        facts.pack(db, 99)
    log = give(log.copy())
    some = log[log.promised]
    columns = {
        f"{name}_at": some[name]
        for name in ("response_due", "resolution_due", "recovered", "started", "detected")
    } | {"source": some.source}  # fmt: skip
    with writing(imported) as db:
        ids = dict(db.execute(select(Incident.number, Incident.id)).all())
        changes = [{"id": ids[number]} for number in some.index]
        for name, values in columns.items():
            for change, value in zip(changes, values, strict=True):
                change[name] = None if pd.isna(value) else getattr(value, "to_pydatetime", lambda v=value: v)()
        db.execute(update(Incident), changes)
        for team in db.scalars(select(Team)):
            team.tier = tier_of(team.name)
    return imported, log


def filters_of(engine):
    """Filters beside the rows of the log that each leaves."""
    with reading(engine) as db:

        def named(model, name):
            return db.scalars(select(model.id).where(model.name == name)).one()

        team, service = named(Team, "Group 70"), named(Service, "cmdb_ci 7")
        category, subcategory = named(Category, "Category 26"), named(Subcategory, "Subcategory 175")
        both = CategoryPair.category_id == category, CategoryPair.subcategory_id == subcategory
        pair = db.scalars(select(CategoryPair.id).where(*both)).one()
    return [
        ({}, lambda log: log),
        ({"team_id": team}, lambda log: log[log.team == "Group 70"]),
        ({"priority": 2}, lambda log: log[log.priority == 2]),
        ({"category_id": category}, lambda log: log[log.category == "Category 26"]),
        (
            {"pair_id": pair},
            lambda log: log[(log.category == "Category 26") & (log.subcategory == "Subcategory 175")],
        ),
        ({"pair_id": 0}, lambda log: log[log.category.isna()]),
        ({"service_id": service}, lambda log: log[log.service == "cmdb_ci 7"]),
        ({"source": "alert"}, lambda log: log[log.source == "alert"]),
        (
            {"team_id": team, "priority": 3, "source": "import"},
            lambda log: log[(log.team == "Group 70") & (log.priority == 3) & (log.source == "import")],
        ),
    ]


def test_the_completed_log_measures_as_pandas_does_in_any_period_and_through_any_filter(completed):
    engine, log = completed
    for (filters, left), period in product(filters_of(engine), PERIODS):
        kept = left(log)
        assert len(kept), filters
        assert differences(measured(engine, period, **filters), computed(kept, period)) == [], (filters, period)
    whole = measured(engine, "the whole")
    for told in (whole["first_line"]["n"], *whole["sla"]["response"].values(), *whole["sla"]["resolution"].values()):
        assert told > 200, "too little to tell"
