"""What was asked for of discovery: search, labels, blast radius, and measuring them."""

from tests.requirement import Requirement

DISCOVERY = (
    # vectors
    Requirement(
        "encoder-offline",
        "issue 5",
        "The vectors of the semantic extra are read from files; no connection is opened.",
    ),
)
