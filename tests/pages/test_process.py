"""Process: the ways of incidents drawn, listed, and opened one figure at a time."""

import pytest
import streamlit as st

from db.queries import travel
from pages.parts import counted, rows
from pages.parts.drawing import Arrow, diagram
from tests.pages.conftest import seen

PAGE = "managers/process.py"
sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def drawn(monkeypatch):
    """What was given to the drawings and lists of the page: kind -> everything in order."""
    given = {"diagrams": [], "rows": {}}
    monkeypatch.setattr(st, "mermaid_chart", lambda body, **more: given["diagrams"].append((body, more["alt"])))

    def listed(items, *, key, **more):
        given["rows"][key] = [(item["title"], item["explanation"]) for item in items]
        return given.get("event") if given.get("of") == key else None

    monkeypatch.setattr(rows, "rows", listed)
    return given


def sent_round(desk):
    """One incident handed to the servers and back, fixed; the numbers of it and of one that waits."""
    servers = desk.team("Servers", "2")
    number = desk.report("Rita", "Nobody can print", minutes_ago=100)
    desk.accept(number, minutes_ago=90)
    desk.do(number, "acknowledge", "Priya", 80)
    desk.do(number, "assign", "Priya", 60, team_id=servers, reason="The print server.")
    desk.do(number, "assign", "Lena", 40, team_id=desk.team_id, reason="The server is well.")
    desk.do(number, "acknowledge", "Lena", 30, summary_read=True)
    desk.do(number, "resolve", "Lena", 20, resolution_code="fixed", resolution_note="New cable.")
    return number, desk.report("Rita", "The lamp is dark")


@sqlite
def test_the_moves_are_drawn_with_counts_and_median_waits(desk, opened, drawn):
    sent_round(desk)
    at = opened(PAGE, "Max")
    assert not at.exception
    ((body, says),) = drawn["diagrams"]
    assert '["New"]' in body
    assert '|"1<br/>10 min"|' in body
    assert "merged into another" not in seen(at), "none was"
    assert "-.->" in body, "a step back is dashed"
    assert says == "The most frequent of 4 moves: Assigned to In progress, 2 times, after a median of 20 min."
    assert ("New → Assigned", "once in 1 incident · median wait 10 min of 1, too few to say much") in drawn["rows"][
        "process.move"
    ]
    assert "2 incidents reported in it" in seen(at)


@sqlite
def test_ways_waits_and_teams_each_have_their_part(desk, opened, drawn):
    sent_round(desk)
    at = opened(PAGE, "Max", part="ways")
    way = "New → Assigned → In progress → Assigned → In progress → Resolved"
    assert "of the 1 that have come there; 1 still under way are left out." in seen(at)
    assert drawn["rows"]["process.way"][0][0] == way
    assert "100.0 %" in drawn["rows"]["process.way"][0][1]
    opened(PAGE, "Max", part="waits")
    assert drawn["rows"]["process.there"] == [("New", "1 incident of those reported in the period")]
    assert [title for title, _ in drawn["rows"]["process.team"]] == ["Network", "Servers"]
    at = opened(PAGE, "Max", part="teams")
    assert not at.exception
    assert drawn["rows"]["process.back"] == [
        ("Servers sent back to Network", "once in 1 incident, of 1 handover this way")
    ]
    assert "1 of 2 incidents were handed from one team to another, 1 came back" in seen(at)


@sqlite
def test_a_figure_opens_the_incidents_it_counts(desk, opened, drawn):
    _, waits = sent_round(desk)
    drawn |= {"of": "process.there", "event": rows.Event("action", "there.new")}
    at = opened(PAGE, "Max", part="waits")
    assert not at.exception
    assert drawn["rows"]["counted.list"] == [("The lamp is dark", drawn["rows"]["counted.list"][0][1])]
    assert at.session_state["counted.ids"] == [desk.id_of(waits)]


@sqlite
def test_an_incident_of_the_list_is_opened_by_the_page_itself(desk, opened, drawn, monkeypatch):
    _, waits = sent_round(desk)
    drawn |= {"of": "process.there", "event": rows.Event("action", "there.new")}
    at = opened(PAGE, "Max", part="waits")
    went = []
    monkeypatch.setattr(st, "switch_page", lambda page, query_params: went.append((page, query_params)))
    at.session_state["counted.go"] = waits
    at.run()
    assert went == [("responders/incident.py", {"number": waits})]
    at.run()
    assert len(went) == 1, "once"


