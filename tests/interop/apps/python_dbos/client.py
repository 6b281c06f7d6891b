"""The real DBOSClient of the dbos package, driven by JSON lines as ../PROTOCOL.md says."""

from __future__ import annotations

import base64
import datetime as dt
import json
import math
import sys
from typing import Any

from dbos import DBOSClient, DBOSPortableJSONSerializer, WorkflowSerializationFormat

OPTIONS = {
    "workflowName": "workflow_name",
    "workflowClassName": "class_name",
    "workflowConfigName": "instance_name",
    "queueName": "queue_name",
    "workflowID": "workflow_id",
    "workflowIDReusePolicy": "workflow_id_reuse_policy",
    "appVersion": "app_version",
    "deduplicationID": "deduplication_id",
    "duplicationPolicy": "duplication_policy",
    "priority": "priority",
    "queuePartitionKey": "queue_partition_key",
    "delaySeconds": "delay_seconds",
    "authenticatedUser": "authenticated_user",
    "authenticatedRoles": "authenticated_roles",
    "attributes": "attributes",
    "applicationName": "application_name",
}
FILTER = {
    "workflowIDs": "workflow_ids",
    "workflowName": "name",
    "status": "status",
    "queueName": "queue_name",
    "workflow_id_prefix": "workflow_id_prefix",
    "attributes": "attributes",
    "limit": "limit",
    "offset": "offset",
    "sortDesc": "sort_desc",
}
STATUS = {
    "workflowID": "workflow_id",
    "status": "status",
    "workflowName": "name",
    "workflowClassName": "class_name",
    "workflowConfigName": "config_name",
    "queueName": "queue_name",
    "authenticatedUser": "authenticated_user",
    "authenticatedRoles": "authenticated_roles",
    "input": "input",
    "output": "output",
    "error": "error",
    "executorId": "executor_id",
    "applicationVersion": "app_version",
    "applicationName": "application_name",
    "recoveryAttempts": "recovery_attempts",
    "createdAt": "created_at",
    "updatedAt": "updated_at",
    "completedAt": "completed_at",
    "dequeuedAt": "dequeued_at",
    "timeoutMS": "workflow_timeout_ms",
    "deduplicationID": "deduplication_id",
    "priority": "priority",
    "queuePartitionKey": "queue_partition_key",
    "parentWorkflowID": "parent_workflow_id",
    "forkedFrom": "forked_from",
    "attributes": "attributes",
}
POLL = {"polling_interval_sec": 0.03}


def untag(value: Any) -> Any:
    if isinstance(value, list):
        return [untag(item) for item in value]
    if isinstance(value, dict):
        match value:
            case {"$date": text} if len(value) == 1:
                return dt.datetime.fromisoformat(text)
            case {"$bigint": text} if len(value) == 1:
                return int(text)
            case {"$set": items} if len(value) == 1:
                return {untag(item) for item in items}
            case {"$map": items} if len(value) == 1:
                return {untag(k): untag(v) for k, v in items}
            case {"$undefined": _} if len(value) == 1:
                return None
        return {key: untag(item) for key, item in value.items()}
    return value


