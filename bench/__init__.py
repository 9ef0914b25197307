"""Benchmarks: every figure is a ratio against something measured in the same run, so that machines may differ."""
