"""Query -> SQLite: one module per construct; planner.py is the entry."""
