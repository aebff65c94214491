"""Transactions over SQLite: xids, snapshots, undo, visibility, savepoints, recovery."""
