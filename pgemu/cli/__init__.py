"""The command `pgemu`: see README.md."""

from __future__ import annotations


def main() -> int:
    """Entry point of the console script; the exit code."""
    import gc

    from pgemu.cli.bytecode import keep_bytecode

    # What a start makes stays: collecting while it is made only costs time.  The postmaster's
    # children turn the collector on again.
    gc.disable()
    keep_bytecode()
    from pgemu.cli.command import run

    return run()


__all__ = ["main"]
