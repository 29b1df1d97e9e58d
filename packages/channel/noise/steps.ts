/**
 * The Noise core is written once, as generators that yield what they need computed; a runner computes it. Node's
 * primitives answer at once (`runSync`), a browser's later (`runAsync`).
 */
import type { Awaitable, Primitives } from '@sotto/crypto/primitives';

/** One thing to compute. */
export type Request = (primitives: Primitives) => Awaitable<unknown>;

/** A computation that yields requests and gets their answers. */
export type Steps<Value> = Generator<Request, Value, unknown>;

/** Yields one request and returns its answer with its type. */
export function* ask<Value>(request: (primitives: Primitives) => Awaitable<Value>): Steps<Value> {
  return (yield request) as Value;
}

/** @throws TypeError when a primitive answers later */
export function runSync<Value>(steps: Steps<Value>, primitives: Primitives): Value {
  let step = steps.next();
  while (!step.done) {
    const answer = step.value(primitives);
    if (answer instanceof Promise) throw new TypeError('an asynchronous primitive in a synchronous run');
    step = steps.next(answer);
  }
  return step.value;
}

export async function runAsync<Value>(steps: Steps<Value>, primitives: Primitives): Promise<Value> {
  let step = steps.next();
  while (!step.done) step = steps.next(await step.value(primitives));
  return step.value;
}

/** Chooses the runner by how the primitives answer. */
export function run<Value>(steps: Steps<Value>, primitives: Primitives): Awaitable<Value> {
  return primitives.answers === 'at-once' ? runSync(steps, primitives) : runAsync(steps, primitives);
}
