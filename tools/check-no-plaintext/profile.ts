/** A Chromium profile on disk, by what the browser keeps where. Every file is in one of the media; none is left out. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Places } from './places.ts';

/** Beginnings of paths in the profile, and what lies there. The first that fits counts. */
const MEDIA: readonly (readonly [prefix: string, medium: string])[] = [
  ['Default/Local Storage', 'localStorage'],
  ['Default/Session Storage', 'sessionStorage'],
  ['Default/IndexedDB', 'IndexedDB'],
  ['Default/Service Worker/CacheStorage', 'Cache storage'],
  ['Default/Service Worker', 'service worker'],
  ['Default/File System', 'private files'],
  ['Default/WebStorage', 'private files'],
  ['Default/Sessions', 'session restore'],
  ['Default/History', 'history'],
  ['segmentation_platform', 'history'],
  ['Default/Cache', 'http cache'],
  ['Default/Code Cache', 'http cache'],
  ['', 'everything else'],
];

export const PROFILE_MEDIA: readonly string[] = [...new Set(MEDIA.map(([, medium]) => medium))];

/** Adds every byte of a closed profile, and every name, as places `NAME: MEDIUM`. */
export function addProfile(places: Places, name: string, folder: string): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    const within = path.relative(folder, file);
    const medium = MEDIA.find(([prefix]) => within.startsWith(prefix))?.[1] ?? '';
    places.add(`${name}: ${medium}`, `${entry.name}\n`);
    if (entry.isFile()) places.add(`${name}: ${medium}`, readFileSync(file));
  }
}
