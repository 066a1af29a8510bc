"""Where secrets are kept, who gets them, and that they are nowhere else."""

import copy
import json
import os
import pickle
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.core.errors import Failure, Kind, Refused, StepError
from engine.core.request import Request
from engine.shell.clock import TestClock
from engine.shell.connectors.http import HttpConnector
from engine.shell.redact import MASK, Redactor
from engine.shell.secret_files import SecretFiles
from engine.shell.secrets import Environment, Secret, Secrets
from tests.shell.client import LIMITS, SECONDS, failure_of
from tests.shell.loopback import Loopback, answer, saying, serving

KEY = "secret://bank-key"
VALUE = "sk-live-0123456789"


@pytest.fixture(autouse=True)
def _no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)


@pytest.fixture
def files(tmp_path: Path) -> SecretFiles:
    return SecretFiles(tmp_path / "secrets", TestClock().bytes)


def reopened(files: SecretFiles, tmp_path: Path) -> SecretFiles:
    return SecretFiles(tmp_path / "secrets", TestClock(seed=8).bytes)


def kept(files: SecretFiles, name: str = "bank-key", version: int = 0, tenant: str = "t") -> str:
    found = files.get(tenant, name, version)
    return "" if found is None else found.value.reveal()


def refusal(call: Any, *arguments: Any) -> str:
    with pytest.raises(Refused) as caught:
        call(*arguments)
    assert VALUE not in f"{caught.value.message}{caught.value.hint}{caught.value.details}"
    return caught.value.code


# -- the value -------------------------------------------------------------------------------


@pytest.mark.requirement("gate-secrets")
def test_a_value_does_not_show_itself() -> None:
    secret = Secret(VALUE)
    shown = [
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret!r:>20}",
        f"{secret:<12}",
    ]
    shown += [repr({"a": [secret]}), str((secret,))]
    assert not [each for each in shown if VALUE in each or MASK not in each]
    assert secret.reveal() == VALUE


@pytest.mark.parametrize(
    "write",
    [json.dumps, pickle.dumps, copy.copy, copy.deepcopy, hash, vars, lambda s: s + "", list],
)
def test_a_value_cannot_be_written_down_by_accident(write: Any) -> None:
    with pytest.raises(TypeError):
        write(Secret(VALUE))


# -- files -----------------------------------------------------------------------------------


def test_what_was_set_is_found_again_and_nowhere_in_words(
    files: SecretFiles, tmp_path: Path
) -> None:
    assert files.put("t", "bank-key", VALUE, ["Bank.example"], 7) == 1
    again = reopened(files, tmp_path)
    assert kept(again) == VALUE
    assert [(each.name, each.version, each.hosts, each.at) for each in again.names("t")] == [
        ("bank-key", 1, ("bank.example",), 7)
    ]
    assert kept(again, tenant="other") == ""
    assert again.names("other") == []
    for path in (tmp_path / "secrets").iterdir():
        assert VALUE not in path.read_text(encoding="ascii")
        assert os.name != "posix" or path.stat().st_mode & 0o777 == 0o600


def test_a_new_version_keeps_the_one_before_and_no_older_one(files: SecretFiles) -> None:
    for number in range(1, 4):
        assert files.put("t", "bank-key", f"{VALUE}-{number}", [], 0) == number
    assert kept(files) == kept(files, version=3) == f"{VALUE}-3"
    assert kept(files, version=2) == f"{VALUE}-2"
    assert kept(files, version=1) == kept(files, version=9) == ""


def test_an_older_version_never_gets_other_hosts(files: SecretFiles) -> None:
    files.put("t", "bank-key", VALUE, ["bank.example"], 0)
    files.put("t", "bank-key", "not-the-old-one", ["evil.example"], 0)
    assert (kept(files), kept(files, version=1)) == ("not-the-old-one", "")


def test_what_was_removed_is_gone(files: SecretFiles) -> None:
    files.put("t", "bank-key", VALUE, [], 0)
    assert files.remove("t", "bank-key")
    assert not files.remove("t", "bank-key")
    assert kept(files) == ""


@pytest.mark.parametrize("name", ["", "../x", "a b", "a/b", "a" * 64, "ä", "-a"])
def test_a_name_that_is_none_is_refused(files: SecretFiles, name: str) -> None:
    assert refusal(files.put, "t", name, VALUE, (), 0) == "bad_name"


