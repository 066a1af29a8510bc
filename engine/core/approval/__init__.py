"""Approvals, pure: the plan a person sees, its bytes, and what may become of it."""
