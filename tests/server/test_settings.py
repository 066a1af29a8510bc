"""Environment and flags become one value, or a refusal that names the setting."""

import os
from pathlib import Path

import pytest

from engine import Refused
from mcp_server.places import find
from mcp_server.settings import VARIABLES, ServerSettings, engine_settings, from_environment

README = Path(__file__).resolve().parents[2] / "README.md"


def test_without_anything_the_defaults_hold() -> None:
    assert from_environment({}) == ServerSettings()


def test_the_key_of_the_language_model_is_read_by_two_names_and_shown_by_none() -> None:
    others = {"ANTHROPIC_API_KEY": "sk-ant-theirs", "ANTHROPIC_BASE_URL": "http://127.0.0.1:1"}
    settings = from_environment(others)
    assert (settings.model_key, settings.model_url) == ("sk-ant-theirs", "http://127.0.0.1:1")
    assert "sk-ant" not in repr(settings)
    models = engine_settings(settings).models
    assert (models.key, models.labels) == ("sk-ant-theirs", "claude-haiku-5-5")
    assert "sk-ant" not in repr(engine_settings(settings))
    ours = {"HANDRAIL_ANTHROPIC_KEY": "secret://ours", "HANDRAIL_MODEL_LABELS": "off"}
    settings = from_environment(others | ours)
    assert (settings.model_key, settings.model_labels) == ("secret://ours", "off")


@pytest.mark.parametrize(
    "variable", ["HANDRAIL_MODEL_LABELS", "HANDRAIL_ANTHROPIC_URL", "ANTHROPIC_BASE_URL"]
)
def test_a_model_or_an_address_that_cannot_be_meant_is_refused(variable: str) -> None:
    with pytest.raises(Refused) as refused:
        from_environment({variable: "http://elsewhere.example/ x"})
    assert refused.value.code == "bad_setting"


def test_the_environment_is_read() -> None:
    settings = from_environment(
        {
            "HANDRAIL_DATABASE_URL": "/tmp/a.db",
            "HANDRAIL_WORKFLOWS": os.pathsep.join(["/a", "", "/b"]),
            "HANDRAIL_TOOLSETS": "default, operate",
            "HANDRAIL_DEMO": "yes",
            "HANDRAIL_PORT": "0",
            "HANDRAIL_CONCURRENCY": "8",
            "HANDRAIL_MAX_RUNS": "100",
            "HANDRAIL_DRAIN": "2m",
            "HANDRAIL_RELEASE": "git-4f2a91c",
            "HANDRAIL_ALLOWED_HOSTS": "localhost:5100, [::1]:80",
            "HANDRAIL_ORIGINS": "http://localhost:6274, http://127.0.0.1:6274",
            "HANDRAIL_HOST": "::",
            "HANDRAIL_HOST_NAMES": "Handrail:8765 handrail.example.com",
            "HANDRAIL_PUBLIC_URL": "https://handrail.example.com/mcp",
            "HANDRAIL_TOKEN_FILE": "/t",
            "HANDRAIL_TLS_PROXY": "1",
            "HANDRAIL_TRUSTED_PROXIES": "10.0.0.5, fd00::/8",
            "HANDRAIL_TENANT": "acme",
            "HANDRAIL_CALLS_PER_SECOND": "0",
            "HANDRAIL_READ_TIMEOUT": "500ms",
        }
    )
    assert (settings.host, settings.tenant) == ("::", "acme")
    assert settings.host_names == ("handrail:8765", "handrail.example.com")
    assert settings.public_url == "https://handrail.example.com/mcp"
    assert (settings.token_file, settings.tls_proxy) == (Path("/t"), True)
    assert settings.trusted_proxies == ("10.0.0.5/32", "fd00::/8")
    assert (settings.call_rate, settings.read_timeout) == (0, 0.5)
    assert settings.database == "/tmp/a.db"
    assert settings.folders == (Path("/a"), Path("/b"))
    assert settings.toolsets == {"default", "operate"}
    assert settings.demo
    assert settings.port == 0
    assert (settings.concurrency, settings.max_runs, settings.drain) == (8, 100, 120.0)
    assert settings.release == "git-4f2a91c"
    assert settings.allowed_hosts == {("localhost", 5100), ("::1", 80)}
    assert settings.origins == ("http://localhost:6274", "http://127.0.0.1:6274")