@pytest.mark.parametrize("host", ["", "https://a.example", "a b", "a.example:443", "a\x1b[2J", "*"])
def test_a_host_that_is_none_is_refused(files: SecretFiles, host: str) -> None:
    assert refusal(files.put, "t", "bank-key", VALUE, [host], 0) == "bad_host"


@pytest.mark.parametrize("value", ["", "short", "x" * 16_385, "half \ud800 a pair"])
def test_a_value_that_cannot_be_kept_is_refused(files: SecretFiles, value: str) -> None:
    assert refusal(files.put, "t", "bank-key", value, (), 0) == "bad_secret"
    assert files.names("t") == []


def edits(record: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield {**record, "tenant": "u"}
    yield {**record, "name": "other"}
    yield {**record, "hosts": ["evil.example"]}
    yield {**record, "newest": 2, "versions": {"2": record["versions"]["1"]}}
    yield {**record, "versions": {"1": record["versions"]["1"][:-8] + "AAAAAAA="}}
    yield {**record, "versions": {"1": "not base64"}}
    yield {**record, "versions": {"1": ""}}
    yield {**record, "versions": 7}
    yield {}


def test_a_file_that_was_edited_is_not_opened(files: SecretFiles, tmp_path: Path) -> None:
    files.put("t", "bank-key", VALUE, ["bank.example"], 0)
    (path,) = (tmp_path / "secrets").glob("*.json")
    for edited in edits(json.loads(path.read_text(encoding="ascii"))):
        path.write_text(json.dumps(edited), encoding="ascii")
        assert refusal(kept, files) == "secret_damaged"
    path.write_text("{", encoding="ascii")
    assert refusal(kept, files) == refusal(files.names, "t") == "secret_damaged"


def test_a_file_that_was_put_in_the_place_of_another_is_not_opened(
    files: SecretFiles, tmp_path: Path
) -> None:
    files.put("t", "bank-key", VALUE, [], 0)
    (mine,) = (tmp_path / "secrets").glob("*.json")
    files.put("t", "other-key", "something-else-1", [], 0)
    (other,) = {*(tmp_path / "secrets").glob("*.json")} - {mine}
    other.write_bytes(mine.read_bytes())
    assert refusal(files.get, "t", "other-key", 0) == "secret_damaged"


@pytest.mark.skipif(os.name != "posix", reason="rights are told apart on POSIX only")
@pytest.mark.parametrize("pattern", ["*.json", "key"])
def test_what_others_may_read_is_not_used(files: SecretFiles, tmp_path: Path, pattern: str) -> None:
    files.put("t", "bank-key", VALUE, [], 0)
    (path,) = (tmp_path / "secrets").glob(pattern)
    path.chmod(0o644)
    assert refusal(kept, reopened(files, tmp_path)) == "secrets_open"


def test_another_key_opens_nothing(files: SecretFiles, tmp_path: Path) -> None:
    files.put("t", "bank-key", VALUE, [], 0)
    for text in ("00" * 32, "short", "zz" * 32):
        (tmp_path / "secrets" / "key").write_text(text, encoding="ascii")
        assert refusal(kept, reopened(files, tmp_path)) == "secret_damaged"
    (tmp_path / "secrets" / "key").unlink()
    assert refusal(kept, reopened(files, tmp_path)) == "secret_damaged"


def test_the_key_lies_in_the_keyring_where_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: dict[tuple[str, str], str] = {}
    ring = types.ModuleType("keyring")
    fail = types.ModuleType("keyring.backends.fail")
    vars(fail)["Keyring"] = type("Nothing", (), {})
    vars(ring).update(
        get_keyring=object,
        get_password=lambda *place: held.get(place),
        set_password=lambda service, user, word: held.update({(service, user): word}),
    )
    for name, module in (("keyring", ring), ("keyring.backends.fail", fail)):
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setitem(sys.modules, "keyring.backends", types.ModuleType("keyring.backends"))
    files = SecretFiles(tmp_path / "secrets", TestClock().bytes)
    files.put("t", "bank-key", VALUE, [], 0)
    assert len(held) == 1
    assert not (tmp_path / "secrets" / "key").exists()
    assert kept(reopened(files, tmp_path)) == VALUE
    held.clear()
    assert refusal(kept, reopened(files, tmp_path)) == "secret_damaged"


# -- who gets them ---------------------------------------------------------------------------


def around(tenant: str = "default", **variables: str) -> Secrets:
    return Secrets(tenant, [Environment(variables)], Redactor())


async def values(secrets: Secrets, *references: str, host: str = "bank.example") -> list[str]:
    found = await secrets.values(references, host)
    return [found[each].reveal() for each in references]


async def failed(secrets: Secrets, reference: str, host: str = "bank.example") -> Failure:
    with pytest.raises(StepError) as caught:
        await values(secrets, reference, host=host)
    return caught.value.failure


async def test_a_secret_of_the_environment_is_found_by_its_name() -> None:
    secrets = around(HANDRAIL_SECRET_BANK_KEY=VALUE)
    assert await values(secrets, KEY, "secret://default/bank-key") == [VALUE, VALUE]


@pytest.mark.requirement("gate-secrets")
@pytest.mark.parametrize(
    ("reference", "kind", "code"),
    [
        ("secret://acme/bank-key", Kind.PERMISSION, "foreign_secret"),
        ("secret://other", Kind.AUTH, "secret_missing"),
        ("secret://bank-key#1", Kind.AUTH, "secret_missing"),
        ("secret://PATH", Kind.AUTH, "secret_missing"),
    ],
)
async def test_nothing_else_is_given(reference: str, kind: Kind, code: str) -> None:
    secrets = around(HANDRAIL_SECRET_BANK_KEY=VALUE, PATH="/usr/bin:/bin")
    failure = await failed(secrets, reference)
    assert (failure.kind, failure.code) == (kind, code)
    assert VALUE not in repr(failure)


async def test_the_environment_is_the_default_tenants() -> None:
    assert (await failed(around("acme", HANDRAIL_SECRET_BANK_KEY=VALUE), KEY)).code == (
        "secret_missing"
    )


async def test_a_secret_that_is_bound_to_hosts_goes_to_no_other(files: SecretFiles) -> None:
    files.put("t", "bank-key", VALUE, ["bank.example"], 0)
    secrets = Secrets("t", [files], Redactor())
    assert await values(secrets, KEY, host="Bank.example") == [VALUE]
    failure = await failed(secrets, KEY, "evil.example")
    assert (failure.kind, failure.code) == (Kind.PERMISSION, "secret_bound")


async def test_a_damaged_file_is_a_persons_move(files: SecretFiles, tmp_path: Path) -> None:
    files.put("t", "bank-key", VALUE, [], 0)
    next((tmp_path / "secrets").glob("*.json")).write_text("{", encoding="ascii")
    failure = await failed(Secrets("t", [files], Redactor()), KEY)
    assert (failure.kind, failure.code) == (Kind.AUTH, "secret_damaged")


# -- on their way ----------------------------------------------------------------------------


def request(server: Loopback, method: str = "GET") -> Request:
    headers = (("Authorization", "Bearer MARK"),)
    return Request(method, server.url("/?k=MARK"), headers, secrets=(("MARK", KEY),))


def connector(server: Loopback, secrets: Secrets, redactor: Redactor) -> HttpConnector:
    return HttpConnector({("127.0.0.1", server.port)}, LIMITS, None, secrets, redactor)


@pytest.mark.requirement("gate-redaction")
@pytest.mark.parametrize("status", ["200 OK", "400 Bad", "500 Oops"])
async def test_what_comes_back_is_masked_before_anybody_has_it(status: str) -> None:
    redactor = Redactor()
    secrets = Secrets("default", [Environment({"HANDRAIL_SECRET_BANK_KEY": VALUE})], redactor)
    body = json.dumps({"echo": f"Bearer {VALUE}", VALUE: [VALUE]}).encode()
    async with serving(saying(answer(body, status))) as server:
        http = connector(server, secrets, redactor)
        try:
            found = repr(await http.call(request(server), SECONDS))
        except StepError as error:
            found = repr(error.failure)
        await http.close()
    assert f"GET /?k={VALUE} " in server.heads[0]
    assert f"Bearer {VALUE}" in server.heads[0]
    assert VALUE not in found
    assert MASK in found


async def test_a_change_whose_secret_is_missing_was_not_sent() -> None:
    async with serving(saying(answer())) as server:
        http = connector(server, around(), Redactor())
        failure = await failure_of(http.call(request(server, "POST"), SECONDS))
        await http.close()
    assert (failure.kind, failure.code) == (Kind.AUTH, "secret_missing")
    assert (failure.details["sent"], failure.details["applied"]) == ("no", "no")
    assert server.connections == 0
