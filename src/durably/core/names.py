"""The names that the system database's peers know: built-in operations, queues, topics, channels."""

from __future__ import annotations

SLEEP = "DBOS.sleep"
SEND = "DBOS.send"
RECV = "DBOS.recv"
SET_EVENT = "DBOS.setEvent"
GET_EVENT = "DBOS.getEvent"
GET_RESULT = "DBOS.getResult"
NOW = "DBOS.now"
RANDOM_UUID = "DBOS.randomUUID"
RANDOM = "DBOS.random"

INTERNAL_QUEUE = "_dbos_internal_queue"
RESERVED_PREFIX = "_dbos_"
NULL_TOPIC = "__null__topic__"

MESSAGES_CHANNEL = "dbos_notifications_channel"
EVENTS_CHANNEL = "dbos_workflow_events_channel"
STREAMS_CHANNEL = "dbos_streams_channel"
DURABLY_CHANNEL = (
    "durably"  # ours: `q::<queue>` has work, `r::<workflow id>` ended, `c::<workflow id>` cancelled
)