def tag(value: Any) -> Any:
    match value:
        case float() if not math.isfinite(value):
            return {"$number": {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[repr(value)]}
        case dt.datetime():
            utc = value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)
            return {"$date": utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")}
        case dt.date():
            return {"$date": value.isoformat()}
        case set() | frozenset():
            return {"$set": [tag(item) for item in value]}
        case bytes():
            return {"$bytes": base64.b64encode(value).decode()}
        case BaseException():
            return {"$error": describe(value)}
        case list() | tuple():
            return [tag(item) for item in value]
        case dict():
            return {key: tag(item) for key, item in value.items()}
    return value


def describe(error: BaseException) -> dict[str, Any]:
    code = getattr(error, "code", None)
    return {
        "class": type(error).__name__,
        "name": getattr(error, "name", None) or type(error).__name__,
        "message": str(error),
        "code": getattr(error, "dbos_error_code", None) if code is None else code,
        "data": tag(getattr(error, "data", None)),
    }


def options(given: dict[str, Any], **extra: Any) -> Any:
    chosen = {OPTIONS[key]: value for key, value in given.items() if key in OPTIONS}
    if "workflowTimeoutMS" in given:
        chosen["workflow_timeout"] = given["workflowTimeoutMS"] / 1000
    if "serializationType" in given:
        chosen["serialization_type"] = WorkflowSerializationFormat(given["serializationType"])
    return {**chosen, **extra}


def status_fields(status: Any) -> dict[str, Any]:
    return {key: tag(getattr(status, name)) for key, name in STATUS.items()}


def perform(client: DBOSClient, request: dict[str, Any]) -> Any:
    args, named = untag(request.get("args", [])), untag(request.get("namedArgs", {}))
    match request["op"]:
        case "enqueue":
            return client.enqueue(options(request["options"]), *args, **named).workflow_id
        case "enqueuePortable":
            chosen = options(request["options"], serialization_type=WorkflowSerializationFormat.PORTABLE)
            return client.enqueue(chosen, *args, **named).workflow_id
        case "getResult":
            return client.retrieve_workflow(request["id"]).get_result(**POLL)
        case "getStatus":
            found = client.list_workflows(workflow_ids=[request["id"]])
            return status_fields(found[0]) if found else None
        case "getEvent":
            return client.get_event(request["id"], request["key"], request.get("timeoutSeconds", 60))
        case "send":
            kind = request.get("serializationType")
            extra = {"serialization_type": WorkflowSerializationFormat(kind)} if kind else {}
            message, key = untag(request["message"]), request.get("idempotencyKey")
            return client.send(request["id"], message, request.get("topic"), key, **extra)
        case "listWorkflows":
            chosen = {FILTER[key]: value for key, value in request.get("filter", {}).items()}
            return [status_fields(status) for status in client.list_workflows(**chosen)]
        case "listWorkflowSteps":
            return [
                {
                    "functionID": step["function_id"],
                    "name": step["function_name"],
                    "output": step["output"],
                    "error": step["error"],
                    "childWorkflowID": step["child_workflow_id"],
                }
                for step in client.list_workflow_steps(request["id"])
            ]
        case "cancel":
            return client.cancel_workflow(request["id"], cancel_children=request.get("cancelChildren", False))
        case "resume":
            return client.resume_workflow(request["id"], queue_name=request.get("queueName")).workflow_id
        case "fork":
            queue = request.get("queueName")
            return client.fork_workflow(request["id"], request["startStep"], queue_name=queue).workflow_id
        case "delete":
            return client.delete_workflow(request["id"], delete_children=request.get("deleteChildren", False))
        case "rewind":
            queue = request.get("queueName")
            return client.rewind_workflow(
                request["id"], start_step=request["startStep"], queue_name=queue
            ).workflow_id
        case "setDelay":
            return client.set_workflow_delay(request["id"], delay_until_epoch_ms=request["delayUntilEpochMS"])
        case "updateAttributes":
            merge = request.get("merge", False)
            return client.update_workflow_attributes(request["id"], request["attributes"], merge=merge)
        case "pauseSchedule":
            return client.pause_schedule(request["name"])
        case "triggerSchedule":
            return client.trigger_schedule(request["name"]).workflow_id
        case "backfillSchedule":
            start, end = (dt.datetime.fromisoformat(request[edge]) for edge in ("start", "end"))
            return [each.workflow_id for each in client.backfill_schedule(request["name"], start, end)]
        case "readStream":
            return list(client.read_stream(request["id"], request["key"], offset=request.get("offset", 0)))
        case unknown:
            raise ValueError(f"unknown op {unknown}")


def main() -> None:
    client: DBOSClient | None = None
    for line in sys.stdin:
        if not line.strip():
            continue
        request = json.loads(line)
        reply: dict[str, Any]
        try:
            if request["op"] == "create":
                portable = request.get("serializer", "pickle") == "portable"
                client = DBOSClient(
                    system_database_url=request["systemDatabaseUrl"],
                    application_name=request.get("applicationName"),
                    use_listen_notify=True,
                    **({"serializer": DBOSPortableJSONSerializer()} if portable else {}),
                )
                reply = {"ok": True, "value": None}
            elif client is None:
                raise RuntimeError("the first op must be create")
            else:
                reply = {"ok": True, "value": tag(perform(client, request))}
        except Exception as error:
            reply = {"ok": False, "error": describe(error)}
        print(json.dumps(reply), flush=True)
    if client is not None:
        client.destroy()


if __name__ == "__main__":
    main()
