"""The machine shape: one rule, every field, no surprises for whoever parses it."""

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import pytest

from engine.core import views
from engine.core.approval import views as approval_views
from engine.core.audit import Audit
from mcp_server.cli.shape import SPANS, TIMES, shape, to_json
from tests.cli import samples

VALUES = {
    name: value
    for name, value in vars(samples).items()
    if dataclasses.is_dataclass(value) and not isinstance(value, type)
}


def _views() -> Iterator[type[Any]]:
    for value in (*vars(views).values(), *vars(approval_views).values(), Audit):
        if isinstance(value, type) and dataclasses.is_dataclass(value):
            yield value


def test_every_field_that_is_a_time_is_printed_as_one() -> None:
    times = {
        field.name
        for view in _views()
        if view is not views.RunFilter and view.__module__.endswith(("views", "audit"))
        for field in dataclasses.fields(view)
        if field.name.endswith("_at") or field.name in ("at", "since", "deadline")
    }
    assert times == TIMES
    assert frozenset({"retry_after"}) == SPANS


@pytest.mark.parametrize("name", VALUES)
def test_every_value_of_the_engine_has_a_json_shape_in_camel_case(name: str) -> None:
    printed = json.loads(to_json(VALUES[name]))
    assert len(printed) == len(dataclasses.fields(VALUES[name]))
    assert all(key == key[0].lower() + key[1:] and "_" not in key for key in printed)


def test_a_run_has_this_shape() -> None:
    printed = shape(samples.BROKEN)
    assert list(printed) == [
        "id", "namespace", "workflow", "version", "kind", "status", "whoseMove", "nextStep",
        "createdAt", "startedAt", "endedAt", "wakeAt", "deadline", "actor", "input", "output",
        "steps", "failedStep", "failure", "retryOf", "retriedBy", "reused", "approval",
    ]  # fmt: skip
    assert printed["createdAt"] == "2026-11-21T12:04:11.000000Z"
    assert printed["wakeAt"] is None
    assert printed["failure"]["kind"] == "permanent"
    assert printed["failure"]["retryAfterMs"] is None


def test_keys_of_a_workflows_own_json_are_not_touched() -> None:
    run = dataclasses.replace(samples.COMPLETED, output={"created_at": 1, "snake_case": [2]})
    assert shape(run)["output"] == {"created_at": 1, "snake_case": [2]}


def test_machine_output_can_drive_no_terminal() -> None:
    assert to_json({"a": "\x1b[2J\u202e\x7f\x9b"}).isascii()
    assert "\x7f" not in to_json("\x7f")
    assert json.loads(to_json("\x7f\u202e")) == "\x7f\u202e"
