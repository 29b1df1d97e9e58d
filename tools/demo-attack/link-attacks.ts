/** What an operator can try with the mailbox over which two devices of a person are linked. */
import { randomBytes } from 'node:crypto';
import type { Attack, Mounted } from './attacks.ts';
import type { EvilOperator } from './evil-operator.ts';

const SLOT = /^\/api\/links\/[0-9a-f]{32}\/(\d)$/;

export const LINK_ATTACKS: readonly Attack[] = [
  {
    name: 'link-answered',
    tried: 'answer a new device in place of the open one, without the secret of the QR code',
    task: 'link-by-secret',
    refusedBy: 'CL-351',
    checkIn: 'packages/client/link/handshake.ts',
    mount: async ({ operator }) => onSlot(operator, 1, (message) => randomBytes(message.length)),
  },
  {
    name: 'link-request-replaced',
    tried: 'hand the open device another device’s request, to have that one let in',
    task: 'link-by-secret',
    refusedBy: 'CL-352',
    mount: async ({ operator }) => onSlot(operator, 3, (message) => randomBytes(message.length)),
  },
  {
    name: 'link-digits-steered',
    tried: 'choose the open device’s answer anew after the new one has shown its number, to make six digits fit',
    task: 'link-by-digits',
    refusedBy: 'CL-354',
    mount: async ({ operator }) =>
      onSlot(operator, 3, (message) => Buffer.concat([randomBytes(32), message.subarray(32)])),
  },
];

/** Changes what is fetched from one slot. */
function onSlot(operator: EvilOperator, slot: number, change: (message: Buffer) => Buffer): Mounted {
  operator.hooks = {
    onAnswer: (method, path, answer) => {
      if (method !== 'GET' || SLOT.exec(path)?.[1] !== String(slot) || answer.body.length === 0) return;
      answer.body = change(answer.body);
    },
  };
  return {};
}
