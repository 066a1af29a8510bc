"""What was asked for of discovery: search, labels, blast radius, the HTTP API, measuring them."""

from tests.requirement import Requirement

DISCOVERY = (
    # vectors
    Requirement(
        "encoder-offline",
        "005 discovery",
        "The vectors of the semantic extra are read from files; no connection is opened.",
    ),
    # the language model
    Requirement(
        "model-is-bounded",
        "005 labels",
        "A language model is asked once, in bounded words without secrets that are marked as data;"
        " its answer fits a schema, and whatever goes wrong says whose move it is.",
    ),
    # the HTTP API
    Requirement(
        "http-api",
        "005 discovery",
        "The HTTP API stands behind the same edge, limits, sign-in and scopes as MCP, refuses in"
        " the same words, and asks a person wherever a tool would.",
    ),
)
