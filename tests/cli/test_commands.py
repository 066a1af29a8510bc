"""The commands from end to end: a real engine, a real database, the words a person types."""

import json
import re
import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import AMOUNTS, Call


@pytest.mark.requirement("command-line")
def test_a_run_is_started_waited_for_and_shown(call: Call) -> None:
    done = call("run", "order-total", "--input", AMOUNTS)
    assert done.code == 0
    assert "✓ order-total 1.0.0  completed in" in done.out
    assert '"total": 42.5' in done.out
    assert done.err == ""


@pytest.mark.requirement("command-line")
def test_a_run_in_json_is_one_value_and_nothing_else(call: Call) -> None:
    run = call("run", "order-total", "--input", AMOUNTS, "--json").json
    assert (run["status"], run["output"]) == ("completed", {"total": 42.5, "lines": 2})
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", run["createdAt"])
    assert call("show", run["id"], "--json").json["id"] == run["id"]
    assert call("show", "last", "--json").json["id"] == run["id"]


def test_inputs_are_merged_and_typed_as_the_workflow_declares(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "in.json"
    file.write_text('{"amounts": [1]}', encoding="utf-8")
    done = call("run", "order-total", "--json", "--input", f"@{file}", "amounts=[2]")
    assert done.json["output"]["total"] == 2
    assert call("run", "pay", "amount=7", "--dry-run", "--json").json["valid"] is True


def test_missing_and_wrong_inputs_are_explained(call: Call) -> None:
    missing = call("run", "order-total")
    assert missing.code == 2
    assert "amounts  missing  array  What each line of the order costs" in missing.err
    wrong = call("run", "nap", "--input", '{"rest": 3}', "--json")
    assert wrong.code == 2
    assert wrong.json["error"]["details"]["invalid"][0]["name"] == "rest"


@pytest.mark.requirement("command-line")
@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["run", "order-totl"], 2, "did you mean 'order-total'?"),
        (["run", "order-total@9.9.9", "x=1"], 2, "has no version '9.9.9'"),
        (["run", "order-total", "--wait", "soon"], 2, "such as 90s"),
        (["run", "pay", "amount=7"], 5, "this needs a person's approval"),
        (["show", "nonsense"], 2, "there is no run 'nonsense'"),
        (["show", "last"], 2, "there is no run yet"),
        (["cancel", "nonsense"], 2, "`handrail runs` lists them"),
        (["retry", "nonsense"], 2, "there is no run"),
        (["versions", "nope"], 2, "`handrail workflows` lists them"),
        (["versions", "order-total", "--undo"], 2, "--undo belongs to --deprecate"),
        (["workflows", "nope"], 2, "there is no workflow 'nope'"),
        (["workflows", "nope", "--query", "x"], 2, "not both"),
        (["runs", "--cursor", "xxx"], 2, "not one that a list gave"),
        (["runs", "--since", "soon"], 2, "such as 2026-11-21"),
        (["runs", "--db", "postgres://x/y"], 3, "cannot be reached"),
        (["check", "/nowhere"], 2, "does not exist"),
        (["workflows", "--workflows", "/nowhere"], 2, "there is no folder '/nowhere'"),
        (["run", "order-total", "--input", "@/nowhere"], 2, "/nowhere: No such file"),
        (["serve", "--http", "--stdio"], 2, "exclude each other"),
        (["serve", "--host", "0.0.0.0"], 4, "others can reach 0.0.0.0"),
    ],
)
def test_what_cannot_be_done_is_said_in_words_with_its_exit_code(
    call: Call, words: list[str], code: int, says: str
) -> None:
    done = call(*words)
    assert done.code == code, done.err
    assert says in done.err
    assert done.out == ""
    assert "Traceback" not in done.err
    told = json.loads(call(*words, "--json").out)
    assert set(told["error"]) == {"code", "message", "hint", "whoseMove", "details"}


def test_a_dry_run_shows_the_plan_and_records_nothing(call: Call) -> None:
    done = call("run", "pay", "amount=7", "--dry-run")
    assert done.code == 0
    assert "Nothing was called and nothing was recorded." in done.out
    assert "POST https://bank.example.com/payments" in done.out
    assert "It would change systems outside in 1 step." in done.out
    assert len(call("runs", "--json").json["runs"]) == 0


