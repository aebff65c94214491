"""SQL functions about the running server; importing this package binds them all."""

from pgemu.executor.functions import (
    activity,
    advisory,
    control,
    counters,
    cursors,
    event_triggers,
    files,
    hash_partitions,
    index_maintenance,
    large_objects,
    locks,
    object_address,
    replication_origins,
    snapshots,
    updatable,
    xml_mapping,
)

__all__ = [
    "activity",
    "advisory",
    "control",
    "counters",
    "cursors",
    "event_triggers",
    "files",
    "hash_partitions",
    "index_maintenance",
    "large_objects",
    "locks",
    "object_address",
    "replication_origins",
    "snapshots",
    "updatable",
    "xml_mapping",
]
