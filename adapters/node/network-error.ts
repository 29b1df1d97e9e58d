/** What a failed connection looks like to the packages: one code, whatever the operating system called it. */
import { SottoError } from '@sotto/bytes';

export type NetworkErrorCode = 'network-unreachable' | 'network-answer-too-large';

export class NetworkError extends SottoError<NetworkErrorCode> {
  constructor(code: NetworkErrorCode, message: string, cause?: unknown) {
    super(code, message, { action: 'retry', ...(cause === undefined ? {} : { cause }) });
  }
}
