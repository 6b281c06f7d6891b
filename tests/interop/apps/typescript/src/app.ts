/**
 * A DBOS application as its users write it. Nothing in it knows durably.
 *
 * Environment: DBOS_SYSTEM_DATABASE_URL (required), APP_NAME, EXECUTOR_ID, APP_VERSION,
 * QUEUE_POLL_MS, STOP_ON_STDIN_EOF=1 (end when the parent process goes away).
 * Prints READY when it takes work; ends on SIGTERM.
 */
import { DBOS } from "@dbos-inc/dbos-sdk";

interface TicketInfo {
  ticketId: string;
  eventName: string;
  seats: string[];
  eventDate: string;
  total: number;
  dateType: string;
  approval: unknown;
}

class SoldOutError extends Error {
  readonly code = 409;
  readonly data: { seats: string[] };

  constructor(seats: string[]) {
    super(`sold out: ${seats.join(", ")}`);
    this.name = "SoldOutError";
    this.data = { seats };
  }
}

export class DBOSTicketAuthority {
  @DBOS.step()
  static async charge(seats: string[]): Promise<number> {
    return 25 * seats.length;
  }

  @DBOS.workflow()
  static async purchaseTicket(eventName: string, seats: string[], eventDate: Date | string): Promise<TicketInfo> {
    const total = await DBOSTicketAuthority.charge(seats);
    await DBOS.setEvent("status", { stage: "charged" });
    const approval = await DBOS.recv("approval", { timeoutSeconds: 30 });
    await DBOS.setEvent("status", { stage: "done" });
    return {
      ticketId: DBOS.workflowID!,
      eventName,
      seats,
      eventDate: new Date(eventDate).toISOString(),
      total,
      dateType: eventDate instanceof Date ? "Date" : typeof eventDate,
      approval,
    };
  }

  @DBOS.workflow()
  static async failPurchase(seats: string[]): Promise<void> {
    await DBOSTicketAuthority.charge(seats);
    throw new SoldOutError(seats);
  }

  @DBOS.workflow()
  static async failPlain(message: string): Promise<void> {
    throw new Error(message);
  }
}

export class Interop {
  @DBOS.step()
  static async double(n: number): Promise<number> {
    return 2 * n;
  }

  @DBOS.step()
  static async explode(message: string): Promise<never> {
    throw new TypeError(message);
  }

  @DBOS.workflow()
  static async echo(value: unknown): Promise<unknown> {
    return value;
  }

  @DBOS.workflow()
  static async echoAll(...values: unknown[]): Promise<unknown[]> {
    return values;
  }

  /** Values that JSON has no form for. */
  @DBOS.workflow()
  static async rich(): Promise<unknown> {
    return {
      date: new Date("2025-05-01T12:30:00.250Z"),
      set: new Set(["a", "b"]),
      map: new Map<string, unknown>([["k", 1]]),
      bigint: 12345678901234567890n,
      missing: undefined,
      nan: NaN,
      bytes: new Uint8Array([0, 1, 255]),
      nested: [{ when: new Date("2024-02-29T00:00:00.000Z") }],
    };
  }

  /** Receives n messages and returns them; one that does not come in time is null. */
  @DBOS.workflow()
  static async collect(topic: string | null, n: number, timeoutSeconds: number): Promise<unknown[]> {
    const received: unknown[] = [];
    for (let i = 0; i < n; i++) {
      received.push(await DBOS.recv(topic ?? undefined, { timeoutSeconds }));
    }
    return received;
  }

  @DBOS.workflow()
  static async sleepy(ms: number): Promise<string> {
    await DBOS.setEvent("status", "asleep");
    await DBOS.sleep(ms);
    await DBOS.setEvent("status", "awake");
    return "slept";
  }

  @DBOS.workflow()
  static async child(n: number): Promise<number> {
    return await Interop.double(n);
  }

  @DBOS.workflow()
  static async parent(n: number): Promise<number> {
    let total = 0;
    for (let i = 1; i <= n; i++) {
      total += await Interop.double(i);
    }
    try {
      await Interop.explode("caught by the parent");
    } catch {
      total += 1000;
    }
    const handle = await DBOS.startWorkflow(Interop).child(n);
    return total + (await handle.getResult());
  }

  @DBOS.workflow()
  static async stream(n: number): Promise<number> {
    for (let i = 0; i < n; i++) {
      await DBOS.writeStream("progress", { i });
    }
    await DBOS.closeStream("progress");
    return n;
  }

  @DBOS.workflow()
  static async whoami(): Promise<unknown> {
    return {
      workflowId: DBOS.workflowID,
      user: DBOS.authenticatedUser,
      roles: DBOS.authenticatedRoles,
      version: DBOS.applicationVersion,
      executor: DBOS.executorID,
    };
  }

  /** Starts only when something is sent: the subject of cancel and resume. */
  @DBOS.workflow()
  static async gate(): Promise<unknown> {
    const before = await Interop.double(21);
    await DBOS.setEvent("status", "waiting");
    const message = await DBOS.recv("open", { timeoutSeconds: 60 });
    return { before, message };
  }
}

const namedEcho = async (value: unknown): Promise<unknown> => value;
DBOS.registerWorkflow(namedEcho, { name: "bareEcho" });

async function main(): Promise<void> {
  const systemDatabaseUrl = process.env.DBOS_SYSTEM_DATABASE_URL;
  if (!systemDatabaseUrl) {
    throw new Error("DBOS_SYSTEM_DATABASE_URL is not set");
  }
  DBOS.setConfig({
    name: process.env.APP_NAME ?? "tickets-ts",
    systemDatabaseUrl,
    executorID: process.env.EXECUTOR_ID,
    applicationVersion: process.env.APP_VERSION ?? "1",
    logLevel: process.env.LOG_LEVEL ?? "info",
  });
  await DBOS.launch();
  const minPollingIntervalMs = Number(process.env.QUEUE_POLL_MS ?? 30);
  await DBOS.registerQueue("ticketQueue", { minPollingIntervalMs });
  await DBOS.registerQueue("soloQueue", { concurrency: 1, minPollingIntervalMs });
  await DBOS.registerQueue("pairQueue", { concurrency: 2, minPollingIntervalMs });

  let stopping = false;
  const stop = async (): Promise<void> => {
    if (!stopping) {
      stopping = true;
      await DBOS.shutdown();
      process.exit(0);
    }
  };
  process.on("SIGTERM", () => void stop());
  process.on("SIGINT", () => void stop());
  if (process.env.STOP_ON_STDIN_EOF) {
    process.stdin.on("end", () => void stop()).resume();
  }
  console.log("READY");
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
