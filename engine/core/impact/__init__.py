"""Blast radius, pure: who uses what, how far a change of something reaches, what would break."""
