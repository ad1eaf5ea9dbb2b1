"""Templates: an administrator makes one, a reporter answers it, those who work on it tick its checklist."""

import pytest
from sqlalchemy import select

from db.commands import templates as commands
from db.engine import reading, writing
from db.models import CategoryPair, Template
from pages.parts import menu
from tests.pages.conftest import PEOPLE, seen

ADMIN, REPORT, INCIDENT, TRIAGE = (
    "admin/templates.py",
    "staff/report.py",
    "responders/incident.py",
    "leads/triage.py",
)
QUESTIONS = (
    {"label": "How many of them?", "kind": "number"},
    {"label": "Which kind?", "kind": "choice", "required": True, "options": ["Pump", "Monitor"]},
    {"label": "Since which day?", "kind": "date"},
    {"label": "Is a patient waiting?", "kind": "yes_no"},
)

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def make(desk, name="A device does not work", **given):
    values = {"questions": QUESTIONS, "checklist": ["Look at it", "Call the ward"]} | given
    with writing(desk.engine) as db:
        return commands.save(db, None, name=name, **values, actor=desk.actors["Ada"], now=desk.now)


def kept(desk):
    with reading(desk.engine) as db:
        return list(db.scalars(select(Template).order_by(Template.id)))


def fields(at):
    return [*at.text_input, *at.text_area, *at.radio, *at.selectbox, *at.date_input, *at.checkbox]


def field(at, ending):
    return next(found for found in fields(at) if str(found.key).endswith(ending))


def labelled(at, words):
    return [found for found in fields(at) if words in found.label]


def press(at, label):
    return next(found for found in at.button if found.label == label and not found.disabled).click().run()


def said(at):
    return seen(at).replace("\\", "")


# --- the screen of administrators ---


def test_a_template_is_made_question_by_question(desk, opened):
    at = opened(ADMIN, "Ada", id="new")
    field(at, ".name").input("I need access")
    at = press(at, "Add a question")
    field(at, ".0.label").input("To what?")
    field(at, ".0.required").check()
    at = press(at, "Add a question")
    field(at, ".1.label").input("For how long?")
    field(at, ".1.kind").set_value("choice")
    at = at.run()
    field(at, ".1.options").input("A day\n\nFor good")
    field(at, ".checklist").input("Ask the owner\nGive it")
    field(at, ".urgency").set_value(3)
    field(at, ".team_id").set_value(desk.team_id)
    at = press(at, "Add")
    assert not at.exception
    assert "I need access is saved." in said(at)
    (made,) = kept(desk)
    assert [(each["label"], each["kind"], each["required"]) for each in made.questions] == [
        ("To what?", "text", True), ("For how long?", "choice", False)
    ]  # fmt: skip
    assert made.questions[1]["options"] == ["A day", "For good"]
    assert made.checklist == ["Ask the owner", "Give it"]
    assert (made.urgency, made.impact, made.team_id) == (3, None, desk.team_id)


def test_questions_are_moved_and_removed(desk, opened):
    at = opened(ADMIN, "Ada", id=str(make(desk)))
    at = next(found for found in at.button if found.help == "Move question 2 up").click().run()
    at = next(found for found in at.button if str(found.key).endswith(".2.open")).click().run()
    at = press(at, "Remove this question")
    press(at, "Save")
    assert [each["key"] for each in kept(desk)[0].questions] == [
        "which_kind",
        "how_many_of_them",
        "is_a_patient_waiting",
    ]


def test_what_is_typed_stays_while_another_question_is_opened_or_moved(desk, opened):
    at = opened(ADMIN, "Ada", id=str(make(desk)))
    at = next(found for found in at.button if str(found.key).endswith(".0.open")).click().run()
    field(at, ".0.label").input("How many, roughly?")
    at = next(found for found in at.button if str(found.key).endswith(".1.open")).click().run()
    field(at, ".1.help").input("See the label")
    next(found for found in at.button if found.help == "Move question 2 down").click().run()
    press(at, "Save")
    asked = {each["key"]: each for each in kept(desk)[0].questions}
    assert list(asked) == ["how_many_of_them", "since_which_day", "which_kind", "is_a_patient_waiting"]
    assert (asked["how_many_of_them"]["label"], asked["which_kind"]["help"]) == ("How many, roughly?", "See the label")


