/** Everything the channel can refuse, and how (spec/channel.md, errors). Messages are constant: no key, no byte of a peer. */
import { type ErrorAction, SottoError } from '@sotto/bytes';

const ERRORS = {
  // Handshake
  'handshake-malformed': ['stop', 'a handshake message is not what the protocol says'],
  'handshake-failed': ['stop', 'the handshake could not be authenticated'],
  'handshake-timeout': ['retry', 'the handshake took too long'],
  'low-order-point': ['stop', 'the peer sent a key that would give away the secret'],
  'kem-key-not-canonical': ['stop', 'the peer sent an encapsulation key that is not canonical'],
  // The unverified channel
  'peer-mismatch': ['stop', 'the machine at the other end is not the one that was verified'],
  'evidence-mismatch': ['stop', 'the evidence is not the one that the handshake named'],
  'evidence-too-large': ['stop', 'the evidence is longer than the limit'],
  'not-verified': ['stop', 'a stream other than the evidence was opened before verification'],
  'verification-timeout': ['retry', 'the channel was not verified in time'],
  // Records and frames
  'record-malformed': ['stop', 'a record has a length that no record has'],
  'record-forged': ['stop', 'a record was altered, repeated, lost or reordered'],
  'frame-malformed': ['stop', 'a frame breaks its format'],
  'frame-unknown': ['update', 'a frame of an unknown kind'],
  'frame-misplaced': ['stop', 'a frame that this side may not send now'],
  'flow-control': ['stop', 'the peer sent more than it was granted'],
  flood: ['stop', 'the peer sends far more frames and records than it has to say'],
  'rekey-missing': ['stop', 'the peer kept a key longer than it may'],
  backlog: ['retry', 'too much waits to be sent or opened'],
  // The session's end
  'session-closed': ['retry', 'the session has been closed'],
  'session-truncated': ['retry', 'the connection was lost'],
  'session-idle': ['retry', 'the other end is silent'],
  'session-expired': ['retry', 'the session was not renewed in time'],
  'node-leaving': ['retry', 'the other end is stopping and takes no new request'],
  'session-exhausted': ['retry', 'the session has carried as many records as it may'],
  // One stream
  'stream-truncated': ['retry', 'the connection was lost before the end of the stream'],
  'stream-reset': ['retry', 'the other end gave up this stream'],
  'stream-cancelled': ['retry', 'the stream was cancelled'],
  'renewal-running': ['fix-input', 'a renewal of the session is under way'],
  'stream-closed': ['fix-input', 'the stream has already ended'],
  'too-many-streams': ['retry', 'too many streams are open'],
  'head-too-long': ['fix-input', 'a head is longer than its limit'],
} as const satisfies Record<string, readonly [ErrorAction, string]>;

export type ChannelErrorCode = keyof typeof ERRORS;

/** Why the other end gave up a stream; its number travels in the `error` frame. */
export const RESET_CODES = {
  internal: 1,
  'too-many-streams': 2,
  'malformed-request': 3,
  busy: 4,
  'too-large': 5,
  'engine-failed': 6,
} as const;

export type ResetCode = keyof typeof RESET_CODES;

export class ChannelError extends SottoError<ChannelErrorCode> {
  /** With `stream-reset`: what the other end said. */
  readonly reset: ResetCode | undefined;

  /** @param options.cause with `stream-truncated`: what ended the session that carried the stream */
  constructor(code: ChannelErrorCode, options: { rule?: string; reset?: ResetCode; cause?: ChannelError } = {}) {
    const { reset, ...details } = options;
    const [action, message] = ERRORS[code];
    super(code, message, { action, ...details });
    this.reset = reset;
  }
}

/** Why timers stop. One for all: an error of each session's own would keep a stack trace for as long as the session. */
export const SESSION_CLOSED = new ChannelError('session-closed');
