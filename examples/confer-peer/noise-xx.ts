/** Noise_XX_25519_AESGCM_SHA256, empty prologue, both roles in one straight line on node:crypto. Shares no code with packages/. */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type KeyObject,
  randomBytes,
} from 'node:crypto';

export interface KeyPair {
  secret: KeyObject;
  /** 32 bytes */
  point: Buffer;
}

/** @param raw 32 bytes; random when left out */
export function keyPair(raw: Uint8Array = randomBytes(32)): KeyPair {
  const der = Buffer.concat([Buffer.from('302e020100300506032b656e04220420', 'hex'), raw]);
  const secret = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(secret).export({ format: 'der', type: 'spki' });
  return { secret, point: spki.subarray(spki.length - 32) };
}

function agree(secret: KeyObject, point: Uint8Array): Buffer {
  const der = Buffer.concat([Buffer.from('302a300506032b656e032100', 'hex'), point]);
  return diffieHellman({ privateKey: secret, publicKey: createPublicKey({ key: der, format: 'der', type: 'spki' }) });
}

function nonceOf(counter: number): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeBigUInt64BE(BigInt(counter), 4);
  return nonce;
}

export function seal(key: Uint8Array, counter: number, plaintext: Uint8Array, ad: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonceOf(counter));
  cipher.setAAD(ad);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

export function open(key: Uint8Array, counter: number, sealed: Uint8Array, ad: Uint8Array): Buffer {
  if (sealed.length < 16) throw new Error('too short for a tag');
  const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(counter));
  decipher.setAAD(ad);
  decipher.setAuthTag(sealed.subarray(sealed.length - 16));
  return Buffer.concat([decipher.update(sealed.subarray(0, sealed.length - 16)), decipher.final()]);
}

const NONE = Buffer.alloc(0);
const mac = (key: Uint8Array, ...parts: Uint8Array[]) =>
  createHmac('sha256', key).update(Buffer.concat(parts)).digest();

/** The hash, the chaining key and the cipher key, as the messages change them. */
class Symmetric {
  h: Buffer;
  ck: Buffer;
  k: Buffer = NONE;
  n = 0;
  constructor() {
    const name = Buffer.from('Noise_XX_25519_AESGCM_SHA256');
    this.h = Buffer.concat([name, Buffer.alloc(32 - name.length)]);
    this.ck = this.h;
    this.absorb(NONE);
  }
  absorb(data: Uint8Array): void {
    this.h = createHash('sha256').update(this.h).update(data).digest();
  }
  mix(secret: Uint8Array): void {
    const temporary = mac(this.ck, secret);
    this.ck = mac(temporary, Buffer.of(1));
    this.k = mac(temporary, this.ck, Buffer.of(2));
    this.n = 0;
  }
  lock(plaintext: Uint8Array): Buffer {
    const sealed = seal(this.k, this.n++, plaintext, this.h);
    this.absorb(sealed);
    return sealed;
  }
  unlock(sealed: Uint8Array): Buffer {
    const plaintext = open(this.k, this.n++, sealed, this.h);
    this.absorb(sealed);
    return plaintext;
  }
  split(): [Buffer, Buffer] {
    const temporary = mac(this.ck, NONE);
    const first = mac(temporary, Buffer.of(1));
    return [first, mac(temporary, first, Buffer.of(2))];
  }
}

/** What is sealed and opened after the handshake, with a counter a direction. */
export class Pipe {
  sent = 0;
  received = 0;
  readonly sending: Buffer;
  readonly receiving: Buffer;
  constructor(sending: Buffer, receiving: Buffer) {
    this.sending = sending;
    this.receiving = receiving;
  }
  seal(plaintext: Uint8Array): Buffer {
    return seal(this.sending, this.sent++, plaintext, NONE);
  }
  open(sealed: Uint8Array): Buffer {
    return open(this.receiving, this.received++, sealed, NONE);
  }
}

/** Client: call `first`, give the answer to `second`, send what `third` returns. */
export class Client {
  readonly state = new Symmetric();
  readonly e: KeyPair;
  readonly s: KeyPair;
  re: Buffer = NONE;
  constructor(e = keyPair(), s = keyPair()) {
    this.e = e;
    this.s = s;
  }
  first(): Buffer {
    this.state.absorb(this.e.point);
    this.state.absorb(NONE);
    return this.e.point;
  }
  second(message: Uint8Array): { serverKey: Buffer; evidence: Buffer } {
    this.re = Buffer.from(message.subarray(0, 32));
    this.state.absorb(this.re);
    this.state.mix(agree(this.e.secret, this.re));
    const serverKey = this.state.unlock(message.subarray(32, 80));
    this.state.mix(agree(this.e.secret, serverKey));
    return { serverKey, evidence: this.state.unlock(message.subarray(80)) };
  }
  third(): { message: Buffer; pipe: Pipe } {
    const sealedKey = this.state.lock(this.s.point);
    this.state.mix(agree(this.s.secret, this.re));
    const message = Buffer.concat([sealedKey, this.state.lock(NONE)]);
    const [up, down] = this.state.split();
    return { message, pipe: new Pipe(up, down) };
  }
}

/** Server: give message 1 to `answer`, send what it returns, give message 3 to `finish`. */
export class Server {
  readonly state = new Symmetric();
  readonly e: KeyPair;
  readonly s: KeyPair;
  constructor(s: KeyPair, e = keyPair()) {
    this.e = e;
    this.s = s;
  }
  answer(message: Uint8Array, evidence: Uint8Array): Buffer {
    if (message.length !== 32) throw new Error('message 1 is 32 bytes');
    this.state.absorb(message);
    this.state.absorb(NONE);
    this.state.absorb(this.e.point);
    this.state.mix(agree(this.e.secret, message));
    const sealedKey = this.state.lock(this.s.point);
    this.state.mix(agree(this.s.secret, message));
    return Buffer.concat([this.e.point, sealedKey, this.state.lock(evidence)]);
  }
  finish(message: Uint8Array): { clientKey: Buffer; pipe: Pipe } {
    if (message.length !== 64) throw new Error('message 3 is 64 bytes');
    const clientKey = this.state.unlock(message.subarray(0, 48));
    this.state.mix(agree(this.e.secret, clientKey));
    this.state.unlock(message.subarray(48));
    const [up, down] = this.state.split();
    return { clientKey, pipe: new Pipe(down, up) };
  }
}
