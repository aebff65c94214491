"""Tests of the room pl."""
