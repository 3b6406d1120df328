"""Steer: people's rules become the bias. The effect is measured, and all of it can be undone."""
