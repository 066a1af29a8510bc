"""Where the protocol and the terminal take `visible` from: there is one, in the engine's core."""

from engine.core.visible import visible

__all__ = ["visible"]
