"""`handrail token` makes a secret and shows it to nobody; `doctor` says how callers are known."""

from pathlib import Path

import pytest

from mcp_server.auth import read_token
from tests.cli.conftest import Call

pytestmark = pytest.mark.requirement("http-sign-in")


def test_a_token_is_written_and_not_shown(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "keys" / "token"
    done = call("token", str(file))
    token = read_token(file)
    assert done.code == 0
    assert str(file) in done.out
    assert "--token-file" in done.out
    assert token not in done.out + done.err
    assert call("token", str(file), "--replace", "--json").json == {"file": str(file)}
    assert read_token(file) != token


def test_a_token_that_is_there_is_kept(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "token"
    call("token", str(file))
    token = read_token(file)
    done = call("token", str(file))
    assert done.code == 2
    assert "is there already" in done.err
    assert "--replace" in done.err
    assert read_token(file) == token


def test_doctor_says_how_callers_over_http_are_known(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check() -> dict[str, object]:
        found = {each["name"]: each for each in call("doctor", "--json").json["checks"]}
        return dict(found["http"])

    assert check()["ok"]
    assert "every program on this machine" in str(check()["detail"])
    monkeypatch.setenv("HANDRAIL_TOKEN_FILE", str(tmp_path / "token"))
    assert not check()["ok"]
    assert "handrail token" in str(check()["hint"])
    call("token", str(tmp_path / "token"))
    assert check()["ok"]
    monkeypatch.setenv("HANDRAIL_HOST", "0.0.0.0")
    assert "in clear" in str(check()["detail"])
    monkeypatch.setenv("HANDRAIL_TLS_PROXY", "1")
    assert check()["ok"]