def test_the_preview_shows_what_the_reporter_will_see(desk, opened):
    at = opened(ADMIN, "Ada", id=str(make(desk)))
    previewed = [found.label for found in fields(at) if ".preview.answer" in str(found.key)]
    assert set(previewed) == {
        "**Which kind?**", "**How many of them?** (optional)", "**Since which day?** (optional)",
        "**Is a patient waiting?** (optional)",
    }  # fmt: skip


def test_what_is_wrong_stands_above_and_beneath_and_nothing_typed_is_lost(desk, opened):
    make(desk)
    at = opened(ADMIN, "Ada", id="new")
    field(at, ".name").input("A device does not work")
    at = press(at, "Add a question")
    field(at, ".0.kind").set_value("choice")
    at = press(at.run(), "Add")
    assert "There is a problem" in at.error[0].value
    assert "*Question 1, question* Write the question" in at.error[0].value.replace("\\", "")
    assert "There is one called A device does not work already" in said(at)
    assert sum(found.value.startswith(":red[") for found in at.markdown) == 3
    assert field(at, ".name").value == "A device does not work"
    assert field(at, ".0.kind").value == "choice"
    assert len(kept(desk)) == 1


def test_two_administrators_do_not_overwrite_each_other(desk, opened):
    template = make(desk)
    at = opened(ADMIN, "Ada", id=str(template))
    with writing(desk.engine) as db:
        commands.save(db, template, 1, name="Device", actor=desk.actors["Ada"], now=desk.now)
    field(at, ".name").input("Machine")
    at = press(at, "Save")
    assert "Somebody changed it meanwhile" in said(at)
    assert kept(desk)[0].name == "Device"


def test_it_is_archived_and_brought_back(desk, opened):
    template = make(desk)
    at = press(opened(ADMIN, "Ada", id=str(template)), "Archive")
    assert "A device does not work is archived." in said(at)
    assert "There are no templates yet." not in said(at)
    press(opened(ADMIN, "Ada", id=str(template)), "Bring back")
    assert kept(desk)[0].archived_at is None


@pytest.mark.parametrize("address", ["999", "x", "-1", "9" * 40, "²"])
def test_one_that_is_not_there_is_answered_in_words(desk, opened, address):
    at = opened(ADMIN, "Ada", id=address)
    assert not at.exception
    assert "All templates" in [found.label for found in at.button]


def test_only_administrators_find_the_screen(desk):
    for name, roles in PEOPLE.items():
        assert ("templates" in menu.pages(desk.actors[name])) is ("admin" in roles), name


# --- Report ---


def start(at, template, title="Pump beeps", affected="Room 204"):
    field(at, ".template_id").set_value(template).run()
    field(at, ".title").input(title)
    field(at, ".affected").input(affected)
    return at.run()


def test_report_asks_what_is_needed_only_when_there_is_a_choice(desk, opened):
    assert not labelled(opened(REPORT, "Rita"), "What do you need?")
    make(desk)
    at = opened(REPORT, "Rita")
    (asked,) = labelled(at, "What do you need?")
    assert asked.options[asked.index] == "Something else"
    assert not labelled(at, "Which kind?")


