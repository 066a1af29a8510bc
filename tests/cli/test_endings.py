"""How commands end: the exit code follows from the class and the code of the error alone."""

import doctest
from pathlib import Path

import pytest

from engine.core.errors import Move, Refused
from mcp_server.cli import ending
from mcp_server.cli.ending import MEANINGS, WHO, Exit, Stop, explain
from mcp_server.cli.screen import Screen
from tests.cli.samples import USER


def test_the_examples_in_docstrings_hold() -> None:
    assert doctest.testmod(ending).failed == 0


@pytest.mark.parametrize(
    ("code", "exit_"),
    [
        ("unknown_workflow", 2),
        ("invalid_input", 2),
        ("ambiguous_workflow", 2),
        ("bad_setting", 2),
        ("database_read_only", 3),
        ("database_url", 3),
        ("pending_version", 4),
        ("not_retryable", 4),
        ("already_ended", 4),
        ("idempotency_key_reused", 4),
    ],
)
def test_a_refusal_ends_with_the_code_of_its_kind(code: str, exit_: int) -> None:
    assert explain(Refused(code, "no")).exit == exit_


def test_every_exit_code_has_a_meaning_and_every_move_has_words() -> None:
    assert set(MEANINGS) == set(Exit)
    assert set(WHO) == {move.value for move in Move}


def test_an_error_that_nobody_classified_is_our_bug() -> None:
    found = explain(ZeroDivisionError("division by zero"))
    assert (found.exit, found.code, found.move) == (70, "bug", "person")
    assert "handrail doctor" in found.hint


def test_a_file_that_cannot_be_read_is_named() -> None:
    with pytest.raises(OSError, match="No such file") as caught:
        Path("/nowhere/at/all").read_text(encoding="utf-8")
    found = explain(caught.value)
    assert (found.exit, found.message) == (2, "/nowhere/at/all: No such file or directory")


def test_trouble_is_two_lines_on_stderr_and_nothing_on_stdout(
    capsys: pytest.CaptureFixture[str],
) -> None:
    refusal = Refused("busy", "the run\x1b[2J is busy", "Try again.", move=Move.ENGINE)
    Screen().trouble(explain(refusal))
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "error: the run<U+001B>[2J is busy\n  Handrail's move: Try again.\n"


def test_trouble_is_one_json_value_on_stdout_where_json_was_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Screen(json=True).trouble(explain(Stop(Exit.REFUSED, "busy", "it is busy", "wait")))
    out, err = capsys.readouterr()
    assert '"code": "busy"' in out
    assert '"whoseMove": "caller"' in out
    assert err == "error: it is busy\n  Your move: wait\n"


def test_what_is_wrong_with_an_input_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    refusal = Refused("invalid_input", "not complete", "fix", details={"missing": (USER,)})
    Screen().trouble(explain(refusal))
    assert "userId  missing  integer  The user's number" in capsys.readouterr().err
