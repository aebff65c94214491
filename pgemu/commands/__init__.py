"""Utility statements by family (PostgreSQL's backend/commands)."""
