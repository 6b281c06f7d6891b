/**
 * The real DBOSClient, driven by JSON lines: the protocol of tests/interop/apps/PROTOCOL.md.
 */
import { createInterface } from "node:readline";
import { DBOSClient } from "@dbos-inc/dbos-sdk";

type Json = Record<string, any>;

const POLL = { pollingIntervalMs: 30 };

/** Values that JSON has no form for travel as {"$type": value}. */
function untag(value: any): any {
  if (Array.isArray(value)) {
    return value.map(untag);
  }
  if (value !== null && typeof value === "object") {
    const keys = Object.keys(value);
    if (keys.length === 1) {
      switch (keys[0]) {
        case "$date":
          return new Date(value.$date);
        case "$bigint":
          return BigInt(value.$bigint);
        case "$set":
          return new Set(value.$set.map(untag));
        case "$map":
          return new Map(value.$map.map(([k, v]: [any, any]) => [untag(k), untag(v)]));
        case "$undefined":
          return undefined;
      }
    }
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, untag(v)]));
  }
  return value;
}

function tag(value: any): any {
  if (value === undefined) {
    return { $undefined: true };
  }
  if (typeof value === "bigint") {
    return { $bigint: value.toString() };
  }
  if (typeof value === "number" && !Number.isFinite(value)) {
    return { $number: String(value) };
  }
  if (value instanceof Date) {
    return { $date: value.toISOString() };
  }
  if (value instanceof Set) {
    return { $set: [...value].map(tag) };
  }
  if (value instanceof Map) {
    return { $map: [...value].map(([k, v]) => [tag(k), tag(v)]) };
  }
  if (value instanceof Uint8Array) {
    return { $bytes: Buffer.from(value).toString("base64") };
  }
  if (value instanceof Error) {
    return { $error: describe(value) };
  }
  if (Array.isArray(value)) {
    return value.map(tag);
  }
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, v]) => v !== undefined)
        .map(([k, v]) => [k, tag(v)]),
    );
  }
  return value;
}

function describe(error: any): Json {
  return {
    class: error?.constructor?.name ?? null,
    name: error?.name ?? null,
    message: error?.message ?? String(error),
    code: error?.code ?? null,
    data: error?.data === undefined ? null : tag(error.data),
  };
}

async function perform(client: DBOSClient, request: Json): Promise<unknown> {
  switch (request.op) {
    case "enqueue":
      return (await client.enqueue(request.options, ...untag(request.args ?? []))).workflowID;
    case "enqueuePortable":
      return (await client.enqueuePortable(request.options, untag(request.args ?? []), untag(request.namedArgs)))
        .workflowID;
    case "getResult":
      return await client.retrieveWorkflow(request.id).getResult(POLL);
    case "getStatus":
      return (await client.getWorkflow(request.id)) ?? null;
    case "getEvent":
      return await client.getEvent(request.id, request.key, { timeoutSeconds: request.timeoutSeconds ?? 60, ...POLL });
    case "send":
      return await client.send(request.id, untag(request.message), request.topic, request.idempotencyKey, {
        serializationType: request.serializationType,
      });
    case "listWorkflows":
      return await client.listWorkflows(request.filter ?? {});
    case "listWorkflowSteps":
      return (await client.listWorkflowSteps(request.id)) ?? null;
    case "cancel":
      return await client.cancelWorkflow(request.id, { cancelChildren: request.cancelChildren });
    case "resume":
      return (await client.resumeWorkflow(request.id, { queueName: request.queueName })).workflowID;
    case "fork":
      return await client.forkWorkflow(request.id, request.startStep, {
        newWorkflowID: request.newWorkflowID,
        queueName: request.queueName,
      });
    case "delete":
      return await client.deleteWorkflow(request.id);
    case "createSchedule":
      return await client.createSchedule(request.schedule);
    case "pauseSchedule":
      return await client.pauseSchedule(request.name);
    case "resumeSchedule":
      return await client.resumeSchedule(request.name);
    case "triggerSchedule":
      return (await client.triggerSchedule(request.name)).workflowID;
    case "backfillSchedule":
      return (await client.backfillSchedule(request.name, new Date(request.start), new Date(request.end))).map(
        (handle) => handle.workflowID,
      );
    case "readStream": {
      const values: unknown[] = [];
      for await (const value of client.readStream(request.id, request.key, { offset: request.offset ?? 0, ...POLL })) {
        values.push(value);
      }
      return values;
    }
    default:
      throw new Error(`unknown op ${request.op}`);
  }
}

async function main(): Promise<void> {
  let client: DBOSClient | undefined;
  for await (const line of createInterface({ input: process.stdin })) {
    if (!line.trim()) {
      continue;
    }
    const request: Json = JSON.parse(line);
    let reply: Json;
    try {
      if (request.op === "create") {
        client = await DBOSClient.create({
          systemDatabaseUrl: request.systemDatabaseUrl,
          applicationName: request.applicationName,
        });
        reply = { ok: true, value: null };
      } else if (client === undefined) {
        throw new Error("the first op must be create");
      } else {
        const value = await perform(client, request);
        reply = { ok: true, value: value === undefined ? null : tag(value) };
      }
    } catch (error) {
      reply = { ok: false, error: describe(error) };
    }
    process.stdout.write(`${JSON.stringify(reply)}\n`);
  }
  await client?.destroy();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
