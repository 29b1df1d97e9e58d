/** Opens the person's browser, only where there is a screen and a person: a terminal, a display, no CI. */
import { spawn } from 'node:child_process';

/** @returns whether an attempt was made */
export function openBrowser(url: string, env: NodeJS.ProcessEnv, isTerminal: boolean): boolean {
  const hasDisplay = process.platform !== 'linux' || Boolean(env.DISPLAY || env.WAYLAND_DISPLAY);
  if (!isTerminal || !hasDisplay || env.CI !== undefined) return false;
  const command = process.platform === 'darwin' ? 'open' : 'xdg-open';
  const child = spawn(command, [url], { stdio: 'ignore', detached: true });
  child.on('error', () => {});
  child.unref();
  return true;
}
