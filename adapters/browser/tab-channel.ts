/** The other tabs of this site in this browser; words only, none of them secret. */
import type { TabChannel } from '@sotto/ports';

export function createTabChannel(name: string): TabChannel {
  const channel = new BroadcastChannel(`sotto/${name}`);
  return {
    post: (word) => channel.postMessage(word),
    subscribe: (listener) => {
      const hear = ({ data }: MessageEvent<unknown>) => {
        if (typeof data === 'string') listener(data);
      };
      channel.addEventListener('message', hear);
      return () => channel.removeEventListener('message', hear);
    },
  };
}
