"""Compiled modules for those who do not keep them.

PYTHONDONTWRITEBYTECODE (many container images set it) and installations that cannot be written
would make every start compile all modules anew, which takes longer than all the rest.  The
template's cache folder is at hand, so the compiled modules go there.
"""

from __future__ import annotations

import os
import sys


def keep_bytecode() -> None:
    """Call it before the modules that matter are imported."""
    if sys.pycache_prefix is not None:
        return
    if not sys.dont_write_bytecode and _writable(os.path.dirname(__file__)):
        return
    from pgemu.storage.template_cache import cache_folder

    try:
        sys.pycache_prefix = os.path.join(cache_folder(), "bytecode")
    except PermissionError:
        return
    sys.dont_write_bytecode = False


def _writable(folder: str) -> bool:
    """Whether compiled modules are beside the sources, or will be after this start."""
    cached = os.path.join(folder, "__pycache__")
    return os.path.isdir(cached) or os.access(folder, os.W_OK)