@pytest.mark.requirement("idempotent-start")
def test_the_same_key_gives_the_same_run(call: Call) -> None:
    words = ["run", "order-total", "--input", AMOUNTS, "--key", "k1", "--json"]
    first, second = call(*words).json, call(*words).json
    assert first["id"] == second["id"]
    assert (first["reused"], second["reused"]) == (False, True)
    other = call("run", "order-total", "--input", '{"amounts": []}', "--key", "k1")
    assert other.code == 4


def test_a_run_that_is_left_goes_on_where_it_is_followed(call: Call) -> None:
    left = call("run", "nap", "rest=10ms", "--wait", "0")
    assert left.code == 0
    assert "--follow" in left.err
    followed = call("show", "last", "--follow", "--json")
    assert (followed.code, followed.json["status"]) == (0, "completed")


def test_commands_that_only_read_take_up_no_work(call: Call) -> None:
    call("run", "nap", "rest=10ms", "--wait", "0")
    for words in (["workflows"], ["runs"], ["versions", "nap"], ["doctor"]):
        assert call(*words).code == 0
    assert call("show", "last", "--json").json["status"] == "pending"


def test_a_run_that_is_not_over_when_the_wait_is_ends_with_one(call: Call) -> None:
    done = call("run", "nap", "rest=1h", "--wait", "10ms")
    assert done.code == 1
    assert "paused:timer" in done.out or "active" in done.out
    assert "The run is kept" in done.err


@pytest.mark.requirement("deadline")
def test_a_run_that_misses_its_deadline_fails_with_one(call: Call) -> None:
    done = call("run", "nap", "rest=1h", "--deadline", "10ms", "--json")
    assert done.code == 1
    assert (done.json["status"], done.json["failure"]["code"]) == ("failed:exhausted", "deadline")


def test_a_run_that_needs_a_person_ends_with_four_and_says_so(call: Call) -> None:
    done = call("run", "ask")
    assert done.code == 4
    assert "paused:permission" in done.out
    assert "Your move:" in done.out
    assert "handrail retry" in done.out


@pytest.mark.requirement("cancel", "retry-chain")
def test_a_run_is_cancelled_once_and_can_be_retried(call: Call) -> None:
    call("run", "nap", "rest=1h", "--wait", "0")
    cancelled = call("cancel", "last", "--reason", "no need", "--json")
    assert (cancelled.code, cancelled.json["status"]) == (0, "cancelled")
    again = call("cancel", "last")
    assert again.code == 4
    assert "handrail retry RUN" in again.err
    retried = call("retry", "last", "--wait", "0", "--json")
    assert retried.json["retryOf"] == cancelled.json["id"]
    assert call("show", cancelled.json["id"], "--json").json["retriedBy"] == retried.json["id"]


def test_a_completed_run_is_not_retried(call: Call) -> None:
    call("run", "order-total", "--input", AMOUNTS)
    done = call("retry", "last", "--json")
    assert (done.code, done.json["error"]["code"]) == (4, "not_retryable")


def test_runs_are_listed_filtered_paged_and_grouped(call: Call) -> None:
    call("run", "order-total", "--input", AMOUNTS)
    call("run", "ask")
    call("run", "ask")
    assert len(call("runs", "--json").json["runs"]) == 3
    assert len(call("runs", "--workflow", "order-total", "--json").json["runs"]) == 1
    assert len(call("runs", "--whose-move", "person", "--json").json["runs"]) == 2
    assert len(call("runs", "--status", "paused", "--since", "1h", "--json").json["runs"]) == 2
    assert len(call("runs", "--until", "2001-01-01", "--json").json["runs"]) == 0
    page = call("runs", "--limit", "2", "--json").json
    rest = call("runs", "--limit", "2", "--cursor", page["cursor"], "--json").json
    assert [len(page["runs"]), len(rest["runs"]), rest["cursor"]] == [2, 1, ""]
    assert call("runs", "--group", "--json").json["failures"] == []
    assert "blocked" in call("runs").out


