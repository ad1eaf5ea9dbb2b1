"""Import: take in another tool's export. It is checked first; then imported, even while the screen is closed."""

from zoneinfo import available_timezones

import streamlit as st

from db.engine import reading
from db.imports import Report, background
from db.imports.background import Job
from db.queries import imports as queries
from db.queries.settings import organisation
from pages.parts import session, texts, times
from pages.parts.empty import empty, field_problem
from pages.parts.forms import Failure, error_title, guarded
from pages.parts.texts import literal
from rules.access import Actor
from rules.errors import RuleError

JOB = "import.job"
KINDS = ["csv", "gz"]
REFUSALS_SHOWN = 20
RUNS_SHOWN = 10
MEGABYTE = 1024 * 1024


def page() -> None:
    actor = session.require("import")
    error_title(None, "Import")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Import", width="stretch", anchor=False)
    st.write(
        "Take in incidents with their whole history from a ServiceNow export (CSV, plain or gzipped). The file is "
        "checked first and nothing is written until you say so. The same file again changes nothing."
    )
    with guarded():
        job = background.find(st.session_state.get(JOB))
        if job is None:
            choose(actor)
        elif job.running:
            watch(job.id)
            return  # what the database knows of it is told when it has ended
        else:
            ended(job)
    with guarded():
        if background.busy():
            others()
        else:
            past(actor)


def choose(actor: Actor) -> None:
    """The form: a file and the zone of its dates."""
    most = int(st.get_option("server.maxUploadSize"))
    with reading() as db:
        home = organisation(db).zone
    zones = sorted(available_timezones())
    with st.form("import.form", width=640):
        uploaded = st.file_uploader(f"**File** (CSV or CSV in gzip, at most {most} MB)", type=KINDS, key="import.file")
        problem = st.empty()
        zone = st.selectbox(
            "**Zone of its dates**",
            zones,
            index=zones.index(home if home in zones else "UTC"),
            help="Exports write local times without saying where. Choose where the tool stood.",
        )
        sent = st.form_submit_button("Check the file", type="primary", icon=":material/fact_check:")
    if not sent:
        return
    fault = None
    if uploaded is None:
        fault = "Choose a file."
    elif uploaded.size > most * MEGABYTE:
        fault = f"The file has {texts.size(uploaded.size)}. Pack it with gzip, or import it on the command line."
    elif not uploaded.name.lower().endswith(tuple(f".{kind}" for kind in KINDS)):
        fault = "Choose a CSV file, or one packed with gzip."
    if fault is not None or uploaded is None:
        with problem.container():
            field_problem(fault)
        return
    name = uploaded.name.rsplit("/", 1)[-1][-200:]
    begin(actor, uploaded.getvalue(), name, zone, dry_run=True)


def begin(actor: Actor, content: bytes, name: str, zone: str, *, dry_run: bool) -> None:
    """Start the work and show it."""
    job = background.start(content, name, actor=actor, zone=zone, dry_run=dry_run, now=session.now())
    st.session_state[JOB] = job.id
    st.rerun()


@st.fragment(run_every="1s")
def watch(job_id: str) -> None:
    """How far it has got. The work goes on without this screen."""
    session.require("import")
    job = background.find(job_id)
    if job is None or not job.running:
        st.rerun()
    if job.phase == "check" or not job.total:
        said = f"Reading {job.name}: {job.done:,} rows"
    else:
        doing = "Comparing" if job.dry_run else "Importing"
        said = f"{doing} {job.name}: {job.done:,} of {job.total:,} rows"
    st.progress(job.share, text=literal(said))
    if not job.dry_run:
        st.caption("You may leave this page; the import goes on.")


