"""What a client is asked, and that only an exact decision with the code counts."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp.server.elicitation import _PRIMITIVE_SCHEMA_ADAPTER
from mcp_types import ClientCapabilities

from mcp_server import elicit
from tests.server.approvals import a_plan, an_approval
from tests.server.views import JSON

LINK = "http://localhost:8770/a/apr_1"
CODE = "AB01CD23"


def able(**elicitation: Any) -> ClientCapabilities:
    return ClientCapabilities.model_validate({"elicitation": elicitation})


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        (None, ""),
        (ClientCapabilities(), ""),
        (able(), "form"),
        (able(form={}), "form"),
        (able(url={}), "url"),
        (able(form={}, url={}), "form"),
    ],
)
def test_a_client_is_asked_in_a_way_that_it_has_declared(capabilities: Any, expected: str) -> None:
    assert elicit.way(capabilities, an_approval(), LINK) == expected


@pytest.mark.parametrize(
    "more",
    [
        {"assurance_needed": "A2"},
        {"confirm": "pin"},
        {"confirm": "typed", "typed_words": "delete 47"},
        {"plan": a_plan({f"part {n}": "x" * 90 for n in range(50)})},
    ],
)
def test_where_a_form_is_not_enough_only_the_page_is_offered(more: Any) -> None:
    view = an_approval(**more)
    assert elicit.way(able(form={}), view, LINK) == ""
    assert elicit.way(able(form={}, url={}), view, LINK) == "url"
    assert elicit.way(able(form={}, url={}), view, "") == ""


@pytest.mark.parametrize("more", [{"state": "approved"}, {"approver_exists": False}])
def test_nobody_is_asked_where_nobody_can_decide(more: Any) -> None:
    assert elicit.way(able(form={}, url={}), an_approval(**more), LINK) == ""


def test_the_form_shows_the_whole_plan_and_has_no_default() -> None:
    view = an_approval(a_plan({"amount": 3, "note": "z" * 90}))
    message = elicit.form_message(view)
    assert "POST https://shop.example/orders" in message
    assert "z" * 20 in message
    assert message.endswith(view.code)
    for schema in elicit.FORM["properties"].values():
        _PRIMITIVE_SCHEMA_ADAPTER.validate_python(schema)
        assert "default" not in schema
    assert elicit.FORM["required"] == ["decision", "code"]


def test_what_stands_beside_a_link_tells_nothing_of_the_plan() -> None:
    view = an_approval(a_plan({"amount": 3}))
    assert not re.search("amount|shop|order", elicit.url_message(view))


def test_only_the_code_of_the_plan_approves() -> None:
    said = elicit.said("accept", {"decision": "approve", "code": CODE, "comment": "ok"}, CODE)
    assert said == elicit.Said("approve", CODE, "ok")
    assert elicit.said("accept", {"decision": "approve", "code": "abol-cd23"}, CODE).code == CODE


@pytest.mark.requirement("a-form-proves-little")
@pytest.mark.parametrize(
    "content",
    [
        None,
        {},
        {"decision": "approve"},
        {"code": CODE},
        {"decision": "approve", "code": ""},
        {"decision": "approve", "code": "AB01CD24"},
        {"decision": "approve", "code": True},
        {"decision": "approve", "code": [CODE]},
        {"decision": True, "code": CODE},
        {"decision": "yes", "code": CODE},
        {"decision": "approve", "code": CODE, "confirmed": True},
        {"decision": "approve", "code": CODE, "comment": 1},
        {"decision": "approve", "code": CODE, "comment": "x" * 501},
    ],
)
def test_an_answer_that_is_not_exactly_a_decision_counts_for_nothing(content: Any) -> None:
    said = elicit.said("accept", content, CODE)
    assert said.decision == "nothing"
    assert said.why


def test_closing_a_form_is_not_declining_it() -> None:
    assert elicit.said("cancel", None, CODE).decision == "nothing"
    assert elicit.said("decline", None, CODE).decision == "reject"
    assert elicit.said("accept", {"decision": "reject", "code": "?"}, CODE).decision == "reject"


@given(st.sampled_from(["accept", "decline", "cancel", "approve"]), JSON, JSON, JSON)
def test_no_other_answer_ever_approves(action: str, decision: Any, code: Any, extra: Any) -> None:
    content = {"decision": decision, "code": code, "x": extra}
    assert elicit.said(action, content, CODE).decision != "approve"
    del content["x"]
    assert elicit.said(action, content, CODE).decision != "approve"
