"""TRUST 4.7, 82 to 85, the whole way: a secret that a system echoes, and references that reach.

The workflows are accepted by a person first, as they must be; then whatever the other system
answers, and whatever the workflow makes of it, the value is in no view, no journal and no log.
"""

import base64
import json
import logging
import sqlite3
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from engine import Engine, Refused, open_engine
from engine.app.settings import Settings
from engine.core.views import RunView
from engine.shell.redact import MASK
from tests.shell.deciding import asked, say_yes
from tests.shell.documents import flow, write
from tests.shell.loopback import Loopback, answer, saying, serving

SECONDS = 20.0
VALUE = "sk-live-bad-inputs-0123456789"
ENCODED = base64.b64encode(f"user:{VALUE}".encode()).decode()


@pytest.fixture(autouse=True)
def _set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDRAIL_SECRET_BANK_KEY", VALUE)
    monkeypatch.setenv("HANDRAIL_SECRET_OTHER", "of-another-connector-1")


def bank(server: Loopback, reference: str) -> dict[str, Any]:
    operation = {"path": "/", "query": {"k": "{{secrets.key}}", "to": "{{input.to}}"}}
    spec = {
        "baseUrl": server.url().rstrip("/"),
        "secrets": {"key": reference},
        "headers": {"Authorization": "Bearer {{secrets.key}}"},
        "operations": {"look": operation},
    }
    return {"kind": "Connector", "apiVersion": "t/v1", "metadata": {"name": "bank"}, "spec": spec}


LOOK = {"id": "a", "connector": "bank/look", "input": {"to": "{{input.to}}"}, "retry": "none"}
INPUT = {"to": {"type": "string", "description": "Where to."}}


@asynccontextmanager
async def engine_at(
    tmp_path: Path, server: Loopback, reference: str = "secret://bank-key"
) -> AsyncGenerator[Engine]:
    again = {**LOOK, "id": "b", "input": {"to": "{{tasks.a.output.echo}}"}}
    output = {"said": "it is {{tasks.a.output.echo}}", "all": "{{tasks.a.output}}"}
    works = flow("w", [LOOK, again], input=INPUT, output=output)
    folder = write(tmp_path / "documents", bank(server, reference), works)
    allowed = frozenset({("127.0.0.1", server.port)})
    settings = Settings(str(tmp_path / "h.db"), (folder,), allowed_hosts=allowed)
    async with open_engine(settings) as engine:
        await say_yes(engine, engine.start("w", {"to": "x"}))
        yield engine


async def ran(engine: Engine, to: str = "x") -> RunView:
    run = await engine.start("w", {"to": to})
    return await engine.wait(run.id, SECONDS)


def kept(tmp_path: Path) -> Iterator[str]:
    """All that the database says, table by table."""
    with closing(sqlite3.connect(tmp_path / "h.db")) as connection:
        tables = connection.execute("select name from sqlite_master where type = 'table'")
        for (table,) in tables.fetchall():
            yield from map(repr, connection.execute(f'select * from "{table}"'))