def test_workflows_are_listed_searched_and_read(call: Call) -> None:
    names = [info["name"] for info in call("workflows", "--json").json["workflows"]]
    assert names == ["ask", "nap", "order-total", "pay"]
    found = call("workflows", "--query", "add up an order", "--json").json
    assert found["hits"][0]["info"]["name"] == "order-total"
    assert found["bestMatch"]["info"]["name"] == "order-total"
    shown = call("workflows", "--query", "add up an order").out
    assert "Best match: order-total" in shown
    assert "I still need amounts (array)" in shown
    assert "handrail run order-total amounts=…" in shown
    page = call("workflows", "order-total")
    assert "amounts *  array  What each line of the order costs" in page.out
    assert "handrail run order-total 'amounts=[12.5, 30]'" in page.out


def test_foreign_text_does_not_reach_the_terminal_raw(call: Call) -> None:
    out = call("workflows").out
    assert "Rest for a while.<U+001B>[2J" in out
    assert "\x1b" not in out


@pytest.mark.requirement("version-counts", "default-version")
def test_versions_are_listed_chosen_and_deprecated(call: Call, folder: Path) -> None:
    call("run", "order-total", "--input", AMOUNTS)
    file = folder / "order-total.yaml"
    file.write_text(file.read_text("utf-8").replace("Add up", "Sum up"), encoding="utf-8")
    found = call("versions", "order-total", "--json").json["versions"]
    assert [(v["version"], v["isDefault"]) for v in found] == [("1.0.0", False), ("1.0.1", True)]
    assert found[0]["runs"] == {"completed": 1}
    for change in (("--default", "1.0.0"), ("--deprecate", "1.0.0")):
        waits = call("versions", "order-total", *change)
        assert waits.code == 5
        assert "this needs a person's approval" in waits.err
        assert "handrail approver init" in waits.err
    found = call("versions", "order-total", "--default", "latest", "--json").json["versions"]
    assert [(v["isDefault"], v["deprecated"]) for v in found] == [(False, False), (True, False)]


def test_a_folder_without_problems_passes_the_check(call: Call, folder: Path) -> None:
    done = call("check", str(folder))
    assert (done.code, done.out) == (0, "No problems: 4 workflows and 1 task can be used.\n")


@pytest.mark.requirement("folder-check")
def test_every_problem_is_listed_with_its_place_and_the_rest_still_loads(
    call: Call, folder: Path
) -> None:
    (folder / "bad.yaml").write_text(
        "apiVersion: workflow.io/v1\nkind: Workflow\nmetadata: {name: bad}\nspec:\n"
        "  tasks:\n    - id: a\n      taskRef: sum-amouts\n    - id: b\n      taskreff: x\n",
        encoding="utf-8",
    )
    done = call("check", str(folder))
    assert done.code == 1
    assert re.search(r"bad\.yaml:7: error: .*sum-amouts", done.out)
    assert "did you mean" in done.out
    assert "4 workflows and 1 task can be used." in done.out
    told = call("check", str(folder), "--json").json
    assert told["ok"] is False
    assert told["errors"] == sum(p["severity"] == "error" for p in told["problems"]) > 1


def test_a_document_that_was_left_out_is_mentioned_where_it_may_be_missed(
    call: Call, folder: Path
) -> None:
    (folder / "bad.yaml").write_text("kind: Workflow\nmetadata: {name: bad}\n", encoding="utf-8")
    for words in (["workflows"], ["run", "bad"]):
        err = call(*words).err
        assert "left out because of an error: " in err
        assert "bad.yaml:" in err


