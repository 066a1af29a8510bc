"""Connectors: where the engine calls the world and classifies what comes back."""
