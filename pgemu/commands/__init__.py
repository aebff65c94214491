"""Utility statements by family (PostgreSQL's backend/commands)."""

from pgemu.commands import sequence_functions as sequence_functions  # binds nextval and its kin
