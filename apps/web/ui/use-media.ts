import { useSyncExternalStore } from 'react';

/** Whether a media query matches now. */
export function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (listener) => {
      const list = matchMedia(query);
      list.addEventListener('change', listener);
      return () => list.removeEventListener('change', listener);
    },
    () => matchMedia(query).matches,
  );
}

/** One column: places and proof become sheets. */
export const NARROW = '(max-width: 899px)';
/** Two columns: the proof lies over the conversation. */
export const MIDDLE = '(max-width: 1199px)';
