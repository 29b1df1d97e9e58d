/** The headers of every answer. The page may run our own files only, talk to this server only, and be framed by nobody. */
import type { Site } from './site.ts';

const PERMISSIONS = [
  'publickey-credentials-create=(self)',
  'publickey-credentials-get=(self)',
  'clipboard-write=(self)',
  ...[
    'accelerometer',
    'browsing-topics',
    'camera',
    'clipboard-read',
    'display-capture',
    'geolocation',
    'gyroscope',
  ].map((feature) => `${feature}=()`),
  ...['microphone', 'midi', 'payment', 'screen-wake-lock', 'serial', 'usb', 'xr-spatial-tracking'].map(
    (feature) => `${feature}=()`,
  ),
].join(', ');

/** @param site undefined for the page that says why this address is not served */
export function securityHeaders(site: Site | undefined): Readonly<Record<string, string>> {
  const webSocketOrigin = site?.origin.replace(/^http/, 'ws');
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    `connect-src ${site === undefined ? "'none'" : `'self' ${webSocketOrigin}`}`,
    "manifest-src 'self'",
    "font-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
  return {
    'content-security-policy': policy,
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
    'cross-origin-resource-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'permissions-policy': PERMISSIONS,
    // Not for localhost: the browser would then refuse plain http on every port of this machine.
    ...(site?.secure && site.rpId !== 'localhost' ? { 'strict-transport-security': 'max-age=31536000' } : {}),
  };
}
