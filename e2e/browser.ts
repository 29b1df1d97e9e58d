/** A real Chromium with a profile of its own on disk, and everything it asked for or complained about written down. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type BrowserContext, type CDPSession, chromium, type Page } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const EXECUTABLE = process.env.SOTTO_CHROMIUM ?? PLACES.find((place) => existsSync(place)) ?? 'chromium';
/** A machine that does other things meanwhile is slow; a test that passes does not wait. */
export const PATIENCE_MS = 60_000;
const FLAGS = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
];

export interface BrowserOptions {
  /** A virtual authenticator in the first tab, with or without PRF; without this there is none, as on a plain Linux. */
  readonly authenticator?: 'prf' | 'no-prf';
  readonly width?: number;
  readonly height?: number;
  readonly dark?: boolean;
  /** Runs in every page before the app's own code. */
  readonly initScript?: string;
  /** A moving picture (y4m) that the browser's camera sees, instead of none. */
  readonly camera?: string;
  /** A profile folder to use again; kept after `close`. */
  readonly folder?: string;
}

export interface Browser {
  readonly context: BrowserContext;
  readonly page: Page;
  readonly cdp: CDPSession;
  readonly folder: string;
  /** Errors on the console and uncaught ones: empty in a run where nothing is wrong. */
  readonly complaints: string[];
  /** Every address asked for, web sockets too. */
  readonly requests: string[];
  close(): Promise<void>;
}

export async function openBrowser(options: BrowserOptions = {}): Promise<Browser> {
  const folder = options.folder ?? (await mkdtemp(path.join(tmpdir(), 'sotto-profile-')));
  const context = await chromium.launchPersistentContext(folder, {
    executablePath: EXECUTABLE,
    headless: true,
    args: [...FLAGS, ...cameraFlags(options.camera)],
    chromiumSandbox: process.getuid?.() !== 0,
    viewport: { width: options.width ?? 1280, height: options.height ?? 800 },
    colorScheme: options.dark ? 'dark' : 'light',
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  context.setDefaultTimeout(PATIENCE_MS);
  if (options.initScript !== undefined) await context.addInitScript(options.initScript);
  const page = context.pages()[0] ?? (await context.newPage());
  const complaints: string[] = [];
  const requests: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(`uncaught: ${error.message}`));
  context.on('request', (request) => requests.push(request.url()));
  page.on('websocket', (socket) => requests.push(socket.url()));
  const cdp = await context.newCDPSession(page);
  if (options.authenticator !== undefined) await addAuthenticator(cdp, options.authenticator === 'prf');
  return {
    context,
    page,
    cdp,
    folder,
    complaints,
    requests,
    async close() {
      await context.close();
      if (options.folder === undefined) await removeProfile(folder);
    },
  };
}

/** A process of the browser may end a moment after it, and write until then. */
export function removeProfile(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
}

function cameraFlags(file: string | undefined): string[] {
  if (file === undefined) return [];
  const fake = ['--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream'];
  return [...fake, `--use-file-for-fake-video-capture=${file}`];
}

/** Lives in one tab, and survives the wiping of the site's data there: the same passkey on a "new" device. */
async function addAuthenticator(cdp: CDPSession, hasPrf: boolean): Promise<void> {
  await cdp.send('WebAuthn.enable');
  await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      ctap2Version: 'ctap2_1',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
      hasPrf,
      defaultBackupEligibility: true,
      defaultBackupState: true,
    },
  });
}

/** What a wiped or new device starts with: no storage, no cookies; the tab's authenticator stays. Leaves the site, which would write on. */
export async function forgetSite({ cdp, page }: Browser, origin: string): Promise<void> {
  await page.goto('about:blank');
  await cdp.send('Storage.clearDataForOrigin', { origin, storageTypes: 'all' });
}

/** Keeps a picture where SOTTO_SHOTS names a folder. */
export async function shot(page: Page, name: string): Promise<void> {
  const folder = process.env.SOTTO_SHOTS;
  if (folder === undefined) return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: path.join(folder, `${name}.png`) });
}
