"""Search over the catalogue: what is found first, and that no query can upset the index."""

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.found import Found
from engine.core.model import Effect
from engine.core.views import InputField, WorkflowInfo
from engine.shell.encoders import ranking_of
from engine.store.search import CREATE, PLAIN, Index, Ranking, in_memory, shipped


def info(
    name: str, description: str = "", tags: tuple[str, ...] = (), *inputs: str
) -> WorkflowInfo:
    fields = tuple(InputField(one, "string", True, f"The {one}.") for one in inputs)
    return WorkflowInfo(
        "default", name, "1.0.0", description, Effect.READ, False, False, (), tags, fields, 1
    )


CATALOGUE = (
    info("user-profile", "Get the profile of a user by number.", ("users",), "userId"),
    info("order-lookup", "Look up an order with its invoice.", ("orders",), "orderId"),
    info("stock-check", "Check the stock of many products.", ("inventory",), "items"),
    info("notifyCustomer", "Write a message to a customer.", ("messages",), "message"),
)


def filled(*infos: WorkflowInfo) -> Index:
    db = sqlite3.connect(":memory:", check_same_thread=False)
    db.executescript(CREATE)
    index = Index(db, infos.__getitem__)
    for number, each in enumerate(infos):
        index.put(number, each)
    return index


@pytest.fixture(scope="module")
def index() -> Index:
    return filled(*CATALOGUE)


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("Get me the profile for user 3", "user-profile"),
        ("user-profile", "user-profile"),
        ("looking up orders", "order-lookup"),
        ("invoices", "order-lookup"),
        ("which products are in stock?", "stock-check"),
        ("notify customer", "notifyCustomer"),
        ("inventory", "stock-check"),
        ("profil", "user-profile"),
        ("invocies", "order-lookup"),
        ("userprofile", "user-profile"),
        ("prof", "user-profile"),
        ("CHECK_STOCK", "stock-check"),
    ],
)
def test_the_workflow_that_is_meant_comes_first(index: Index, query: str, first: str) -> None:
    assert index.search(query, 3).hits[0].info.name == first


def test_an_exact_name_scores_one_and_no_other_hit_does(index: Index) -> None:
    scores = {hit.info.name: hit.score for hit in index.search("order-lookup", 4).hits}
    assert scores.pop("order-lookup") == 1.0
    assert all(score < 1 for score in scores.values())


@pytest.mark.parametrize("query", ["", "   ", "???", "zzzzzz qqqqq"])
def test_what_fits_nothing_finds_nothing(index: Index, query: str) -> None:
    assert index.search(query, 5) == Found()


def test_an_index_without_anything_in_it_finds_nothing() -> None:
    assert filled().search("user", 5) == Found()


def test_what_was_dropped_is_not_found_again() -> None:
    fresh = filled(*CATALOGUE)
    for number in range(1, len(CATALOGUE)):
        fresh.drop(number)
    assert [hit.info.name for hit in fresh.search("order user", 5).hits] == ["user-profile"]
    assert fresh.search("order-lookup", 5).hits == ()


@pytest.mark.parametrize("query", ["book a flight by night to Rome", "by the weather"])
def test_what_shares_a_word_by_chance_is_no_good_match(index: Index, query: str) -> None:
    found = index.search(query, 3)
    assert not found.good
    assert found.confidence <= 0.5


def test_twins_are_told_of(index: Index) -> None:
    said = ("Close the invoice of a customer.", ("billing",), "invoice")
    twins = filled(*CATALOGUE, info("closeInvoice", *said), info("invoice_close", *said))
    found = twins.search("I want to close an invoice of a customer", 3)
    assert {hit.info.name for hit in found.hits[:2]} == {"closeInvoice", "invoice_close"}
    assert len(found.close) == 1
    assert found.confidence < 0.8


def test_only_what_it_may_find_among_is_found(index: Index) -> None:
    assert [hit.info.name for hit in index.search("user order", 5, {1, 2}).hits] == ["order-lookup"]
    assert index.search("order-lookup", 5, set()).hits == ()


@pytest.mark.requirement("search-any-query")
@pytest.mark.parametrize(
    "query",
    [
        'name:x OR "a" NEAR(b c, 2) - * ^ { } AND NOT',
        "order\0; drop table words; --",
        "\U0001f600\U0001f4a5 \ufdfa ﬁ \u202e",
        "order " * 5_000,
        "x" * 100_000,
        "查看订单 заказ طلب ऑर्डर สั่งซื้อ",
        "the of and to",
        "((((((",
        "\ud800".encode("utf-16", "surrogatepass").decode("utf-16", "replace"),
    ],
)
def test_every_query_has_an_answer(index: Index, query: str) -> None:
    assert len(index.search(query, 3).hits) <= 3


def test_scripts_without_spaces_are_found_by_parts_of_their_words() -> None:
    index = filled(info("a", "进行数据分析的工具"), info("b", "发送邮件给客户"))
    assert [hit.info.name for hit in index.search("请分析数据", 5).hits] == ["a"]
    assert [hit.info.name for hit in index.search("邮件", 5).hits] == ["b"]


@pytest.mark.requirement("search-any-query")
@given(st.text(max_size=200))
def test_no_query_means_anything_to_the_index_but_its_words(query: str) -> None:
    index = filled(*CATALOGUE)
    try:
        hits = index.search(query, 5).hits
    except sqlite3.Error as error:
        raise AssertionError(query) from error
    assert all(0 < hit.score <= 1 for hit in hits)


def meaning(*infos: WorkflowInfo) -> Index:
    return in_memory(infos, ranking_of("wordllama"))


def test_what_is_meant_is_found_without_a_word_of_it() -> None:
    asked = "mail the client"
    assert [hit.info.name for hit in in_memory(CATALOGUE, PLAIN).search(asked, 3).hits] == []
    first = meaning(*CATALOGUE).search(asked, 3).hits[0]
    assert (first.info.name, first.why) == ("notifyCustomer", "near in meaning")


def test_with_vectors_too_a_name_wins_and_no_words_find_nothing() -> None:
    index = meaning(*CATALOGUE)
    assert index.search("order-lookup", 3).hits[0].why == "exact name"
    assert index.search("???", 3) == Found()


def test_with_vectors_too_only_what_may_be_found_is() -> None:
    index = meaning(*CATALOGUE)
    assert {hit.info.name for hit in index.search("mail the client", 9, among=[0, 2]).hits} <= {
        "user-profile",
        "stock-check",
    }
    assert index.search("mail the client", 9, among=[]) == Found()


def test_a_pool_without_its_meaning_is_that_of_words_alone() -> None:
    for asked in ("order invoice", "mail the client", "profile of a user"):
        pool = meaning(*CATALOGUE).pool(asked)
        assert pool.kind == "semantic"
        assert pool.in_words() == in_memory(CATALOGUE).pool(asked)


def test_weights_that_do_not_weigh_meaning_leave_the_words() -> None:
    only = Ranking(ranking_of("wordllama").source, {"lexical": shipped()["lexical"]})
    for asked in ("order invoice", "mail the client"):
        assert in_memory(CATALOGUE, only).search(asked, 3) == in_memory(CATALOGUE).search(asked, 3)
