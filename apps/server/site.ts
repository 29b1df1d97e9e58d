/**
 * Which addresses this server answers at. A browser grants passkeys and secure storage to `localhost` and to TLS only, and
 * a foreign host name over plain http is how DNS rebinding reaches a server on loopback. spec/server.md §hosts.
 */
import type { Socket } from 'node:net';
import { checkServerIdentity, type PeerCertificate, type TLSSocket } from 'node:tls';

/** One address that is served. */
export interface Site {
  readonly origin: string;
  /** WebAuthn's relying party: the exact host name. */
  readonly rpId: string;
  readonly secure: boolean;
  readonly cookieName: string;
}

/** @returns the site that a request's Host header names, or undefined when it is not served there */
export type SiteOf = (hostHeader: string | undefined, socket: Socket | undefined) => Site | undefined;

/** Over plain http, `localhost` on the server's own port is the one address. @param port read at each call: it is known only after listening */
export function plainSites(port: () => number): SiteOf {
  return (hostHeader) => {
    const host = port() === 80 ? 'localhost' : `localhost:${port()}`;
    // SV-01: any other name over plain http is a rebinding attack, or a page where passkeys cannot work.
    if (hostHeader !== host) return undefined;
    return { origin: `http://${host}`, rpId: 'localhost', secure: false, cookieName: `sotto-${port()}` };
  };
}

/** Over TLS, the names that the server's certificate holds. */
export function tlsSites(): SiteOf {
  return (hostHeader, socket) => {
    const match = /^([a-z0-9.-]{1,253})(:\d{1,5})?$/.exec(hostHeader ?? '');
    const certificate = (socket as Partial<TLSSocket> | undefined)?.getCertificate?.();
    if (match?.[1] === undefined || certificate === undefined || certificate === null) return undefined;
    // SV-01: a name outside the certificate is one that the browser did not check.
    if (checkServerIdentity(match[1], certificate as PeerCertificate) !== undefined) return undefined;
    return { origin: `https://${match[0]}`, rpId: match[1], secure: true, cookieName: '__Host-sotto' };
  };
}

/** What a person sees who opened an address that is not served. */
export function wrongHostPage(localhostUrl: string | undefined): string {
  const remedy =
    localhostUrl === undefined
      ? '<p>Open the name that is in the server’s certificate.</p>'
      : `<p>On this computer, open <a href="${localhostUrl}">${localhostUrl}</a>, exactly as the terminal printed it.</p>
<p>From another computer, start Sotto with a certificate: <code>--host 0.0.0.0 --cert FILE --key FILE</code>.</p>`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>Sotto: open it at another address</title>
<h1>Sotto does not open at this address</h1>
<p>Passkeys and encrypted storage work only over TLS or at <code>localhost</code>; browsers refuse them at a number such as
127.0.0.1 and at any other name over plain http.</p>
${remedy}
</html>
`;
}
