"""The client: drives any DBOS application from outside, through its system database alone.

    AsyncDBOSClient      the source of truth, composed of parts:
      _enqueue             enqueue, enqueue_many          _creation  what it means that something exists
      _results             retrieve, get_result, wait     _waits     one hub and one LISTEN for all waiters
      _messages, _events   send, get_event
      _workflows           get, list, count, steps
      _inspection          one workflow in pages and pieces, for those who show it
      _management          cancel, resume
      _forks, _edits       fork, rewind, with edits of what was recorded
    DBOSClient           the blocking twin, generated from it (`make generate`)
    declare_workflow     an address that type checkers understand

What a caller says is checked (`core.checks`) and made a record (`_records`) before anything is written.
A session (`_session`) holds the connections, repeats calls while the database is away, and knows its process
and loop.
May import store, codec, core, concurrency, errors, types and config.
"""

from __future__ import annotations

from durably.client._async import AsyncDBOSClient
from durably.client._enqueue import Enqueue
from durably.client._messages import Message
from durably.client._sync import DBOSClient, WorkflowHandle
from durably.client.declared import DeclaredWorkflow, declare_workflow
from durably.client.handles import AsyncWorkflowHandle

__all__ = [
    "AsyncDBOSClient",
    "AsyncWorkflowHandle",
    "DBOSClient",
    "DeclaredWorkflow",
    "Enqueue",
    "Message",
    "WorkflowHandle",
    "declare_workflow",
]