def test_the_answers_come_with_the_incident(desk, opened):
    template = make(desk, category_pair_id=desk.pair_id, team_id=desk.team_id, impact=1, urgency=1)
    at = start(opened(REPORT, "Rita"), template)
    labels = [found.label for found in labelled(at, "**")]
    assert "**Which kind?**" in labels
    assert "**How many of them?** (optional)" in labels
    assert "riority" not in said(at) + " ".join(labels)
    labelled(at, "Which kind?")[0].set_value("Pump")
    labelled(at, "How many")[0].input("3,5")
    labelled(at, "patient waiting")[0].set_value("unsure")
    at = press(at, "Send report")
    (made,) = desk.incidents()
    assert made.answers == [
        {"question": "Which kind?", "answer": "Pump"},
        {"question": "How many of them?", "answer": "3,5"},
    ]
    assert (made.priority, made.team_id, made.category_pair_id) == (1, desk.team_id, desk.pair_id)
    assert "Your report is INC-000001" in said(at)
    assert "Pump" in said(at)
    again = press(at, "Report something else")
    assert field(again, ".template_id").value == 0


def test_wrong_answers_are_told_with_everything_else_and_kept(desk, opened):
    template = make(desk)
    at = start(opened(REPORT, "Rita"), template, title="")
    labelled(at, "How many")[0].input("some")
    at = press(at, "Send report")
    told = at.error[0].value.replace("\\", "")
    for line in (
        "*What is wrong?* Say what is wrong.",
        "*Which kind?* Choose one from the list.",
        "*How many of them?* Give a number in digits, such as 12 or 3.5.",
    ):
        assert line in told
    assert sum(found.value.startswith(":red[") for found in at.markdown) == 3
    assert labelled(at, "How many")[0].value == "some"
    assert field(at, ".affected").value == "Room 204"
    assert desk.incidents() == []
    labelled(at, "Which kind?")[0].set_value("Monitor")
    labelled(at, "How many")[0].input("2")
    field(at, ".title").input("Screen is dark")
    at = press(at.run(), "Send report")
    assert [each["answer"] for each in desk.incidents()[0].answers] == ["Monitor", "2"]


def test_another_choice_keeps_what_was_typed_and_forgets_what_was_wrong_with_other_questions(desk, opened):
    device = make(desk)
    other = make(desk, "I need access", questions=[{"label": "To what?", "kind": "text", "required": True}])
    at = press(start(opened(REPORT, "Rita"), device), "Send report")
    assert "Which kind?" in at.error[0].value
    labelled(at, "How many")[0].input("4")
    field(at, ".description").input("It beeps")
    at = field(at.run(), ".template_id").set_value(other).run()
    assert not at.error
    assert not labelled(at, "Which kind?")
    assert (field(at, ".title").value, field(at, ".description").value) == ("Pump beeps", "It beeps")
    labelled(at, "To what?")[0].input("The archive")
    at = field(at.run(), ".template_id").set_value(device).run()
    assert labelled(at, "How many")[0].value == "4"
    at = press(field(at, ".template_id").set_value(0).run(), "Send report")
    (made,) = desk.incidents()
    assert (made.template_id, made.answers) == (None, None)


def test_what_an_administrator_archived_meanwhile_is_chosen_again(desk, opened):
    template = make(desk)
    at = start(opened(REPORT, "Rita"), template)
    with writing(desk.engine) as db:
        commands.archive(db, template, actor=desk.actors["Ada"], now=desk.now)
    at = press(at, "Send report")
    assert "This is no longer offered. Choose what you need again." in said(at)
    assert field(at, ".title").value == "Pump beeps"
    press(at, "Send report")
    assert desk.incidents()[0].template_id is None


def test_a_question_that_takes_another_kind_of_answer_meanwhile_breaks_nothing(desk, opened):
    template = make(desk)
    at = start(opened(REPORT, "Rita"), template)
    labelled(at, "How many")[0].input("2")
    with writing(desk.engine) as db:
        asked = [each | {"kind": "date"} for each in db.get_one(Template, template).questions[:1]]
        commands.save(db, template, 1, name="Device", questions=asked, actor=desk.actors["Ada"], now=desk.now)
    at = at.run()
    assert not at.exception
    press(at, "Send report")
    assert desk.incidents()[0].answers is None


