/**
 * What a device signs to sign its account in (spec/server.md "Devices"): bound to a label, the account, the server's origin and
 * a challenge of the server, so that no other signature of the device, and none given to another server, passes for it.
 */
import { ByteWriter, encodeUtf8 } from '@sotto/bytes';
import { answerShape, base64Shape, hexShape, requestShape, type ShapeOf } from './shape.ts';

const LABEL = encodeUtf8('sotto/device-sign-in/v1');
const publicKey = base64Shape(32, 32);

/** `POST /api/devices`: a device of the account that is signed in. */
export const parseDeviceRequest = requestShape({ publicKey, record: base64Shape(1, 4 * 1024) });
export type DeviceRequest = ShapeOf<typeof parseDeviceRequest>;

/** The answer of `POST /api/sign-in/device/options` */
export const parseDeviceOptionsAnswer = answerShape({ challenge: base64Shape(32, 32) });
export type DeviceOptionsAnswer = ShapeOf<typeof parseDeviceOptionsAnswer>;

/** `POST /api/sign-in/device` */
export const parseDeviceSignInRequest = requestShape({
  accountId: hexShape(16),
  publicKey,
  challenge: base64Shape(32, 32),
  signature: base64Shape(64, 64),
});
export type DeviceSignInRequest = ShapeOf<typeof parseDeviceSignInRequest>;

/**
 * @param accountId 16 bytes
 * @param origin of the server, as a browser spells it
 * @param challenge 32 bytes of the server
 */
export function deviceSignInMessage(
  accountId: Uint8Array,
  origin: string,
  challenge: Uint8Array,
): Uint8Array<ArrayBuffer> {
  return new ByteWriter().vector16(LABEL).raw(accountId).vector16(encodeUtf8(origin)).raw(challenge).finish();
}
