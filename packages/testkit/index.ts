export { createManualClock, createRealClock, type ManualClock, settle } from './clock.ts';
export { createSeededRandom } from './random.ts';
export {
  createSocketPair,
  type Intercept,
  type PassingMessage,
  type SocketPair,
  type SocketSide,
} from './socket-pair.ts';