def test_a_second_click_makes_neither_a_second_incident_nor_a_second_checklist(desk, opened):
    template = make(desk, questions=[])
    at = press(start(opened(REPORT, "Rita"), template), "Send report")
    del at.query_params["done"]
    del at.session_state["report.sent"]
    press(start(at.run(), template), "Send report")
    assert len(desk.incidents()) == 1
    assert len([found for found in opened(INCIDENT, "Priya", number="INC-000001").checkbox]) == 2


def test_with_a_service_of_its_own_what_is_affected_need_not_be_said(desk, opened):
    from db.queries import choices

    with reading(desk.engine) as db:
        service = next(each.id for each in choices.services(db) if each.name == "Printing")
    template = make(desk, questions=[], service_id=service)
    at = start(opened(REPORT, "Rita"), template, affected="")
    assert field(at, ".affected").label.endswith("(optional)")
    press(at, "Send report")
    assert (desk.incidents()[0].service_id, desk.incidents()[0].affected) == (service, "Printing")


def test_hostile_words_stay_words(desk, opened):
    words = "<b>x</b> [a](http://b.example) :material/home: $x$ **b**"
    template = make(desk, words, description=words, questions=[
        {"label": f"{words} {kind}", "kind": kind, "options": [words, "other"], "help": words}
        for kind in ("text", "choice", "number", "date", "yes_no")
    ])  # fmt: skip
    at = start(opened(REPORT, "Rita"), template)
    assert not at.exception
    assert all("](http" not in found.label for found in fields(at))
    labelled(at, "text")[0].input(words)
    at = press(at, "Send report")
    shown = [*at.markdown, *opened(INCIDENT, "Priya", number="INC-000001").markdown]
    assert all("](http" not in found.value for found in shown)


# --- the checklist ---


def test_the_checklist_is_ticked_and_told(desk, opened):
    number = desk.report("Rita", "Pump beeps", template_id=make(desk, questions=[]))
    at = opened(INCIDENT, "Priya", number=number)
    assert "0 of 2 done" in said(at)
    at = at.checkbox[0].check().run()
    assert "1 of 2 done" in said(at)
    assert at.checkbox[0].value is True
    assert "Look at it :small[:gray[Priya, " in at.checkbox[0].label
    at = opened(INCIDENT, "Lena", number=number).checkbox[1].check().run()
    assert "All done" in said(at)
    at = at.checkbox[0].uncheck().run()
    assert "1 of 2 done" in said(at)


def test_a_step_is_added(desk, opened):
    number = desk.report("Rita", "Pump beeps")
    at = opened(INCIDENT, "Dora", number=number)
    at = press(at, "Add step")
    assert "Write the step." in said(at)
    field(at, ".new").input("Call Rita")
    at = press(at, "Add step")
    assert [found.label for found in at.checkbox] == ["Call Rita"]
    assert field(at, ".new").value == ""


def test_those_who_only_read_tick_nothing(desk, opened):
    number = desk.report("Rita", "Pump beeps", template_id=make(desk, questions=[]))
    at = opened(INCIDENT, "Max", number=number)
    assert [found.disabled for found in at.checkbox] == [True, True]
    assert "Add step" not in [found.label for found in at.button]
    assert "Checklist" not in said(opened(INCIDENT, "Max", number=desk.report("Rita", "Another")))


def test_triage_shows_the_answers_and_offers_the_checklist_of_the_category(desk, opened):
    template = make(desk, category_pair_id=desk.pair_id)
    number = desk.report("Rita", "Pump beeps", template_id=template, answers={"which_kind": "Pump"})
    other = desk.report("Rita", "Monitor is dark")
    desk.accept(other)
    with writing(desk.engine) as db:
        db.get_one(CategoryPair, desk.pair_id).template_id = template
    assert "Pump" in said(opened(TRIAGE, "Lena", number=number, view="open"))
    at = opened(TRIAGE, "Lena", number=other, view="open")
    at = press(at, "Add the checklist 'A device does not work'")
    assert "0 of 2 done" in said(at)
    assert "Add the checklist 'A device does not work'" not in [found.label for found in at.button]
