"""The command `pgemu`: see README.md."""

from __future__ import annotations


def main() -> int:
    """Entry point of the console script; the exit code."""
    from pgemu.cli.command import run

    return run()


__all__ = ["main"]
