"""Stored queries hold literals: the types have to be registered."""

import pgemu.types.families  # noqa: F401
