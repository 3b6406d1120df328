"""Faces: the only layer that prints, writes files or opens a port."""