@sqlite
def test_who_may_not_open_incidents_is_told_so(desk, opened, drawn):
    sent_round(desk)
    drawn |= {"of": "process.there", "event": rows.Event("action", "there.new")}
    at = opened(PAGE, "Ada", part="waits")
    assert drawn["rows"]["counted.list"] == []
    assert "1 incident · 1 not open to you" in seen(at)


@sqlite
def test_all_of_it_leaves_as_files_on_paper_and_as_pictures(desk, opened, drawn):
    sent_round(desk)
    at = opened(PAGE, "Max", part="teams", period="30", team=str(desk.team_id))
    assert "/trends-process/report" not in seen(at), "not before it is asked for"
    at.session_state["trends-process.export"] = True
    said = seen(at.run())
    query = f"part=teams&period=30&team={desk.team_id}"
    for path in ("print?", "report.csv?", "report.xlsx?", "chart.png?"):
        [line] = [line for line in said.splitlines() if f"/trends-process/{path}" in line][:1]
        address = line.partition(f"/trends-process/{path}")[2]
        assert all(part in address for part in (*query.split("&"), "zone=")), address
    assert [panel for panel in ("moves", "states", "teams", "handovers") if f"panel={panel}" not in said] == []


@sqlite
def test_of_more_than_can_be_looked_at_it_says_so(desk, opened, drawn, monkeypatch):
    monkeypatch.setattr(travel, "MOST", 1)
    sent_round(desk)
    assert "the newest 1 of 2 incidents reported in it" in seen(opened(PAGE, "Max"))


@sqlite
def test_nothing_reported_is_no_error(desk, opened, drawn):
    at = opened(PAGE, "Max", period="30", part="teams")
    assert not at.exception
    assert drawn["diagrams"] == []


@sqlite
def test_filters_of_the_address_narrow_it_and_nonsense_does_not(desk, opened, drawn):
    number, _ = sent_round(desk)
    team = str(desk.incident(number).team_id)
    assert "1 incident reported" in seen(opened(PAGE, "Max", team=team))
    assert "0 incidents" in seen(opened(PAGE, "Max", source="mail"))
    assert "2 incidents" in seen(opened(PAGE, "Max", source="nonsense", service="x"))


@sqlite
def test_a_list_of_many_rows_comes_by_pages(desk, opened, drawn, monkeypatch):
    monkeypatch.setattr(counted, "PAGE_SIZE", 3)
    sent_round(desk)
    at = opened(PAGE, "Max")
    assert len(drawn["rows"]["process.move"]) == 3
    at.session_state["process.move.page"] = 2
    at.run()
    assert len(drawn["rows"]["process.move"]) == 1


@sqlite
def test_of_many_teams_the_most_frequent_handovers_are_drawn_and_all_are_listed(desk, opened, drawn):
    number = desk.report("Rita", "Nobody can print", minutes_ago=100)
    desk.accept(number, minutes_ago=90)
    for place in range(10):
        desk.do(number, "assign", "Lena", 80 - place, team_id=desk.team(f"Team {place}", "2"), reason="Theirs.")
    at = opened(PAGE, "Max", part="teams")
    ((body, _),) = drawn["diagrams"]
    assert body.count("linkStyle") == 8
    assert "2 rarer moves, made 2 times in all, not drawn but listed below" in seen(at)
    assert len(drawn["rows"]["process.handover"]) == 10


def test_what_a_team_is_called_is_never_read_as_a_drawing():
    name = 'A"] --> B["`x`; <script>#quot;'
    body = diagram({1: name, 2: "Fine-tuning, 2. floor"}, [Arrow(1, 2, 1, ("1",))])
    (line,) = [line for line in body.splitlines() if line.startswith("p0[")]
    assert line.startswith('p0["A')
    assert line.endswith('"]')
    assert not set(line[4:-2]) & set('"[]`;<>#|&{}()')
    assert '"Fine-tuning, 2. floor"' in body
