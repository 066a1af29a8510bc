"""Benchmarks: each prints JSON and judges by ratios to a floor or a peer of the same run."""
