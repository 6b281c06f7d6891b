"""The names that the system database's peers know: built-in operations, queues, topics, channels."""

from __future__ import annotations

SLEEP = "DBOS.sleep"
SEND = "DBOS.send"
RECV = "DBOS.recv"
SET_EVENT = "DBOS.setEvent"
GET_EVENT = "DBOS.getEvent"
GET_RESULT = "DBOS.getResult"
GET_EVENTS = "DBOS.get_events"
WRITE_STREAM = "DBOS.writeStream"
CLOSE_STREAM = "DBOS.closeStream"
READ_STREAM = "DBOS.readStream"
READ_STREAM_OFFSET = "DBOS.readStreamOffset"
WAIT_FIRST = "DBOS.waitFirst"
SEND_MANY = "DBOS.send_bulk"
ASK = "durably.ask"
FIRST_OF = "durably.firstOf"
NEXT_COMPLETED = "durably.nextCompleted"
NOW = "DBOS.now"
RANDOM_UUID = "DBOS.randomUUID"
RANDOM = "DBOS.random"
CONTINUE_AS_NEW = "durably.continueAsNew"
PATCH_PREFIX = "DBOS.patch-"

GET_STATUS = "DBOS.getStatus"
LIST_WORKFLOWS = "DBOS.listWorkflows"
LIST_STEPS = "DBOS.listWorkflowSteps"
COUNT_WORKFLOWS = "DBOS.countWorkflows"
CANCEL_WORKFLOW = "DBOS.cancelWorkflow"
RESUME_WORKFLOW = "DBOS.resumeWorkflow"
FORK_WORKFLOW = "DBOS.forkWorkflow"
REWIND_WORKFLOW = "DBOS.rewindWorkflow"
DELETE_WORKFLOW = "DBOS.deleteWorkflow"
PAUSE_WORKFLOW = "DBOS.pauseWorkflow"
UNPAUSE_WORKFLOW = "DBOS.unpauseWorkflow"
SET_DELAY = "DBOS.setWorkflowDelay"
SET_PRIORITY = "DBOS.setWorkflowPriority"
UPDATE_ATTRIBUTES = "DBOS.updateWorkflowAttributes"
LIST_STRANDED = "DBOS.listStranded"
DEBOUNCE = "DBOS.debounce_delayed_workflow"
MOVE_WORKFLOWS = "DBOS.moveWorkflows"

INTERNAL_QUEUE = "_dbos_internal_queue"
RESERVED_PREFIX = "_dbos_"
STRANDED_UNTIL_MS = 253402128000000  # 9999-12-30: a workflow delayed until then is set aside as stranded
PAUSED_UNTIL_MS = 253402041600000  # 9999-12-29: a workflow delayed until then is paused
STREAM_END = '"__DBOS_STREAM_CLOSED__"'  # closes a stream; a reader's end is recorded as it
NULL_TOPIC = "__null__topic__"

MESSAGES_CHANNEL = "dbos_notifications_channel"
EVENTS_CHANNEL = "dbos_workflow_events_channel"
STREAMS_CHANNEL = "dbos_streams_channel"
DURABLY_CHANNEL = "durably"
# `q::<queue>` has work, `s::<schedule>` changed, `r::<workflow id>` ended, `c::<workflow id>::<owner token>`
# lost this owner, who is named because the next one may run by the time that the notice arrives.
