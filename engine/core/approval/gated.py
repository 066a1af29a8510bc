"""The answer of a verb that waits for a person. It is not an error and nobody did wrong."""

from engine.core.approval.views import ApprovalView


class Gated(Exception):
    """A person has to decide first; nothing was changed. `approval` says what is asked.

    Raised by the engine's verbs, and caught once by whoever speaks to a client.
    """

    def __init__(self, approval: ApprovalView) -> None:
        super().__init__(approval.summary)
        self.approval = approval
