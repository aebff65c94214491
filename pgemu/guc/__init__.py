"""Settings: PostgreSQL's configuration parameters as rows, and their values in a session."""

from pgemu.guc.setting import Setting, Typed
from pgemu.guc.settings import PgSettingsRow, Settings

__all__ = ["PgSettingsRow", "Setting", "Settings", "Typed"]
