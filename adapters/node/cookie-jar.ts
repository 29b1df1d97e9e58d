/**
 * Cookies of a program that is not a browser, so that the command line keeps a server session. Host-only: a cookie goes
 * back to exactly the origin that set it. The server's answers are hostile; the jar is bounded.
 */

const COOKIES_PER_ORIGIN = 16;
const COOKIE_LIMIT_CHARACTERS = 4096;

/** `ws:` and `wss:` share the cookies of `http:` and `https:`. */
function originOf(url: string): string {
  const { protocol, host } = new URL(url);
  return `${protocol === 'https:' || protocol === 'wss:' ? 'https' : 'http'}://${host}`;
}

export class CookieJar {
  readonly #byOrigin = new Map<string, Map<string, string>>();

  /** Keeps or forgets what an answer's `Set-Cookie` headers say; a cookie with `Max-Age=0` or an empty value is forgotten. */
  store(url: string, setCookieHeaders: readonly string[]): void {
    const origin = originOf(url);
    const cookies = this.#byOrigin.get(origin) ?? new Map<string, string>();
    for (const header of setCookieHeaders) {
      const match = /^([!#$%&'*+\-.^_`|~\w]+)=([^;\s]*)/.exec(header);
      const name = match?.[1];
      if (name === undefined || header.length > COOKIE_LIMIT_CHARACTERS) continue;
      const value = match?.[2] ?? '';
      if (value === '' || /;\s*max-age=0\s*(;|$)/i.test(header)) cookies.delete(name);
      else if (cookies.has(name) || cookies.size < COOKIES_PER_ORIGIN) cookies.set(name, value);
    }
    this.#byOrigin.set(origin, cookies);
  }

  /** The `Cookie` header for a request, or undefined when there is nothing to send. */
  header(url: string): string | undefined {
    const cookies = [...(this.#byOrigin.get(originOf(url)) ?? [])];
    return cookies.length === 0 ? undefined : cookies.map(([name, value]) => `${name}=${value}`).join('; ');
  }
}
