/** The headers of every answer. The page may run our own files only, talk to this server only, and be framed by nobody. */
import type { Site } from './site.ts';

const PERMISSIONS = [
  'publickey-credentials-create=(self)',
  'publickey-credentials-get=(self)',
  'clipboard-write=(self)',
  // To read the QR code of another device of the person's.
  'camera=(self)',
  ...['accelerometer', 'browsing-topics', 'clipboard-read', 'display-capture', 'geolocation', 'gyroscope'].map(
    (feature) => `${feature}=()`,
  ),
  ...['microphone', 'midi', 'payment', 'screen-wake-lock', 'serial', 'usb', 'xr-spatial-tracking'].map(
    (feature) => `${feature}=()`,
  ),
].join(', ');

/**
 * The one file that may compile WebAssembly: the worker in which a passphrase is stretched. It asks for nothing, and nobody
 * can frame it; the page that starts it may not do what it may.
 */
const WASM_WORKER = /^\/assets\/argon2-worker-[\w-]{8}\.js$/;
const WASM_WORKER_POLICY = "default-src 'none'; script-src 'wasm-unsafe-eval'; frame-ancestors 'none'";

/** The worker of the search knows the key of what the device keeps, and every word: it may ask nobody for anything (CL-259). */
const SEARCH_WORKER = /^\/assets\/search-worker-[\w-]{8}\.js$/;
const SEARCH_WORKER_POLICY = "default-src 'none'; frame-ancestors 'none'";

/**
 * @param site undefined for the page that says why this address is not served
 * @param path of the request
 */
export function securityHeaders(site: Site | undefined, path: string): Readonly<Record<string, string>> {
  return {
    'content-security-policy': policyOf(site, path),
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

function policyOf(site: Site | undefined, path: string): string {
  if (SEARCH_WORKER.test(path)) return SEARCH_WORKER_POLICY;
  return WASM_WORKER.test(path) ? WASM_WORKER_POLICY : pagePolicy(site);
}

function pagePolicy(site: Site | undefined): string {
  const webSocketOrigin = site?.origin.replace(/^http/, 'ws');
  return [
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
    // The one policy turns addresses of this server's own workers into what the browser starts (adapters/browser/worker.ts).
    'trusted-types sotto-worker',
  ].join('; ');
}
