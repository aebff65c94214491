"""The template's files (base.db, global.db), built once per machine and version.

Counterpart of what makes initdb slow in PostgreSQL.  The cache is a folder per user; a template is
built beside its final place and renamed into it, so that concurrent first starts are safe: the
loser of the race throws its own away.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from pgemu.storage.filecopy import remove_tree

KEEP_SECONDS = 30 * 86_400


def cache_folder() -> str:
    """$XDG_CACHE_HOME/pgemu or ~/.cache/pgemu; a private folder in the temporary one if that
    cannot be written."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    temporary = os.environ.get("TMPDIR") or "/tmp"
    for folder in (
        os.path.join(base, "pgemu"),
        os.path.join(temporary, f"pgemu-cache-{os.getuid()}"),
    ):
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK | os.X_OK) and os.stat(folder).st_uid == os.getuid():
            return folder
    raise PermissionError(f'no folder for templates: "{base}" and "{temporary}" are not writable')


def cached_template(key: str, build: Callable[[str], None]) -> str:
    """The folder of the template named `key`; build(folder) is called if there is none."""
    cache = cache_folder()
    final = os.path.join(cache, key)
    if os.path.exists(os.path.join(final, "base.db")):
        return final
    work = os.path.join(cache, f".{key}.{os.getpid()}.{time.monotonic_ns()}")
    os.mkdir(work, 0o700)
    try:
        build(work)
        try:
            os.rename(work, final)
        except OSError:  # somebody was faster
            if not os.path.exists(os.path.join(final, "base.db")):
                raise
    finally:
        remove_tree(work)
    return final


def prune_templates(keep: str) -> None:
    """Remove templates of other versions that nobody has used for long."""
    cache = cache_folder()
    limit = time.time() - KEEP_SECONDS
    for entry in os.scandir(cache):
        if entry.name != keep and entry.is_dir(follow_symlinks=False):
            used = max(entry.stat().st_mtime, entry.stat().st_atime)
            if used < limit:
                remove_tree(entry.path)
