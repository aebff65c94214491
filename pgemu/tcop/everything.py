"""Importing this module loads all that statements may need; the postmaster does it in a quiet
moment after the start, so that backends forked later share it."""

import pgemu.commands.utility
import pgemu.planner.planner
import pgemu.rewrite.rewrite_handler
import pgemu.tcop.backend_main  # noqa: F401
from pgemu.fmgr.binding_index import load_everything

load_everything()
