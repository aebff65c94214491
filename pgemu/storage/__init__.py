"""Files, SQLite connections, shared memory, locks and latches: see README.md."""