def test_the_first_page_names_every_variable() -> None:
    page = README.read_text(encoding="utf-8")
    assert all(f"`{variable}`" in page for variable in VARIABLES.values())


def test_a_flag_wins_over_the_environment() -> None:
    environment = {"HANDRAIL_DATABASE_URL": "/a", "HANDRAIL_DEMO": "1", "HANDRAIL_PORT": "1"}
    environment |= {"HANDRAIL_HOST": "not read", "HANDRAIL_TOKEN_FILE": "/a"}
    texts = {"host": "::1", "token_file": "/b", "issuer": ""}
    settings = from_environment(environment, database="/b", demo=False, port=2, texts=texts)
    assert (settings.host, settings.token_file, settings.issuer) == ("::1", Path("/b"), "")
    assert (settings.database, settings.demo, settings.port) == ("/b", False, 2)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("HANDRAIL_TOOLSETS", "oprate", "Did you mean 'operate'?"),
        ("HANDRAIL_TOOLSETS", "zzz", "There are: default, operate."),
        ("HANDRAIL_DEMO", "maybe", "Use 1 or 0."),
        ("HANDRAIL_PORT", "99999", "from 0 to 65535"),
        ("HANDRAIL_PORT", "http", "from 0 to 65535"),
        ("HANDRAIL_HOST", "example.com", "neither an IP address nor localhost"),
        ("HANDRAIL_HOST", "127.0.0.1:80", "neither an IP address nor localhost"),
        ("HANDRAIL_HOST_NAMES", "*.example.com", "no host name"),
        ("HANDRAIL_HOST_NAMES", "a.example/x", "no host name"),
        ("HANDRAIL_ORIGINS", "*", "no origin such as"),
        ("HANDRAIL_ORIGINS", "null", "no origin such as"),
        ("HANDRAIL_ORIGINS", "https://app.example.com/", "no origin such as"),
        ("HANDRAIL_ORIGINS", "https://*.example.com", "no exact origin"),
        ("HANDRAIL_ORIGINS", "https://me@app.example.com", "no exact origin"),
        ("HANDRAIL_PUBLIC_URL", "http://handrail.example.com/mcp", "no https URL"),
        ("HANDRAIL_PUBLIC_URL", "https://me:pw@handrail.example.com", "more than a scheme"),
        ("HANDRAIL_AUTH_ISSUER", "ftp://id.example.com", "no https URL"),
        ("HANDRAIL_AUTH_JWKS_URL", "https://id.example.com/keys?x=1", "more than a scheme"),
        ("HANDRAIL_TRUSTED_PROXIES", "10.0.0.0/8, proxy", "no list of addresses"),
        ("HANDRAIL_TENANT", "../other", "no name of letters"),
        ("HANDRAIL_TLS_PROXY", "maybe", "Use 1 or 0."),
        ("HANDRAIL_CALLS_PER_SECOND", "-1", "0 is no limit"),
        ("HANDRAIL_RUNS_PER_SECOND", "many", "0 is no limit"),
        ("HANDRAIL_MAX_CALLS", "0", "from 1 to 100,000"),
        ("HANDRAIL_MAX_SESSIONS", "0", "from 1 to 100,000"),
        ("HANDRAIL_READ_TIMEOUT", "soon", "such as 10s or 1m"),
        ("HANDRAIL_ALLOWED_HOSTS", "localhost", "host:port"),
        ("HANDRAIL_ALLOWED_HOSTS", "localhost:99999", "host:port"),
        ("HANDRAIL_CONCURRENCY", "0", "from 1 to 10,000"),
        ("HANDRAIL_MAX_RUNS", "-1", "0 is no limit"),
        ("HANDRAIL_DRAIN", "soon", "such as 10s or 1m"),
    ],
)
def test_what_cannot_be_meant_is_refused(name: str, value: str, words: str) -> None:
    with pytest.raises(Refused) as refused:
        from_environment({name: value})
    assert refused.value.code == "bad_setting"
    assert name in refused.value.message
    assert words in f"{refused.value.message} {refused.value.hint}"


def test_prompts_and_resources_are_found() -> None:
    assert (find("prompts") / "execute-workflow.md").is_file()
    assert find("resources").is_dir()