def test_without_any_folder_the_way_to_workflows_is_said(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HANDRAIL_WORKFLOWS")
    done = call("workflows")
    assert (done.code, done.out) == (0, "No workflow fits.\n")
    assert "--workflows DIR" in done.err


def test_a_strict_check_fails_on_a_warning(call: Call, folder: Path) -> None:
    (folder / "warn.yaml").write_text(
        "kind: Workflow\nmetadata: {name: w}\nspec:\n  description: Warned.\n"
        "  tasks: [{id: a, type: sleep, sleep: {duration: 1s}}]\n",
        encoding="utf-8",
    )
    assert call("check", str(folder)).code == 0
    assert call("check", str(folder), "--strict").code == 1


def test_a_check_touches_no_database(call: Call, folder: Path, database: Path) -> None:
    call("check", str(folder))
    assert not database.exists()


def test_doctor_finds_nothing_broken_on_a_sound_machine(call: Call) -> None:
    done = call("doctor", "--json")
    assert done.code == 0
    names = {check["name"] for check in done.json["checks"]}
    assert names >= {"python", "sqlite", "database", "documents", "demo", "chain", "folder",
                     "clients", "approver", "policy", "page", "checkpoints"}  # fmt: skip
    assert "Nothing is broken." in call("doctor").out


def test_doctor_says_that_nobody_can_approve_and_that_a_policy_is_broken(
    call: Call, database: Path
) -> None:
    (database.parent / "policy.yaml").write_text("rules: [", encoding="utf-8")
    done = call("doctor", "--json")
    checks = {check["name"]: check for check in done.json["checks"]}
    assert "handrail approver init" in checks["approver"]["hint"]
    assert (done.code, checks["policy"]["ok"]) == (1, False)


def test_doctor_says_where_the_demo_answers(call: Call) -> None:
    checks = {check["name"]: check for check in call("doctor", "--demo", "--json").json["checks"]}
    assert re.fullmatch(r"answers at http://127\.0\.0\.1:\d+", checks["demo"]["detail"])


@pytest.mark.requirement("seed-dialogue")
def test_the_demo_answers_the_seeds_question(call: Call) -> None:
    done = call("run", "demo/user-profile", "userId=3", "--demo", "--json")
    assert (done.code, done.json["output"]["name"]) == (0, "Clementine Bauch")


def test_doctor_says_what_is_broken_and_goes_on(call: Call, folder: Path, database: Path) -> None:
    database.write_bytes(b"this is not a database" * 100)
    claude = database.parent / "Claude"
    claude.mkdir()
    (claude / "claude_desktop_config.json").write_text(
        '{"mcpServers": {"handrail": {"command": "/not/there"}}}', encoding="utf-8"
    )
    done = call("doctor", "--workflows", str(folder / "none"), "--json")
    assert done.code == 1
    broken = {check["name"] for check in done.json["checks"] if not check["ok"]}
    assert broken >= {"database", "folder", "clients"}


@pytest.mark.requirement("tamper-evident")
def test_a_journal_that_was_changed_behind_our_back_is_found(call: Call, database: Path) -> None:
    call("run", "order-total", "--input", AMOUNTS)
    with sqlite3.connect(database) as connection:
        guards = connection.execute("select name from sqlite_master where type = 'trigger'")
        for (guard,) in guards.fetchall():  # whoever can write the file can do this too
            connection.execute(f'drop trigger "{guard}"')
        connection.execute("update journal set actor = 'somebody' where position = 2")
    connection.close()
    assert call("rebuild").code == 3
    done = call("doctor", "--json")
    assert done.code == 1
    (chain,) = [check for check in done.json["checks"] if check["name"] == "chain"]
    assert chain["detail"].startswith("tampered: event 2: ")


def test_a_damaged_database_ends_with_three(call: Call, database: Path) -> None:
    database.write_bytes(b"this is not a database" * 100)
    done = call("runs")
    assert done.code == 3
    assert "Traceback" not in done.err
    assert done.err.startswith("error: ")


def test_the_tables_are_rebuilt_and_the_chain_is_walked(call: Call) -> None:
    call("run", "order-total", "--input", AMOUNTS)
    done = call("rebuild", "--json")
    assert done.code == 0
    assert done.json["chain"]["ok"] is True
    assert len(call("runs", "--json").json["runs"]) == 1
    assert "the chain is intact" in call("rebuild").out


def test_a_run_can_be_retried_where_its_folder_is_not_at_hand(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    call("run", "nap", "rest=1h", "--wait", "0")
    call("cancel", "last")
    monkeypatch.delenv("HANDRAIL_WORKFLOWS")
    assert call("retry", "last", "--wait", "0").code == 0
    assert "cancelled" in call("versions", "nap").out
