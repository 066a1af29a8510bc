"""Features: pure, each one value named FEATURE, none of which knows another."""
