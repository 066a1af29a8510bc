"""The approval page: a place on this computer where a person decides, and no program can.

It has a listener of its own on loopback, a guard before every request, sessions that begin with
the PIN, and pages that work without script.
"""
