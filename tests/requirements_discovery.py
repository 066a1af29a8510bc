"""What was asked for of discovery: search, labels, blast radius, the HTTP API, measuring them."""

from tests.requirement import Requirement

DISCOVERY = (
    # vectors
    Requirement(
        "encoder-offline",
        "005 discovery",
        "The vectors of the semantic extra are read from files; no connection is opened.",
    ),
    Requirement(
        "encoder-may-fail",
        "issue 5",
        "An encoder that fails is told of once and costs no search.",
    ),
    # the language model
    Requirement(
        "model-is-bounded",
        "005 labels",
        "A language model is asked once, in bounded words without secrets that are marked as data;"
        " its answer fits a schema, and whatever goes wrong says whose move it is.",
    ),
    # statistics
    Requirement(
        "statistics",
        "005 discovery",
        "Runs, success rate, p50, p95 and the last run of a workflow come from its newest runs, at"
        " a cost that does not grow with its history.",
    ),
    # search
    # from words to a call
    # labels
    # suggestions
    # blast radius
    # measuring
    # the HTTP API
    Requirement(
        "http-api",
        "005 discovery",
        "The HTTP API stands behind the same edge, limits, sign-in and scopes as MCP, refuses in"
        " the same words, and asks a person wherever a tool would.",
    ),
)