@pytest.mark.requirement("gate-bad-inputs")
@pytest.mark.parametrize(
    ("echo", "status"),
    [
        (VALUE, "200 OK"),
        (f"({VALUE})", "400 Bad"),
        (VALUE, "401 Who"),
        (ENCODED, "500 Oops"),
        (ENCODED, "200 OK"),
        (VALUE.encode().hex(), "200 OK"),
    ],
)
async def test_82_83_a_secret_that_is_echoed_is_nowhere_to_be_found(
    tmp_path: Path, echo: str, status: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    body = json.dumps({"echo": echo, "deep": [{"k": [echo]}], echo: 1}).encode()
    async with serving(saying(answer(body, status))) as server, engine_at(tmp_path, server) as it:
        run = await ran(it)
        assert run.output == {} or MASK in run.output["said"]
        shown = repr(run) + repr(await it.runs())
    assert f"k={VALUE}" in server.heads[0]  # it was sent
    for words in (shown, caplog.text, *kept(tmp_path)):
        assert VALUE not in words
        assert echo not in words


@pytest.mark.requirement("gate-bad-inputs")
async def test_82_nothing_of_a_masked_answer_is_sent_on(tmp_path: Path) -> None:
    body = json.dumps({"echo": VALUE}).encode()
    async with serving(saying(answer(body))) as server, engine_at(tmp_path, server) as engine:
        assert (await ran(engine)).status == "completed"
    assert len(server.heads) == 2
    assert "to=%5Bsecret%5D" in server.heads[1]


@pytest.mark.requirement("gate-bad-inputs")
@pytest.mark.parametrize("to", [VALUE, f"x {VALUE} y", ENCODED])
async def test_82_a_secret_is_not_taken_as_an_input(tmp_path: Path, to: str) -> None:
    async with serving(saying(answer())) as server, engine_at(tmp_path, server) as it:
        with pytest.raises(Refused) as refused:
            await it.start("w", {"to": to})
        assert refused.value.code == "secret_in_input"
        assert VALUE not in f"{refused.value} {refused.value.hint} {refused.value.details}"
        assert (await it.runs()).rows == ()
    assert not [line for line in kept(tmp_path) if to in line]


@pytest.mark.requirement("gate-secrets")
async def test_a_person_is_told_which_secret_goes_where_and_what_only_claims_to_read(
    tmp_path: Path,
) -> None:
    async with serving(saying(answer())) as server:
        documents = bank(server, "secret://bank-key")
        post = {"id": "b", "type": "http", "effect": "read",
                "http": {"method": "POST", "url": server.url()}}  # fmt: skip
        works = flow("w", [LOOK, post], input=INPUT)
        folder = write(tmp_path / "documents", documents, works)
        async with open_engine(Settings(str(tmp_path / "h.db"), (folder,))) as it:
            args = (await asked(it.start("w", {"to": "x"}))).plan.ops[0].args
    to = server.url().rstrip("/")
    assert args["sendsSecrets"] == [{"step": "a", "secret": "secret://bank-key", "to": to}]
    assert args["saidToRead"] == [{"step": "b", "task": "default/b"}]


@pytest.mark.requirement("gate-bad-inputs")
@pytest.mark.parametrize(
    "to", ["secret://bank-key", "{{secrets.key}}", "secret://other", "${HANDRAIL_SECRET_BANK_KEY}"]
)
async def test_84_an_input_that_looks_like_a_reference_is_a_text(tmp_path: Path, to: str) -> None:
    async with serving(saying(answer(b'{"echo": 1}'))) as server, engine_at(tmp_path, server) as it:
        run = await ran(it, to)
        assert (run.status, run.input) == ("completed", {"to": to})
    sent = server.heads[0].partition("to=")[2].partition(" ")[0]
    assert VALUE not in sent
    assert "of-another" not in sent


@pytest.mark.requirement("gate-bad-inputs")
@pytest.mark.parametrize(
    ("reference", "status", "code"),
    [
        ("secret://acme/bank-key", "paused:permission", "foreign_secret"),
        ("secret://nowhere", "paused:auth", "secret_missing"),
        ("secret://PATH", "paused:auth", "secret_missing"),
        ("secret://HANDRAIL_SECRET_OTHER", "paused:auth", "secret_missing"),
    ],
)
async def test_84_85_a_reference_reaches_nothing_that_is_not_there_for_it(
    tmp_path: Path, reference: str, status: str, code: str
) -> None:
    async with serving(saying(answer())) as server, engine_at(tmp_path, server, reference) as it:
        run = await ran(it)
        assert run.failure is not None
        assert (run.status, run.failure.code) == (status, code)
    assert server.connections == 0


@pytest.mark.requirement("gate-bad-inputs")
@pytest.mark.parametrize(
    "text", ["{{env.PATH}}", "{{os.environ.PATH}}", "{{secrets.key}}", "$PATH"]
)
async def test_85_no_template_reads_a_variable(tmp_path: Path, text: str) -> None:
    async with serving(saying(answer(b'{"echo": 1}'))) as server:
        step = {"id": "a", "type": "http", "http": {"url": server.url(), "query": {"q": text}}}
        folder = write(tmp_path / "documents", flow("w", [step]))
        allowed = frozenset({("127.0.0.1", server.port)})
        async with open_engine(
            Settings(str(tmp_path / "h.db"), (folder,), "default", allowed)
        ) as it:
            if text == "$PATH":  # a text like any other
                run = await it.start("w", {})
                assert (await it.wait(run.id, SECONDS)).status == "completed"
                assert "q=%24PATH" in server.heads[0]
            else:
                assert {each.code for each in it.problems()} == {"bad_template"}
                assert not it.workflows()
