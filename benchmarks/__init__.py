"""Benchmarks: one question a file, ratios measured side by side, JSON kept."""
