"""A form is read strictly: what our pages do not send is refused."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from engine import Refused
from mcp_server.console.forms import MOST_FIELDS, Form, read

pytestmark = pytest.mark.requirement("page-forms")


async def form_of(body: bytes) -> Form:
    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    return await read(Request({"type": "http", "method": "POST", "headers": []}, receive))


async def test_what_a_form_says_is_read() -> None:
    form = await form_of(b"decision=deny&comment=not+%C3%BC%26&keep=0&keep=2")
    assert (form["decision"], form["comment"]) == ("deny", "not ü&")
    assert form.kept == {"0", "2"}
    assert form["pin"] == ""
    assert (await form_of(b""))["decision"] == ""


@pytest.mark.parametrize(
    "body",
    [
        b"decision=deny&decision=approve",
        b"decision=approve&approved_by=ann",
        b"decision",
        b"decision=%ff",
        b"decision=\xc3\xbc",
        b"&".join([b"keep=1"] * (MOST_FIELDS + 1)),
    ],
)
async def test_what_our_pages_do_not_send_is_refused(body: bytes) -> None:
    with pytest.raises(Refused) as refused:
        await form_of(body)
    assert refused.value.code == "bad_form"


@given(st.binary(max_size=60))
async def test_any_bytes_are_a_form_or_refused(body: bytes) -> None:
    with contextlib.suppress(Refused):
        assert isinstance(await form_of(body), Form)
