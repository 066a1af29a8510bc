"""`handrail labels`: lists, figures, and changes that ask a person."""

from tests.cli.conftest import Call


def test_labels_are_listed_and_counted(call: Call) -> None:
    listed = call("labels", "--json").json["labels"]
    assert all(each["label"] for each in listed)
    assert call("labels").code == 0
    stats = call("labels", "stats", "--json").json
    assert stats["coverage"][0][0] == "workflow"
    assert "in a category" in call("labels", "stats").out


def test_a_change_asks_a_person_and_a_dry_run_does_not(call: Call) -> None:
    dry = call("labels", "add", "team-a", "order-total", "--dry-run")
    assert "Would change the labels of 1" in dry.out
    asked = call("labels", "add", "team-a", "order-total")
    assert asked.code == 5, asked.err
    nothing = call("labels", "remove", "team-a", "order-total")
    assert "Nothing is left to change" in nothing.out
    by_category = call("labels", "add", "x", "--in", "nothing-is-in-it")
    assert "Nothing is left to change" in by_category.out


def test_what_cannot_be_meant_is_refused(call: Call) -> None:
    assert call("labels", "add").code == 2
    assert call("labels", "list", "x").code == 2
    assert "there is no change" in call("labels", "undo", "lab_x").err
