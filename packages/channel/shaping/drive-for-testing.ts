/** A pacer in virtual time. */
import type { Pacer } from './pacer.ts';

export interface Sent {
  readonly atMs: number;
  readonly bytes: number;
}

/** Plays the part of `Outgoing`: asks after every change, sends when it is due, `lateMs` after that. */
export function drive(pacer: Pacer, startMs = 0) {
  const sent: Sent[] = [];
  const world = {
    sent,
    nowMs: startMs,
    bytes: 0,
    promptBytes: 0,
    lateMs: 0,
    /** Lets everything leave that is due until then. */
    until(untilMs: number) {
      for (;;) {
        const next = pacer.next(world.nowMs, world);
        const atMs = next === undefined ? Number.POSITIVE_INFINITY : Math.max(world.nowMs, next.atMs + world.lateMs);
        if (next === undefined || atMs > untilMs) break;
        world.nowMs = atMs;
        const { sizeBytes } = pacer.next(atMs, world) ?? next;
        pacer.sent(atMs, sizeBytes);
        sent.push({ atMs, bytes: sizeBytes });
        world.bytes = Math.max(0, world.bytes - sizeBytes);
        world.promptBytes = 0;
      }
      world.nowMs = untilMs;
    },
    times: () => sent.map(({ atMs }) => atMs),
    sizes: () => sent.map(({ bytes }) => bytes),
  };
  return world;
}
