/** Records of this device, and those of others as they were written, sealed under the newest epoch's key. */
import { encodeHex, parseHex } from '@sotto/bytes';
import type { Random } from '@sotto/ports';
import { type DeviceKeys, type OpenedRecord, type RecordContent, sealRecord } from '@sotto/vault';
import type { Keyring } from '../keyring.ts';

type Bytes = Uint8Array<ArrayBuffer>;

export interface SealingOptions {
  /** 16 bytes. */
  readonly accountId: Uint8Array;
  readonly device: DeviceKeys;
  readonly keyring: Keyring;
  readonly random: Random;
}

export class Sealing {
  readonly #options: SealingOptions;
  /** Of this device, as hex. */
  readonly deviceId: string;

  constructor(options: SealingOptions) {
    this.#options = options;
    this.deviceId = encodeHex(options.device.deviceId);
  }

  /** A write of this device. */
  recordOf(recordId: string, content: RecordContent, deviceCounter: number): OpenedRecord {
    return { recordId, deviceId: this.deviceId, deviceCounter, epoch: this.#options.keyring.epoch, content };
  }

  /** A record of another device is sealed as that device's write, which it is. */
  seal({ recordId, deviceId, deviceCounter, content }: OpenedRecord): Promise<Bytes> {
    const { keyring, accountId, random } = this.#options;
    return sealRecord({
      epochKey: keyring.epochKey,
      accountId,
      recordId: parseHex(recordId, 16),
      epoch: keyring.epoch,
      deviceId: parseHex(deviceId, 16),
      deviceCounter,
      content,
      random,
    });
  }
}