def ended(job: Job) -> None:
    """What was found or done, and what to do next."""
    if job.report is None:
        error_title(Failure(job.problem), "Import")
        st.error(
            f"**Nothing was changed.** {literal(job.problem)}" if job.dry_run else literal(job.problem),
            icon=":material/error:",
        )
        st.button("Choose another file", on_click=put_away, args=(job.id,))
        return
    report = job.report
    taken = report.created + report.changed
    if job.dry_run:
        st.header(
            f"{literal(job.name)} can be imported" if taken else f"{literal(job.name)} holds nothing new", anchor=False
        )
    else:
        st.success(f"{literal(job.name)} is imported.", icon=":material/check_circle:")
    tell(report, job.zone)
    with st.container(horizontal=True):
        if job.dry_run and taken:
            label = f"Import {taken:,} incidents now"
            st.button(label, type="primary", icon=":material/upload_file:", on_click=import_now, args=(job.id,))
        st.button("Choose another file" if job.dry_run else "Import another file", on_click=put_away, args=(job.id,))


def import_now(job_id: str) -> None:
    """Import what was checked."""
    actor, checked = session.require("import"), background.find(job_id)
    if checked is None or checked.running:
        return
    try:
        job = background.start(
            checked.file, checked.name, actor=actor, zone=checked.zone, dry_run=False, now=session.now()
        )
    except RuleError as error:
        checked.problem, checked.report = error.sentence, None
        return
    st.session_state[JOB] = job.id


def put_away(job_id: str) -> None:
    """Back to the form."""
    job = background.find(job_id)
    if job is not None:
        background.forget(job)
    st.session_state.pop(JOB, None)


def tell(report: Report, zone: str) -> None:
    """The numbers, how the file was understood, and what was refused."""
    with st.grid("auto", min_column_width=140):
        new, changed = ("New", "To change") if report.dry_run else ("Created", "Changed")
        st.metric(new, f"{report.created:,}", border=True)
        st.metric(changed, f"{report.changed:,}", border=True)
        st.metric("Unchanged", f"{report.unchanged:,}", border=True)
        st.metric("Refused rows", f"{report.refused:,}", border=True)
    added = f"{report.entries:,} timeline entries {'to add' if report.dry_run else 'added'}"
    said = [f"{report.rows:,} rows, {report.incidents:,} incidents, {added}; times of the zone {zone}."]
    st.markdown("\n".join(f"- {literal(line)}" for line in [*said, *report.notes]))
    if report.warnings:
        lines = "\n".join(f"- {literal(line)}" for line in report.warnings)
        st.warning(f"**Look at these**\n\n{lines}", icon=":material/warning:")
    if report.refused:
        refusals(report)


def refusals(report: Report) -> None:
    """Which rows were not taken and why."""
    st.header("Refused rows", anchor=False)
    reasons = "\n".join(
        f"- {count:,}: {literal(reason)}" for reason, count in report.refusals.reasons.most_common(REFUSALS_SHOWN)
    )
    st.markdown(reasons)
    first = report.refusals.first
    st.dataframe(
        [{"Row": row, "Number": number, "Reason": reason} for row, number, reason in first],
        hide_index=True,
        alt=f"The first {len(first)} refused rows with their reasons",
    )


@st.fragment(run_every="2s")
def others() -> None:
    """The last imports while one that another tab or person started is running."""
    actor = session.require("import")
    if not background.busy():
        st.rerun()
    past(actor)


def past(actor: Actor) -> None:
    """The last imports, as the database knows them."""
    with reading() as db:
        runs = queries.last_runs(db, actor, RUNS_SHOWN)
    st.header("Earlier imports", anchor=False)
    if not runs:
        empty("Nothing has been imported yet.", "Choose a file above to begin.", key="import.none")
        return
    now = session.now()
    st.dataframe(
        [
            {
                "File": run.file_name,
                "When": times.short(run.started_at, now),
                "By": run.by,
                "State": "Done" if run.finished_at else f"Stopped or running: {run.rows:,} of {run.of_rows:,} rows",
                "Created": run.created,
                "Changed": run.changed,
                "Unchanged": run.unchanged,
                "Refused rows": run.refused,
                "Zone": run.zone,
            }
            for run in runs
        ],
        hide_index=True,
        alt="The last imports with their counts",
    )
    if any(run.finished_at is None for run in runs):
        st.caption("An import that stopped is carried on when the same file is imported again.")


page()
