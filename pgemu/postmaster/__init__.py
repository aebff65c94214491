"""The process that starts, watches and stops all others: see README.md."""
