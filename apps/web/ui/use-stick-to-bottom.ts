/** Keeps a scroller at its end while the reader is there, and leaves it alone when they scrolled away. */
import { type RefObject, useCallback, useEffect, useRef, useState } from 'react';

/** How far from the end still counts as being there. */
const NEAR_PX = 48;

export interface Sticky {
  readonly scroller: RefObject<HTMLDivElement | null>;
  readonly content: RefObject<HTMLDivElement | null>;
  /** False while the reader is somewhere above. */
  readonly atEnd: boolean;
  toEnd(): void;
}

/** @param subject changes when another chat is shown, which starts at its end */
export function useStickToBottom(subject: unknown): Sticky {
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const stuck = useRef(true);
  const [atEnd, setAtEnd] = useState(true);

  const toEnd = useCallback(() => {
    const box = scroller.current;
    if (box === null) return;
    stuck.current = true;
    setAtEnd(true);
    box.scrollTop = box.scrollHeight;
  }, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: runs anew for each subject
  useEffect(() => {
    toEnd();
    const box = scroller.current;
    const inner = content.current;
    if (box === null || inner === null) return;
    let lastTop = box.scrollTop;
    const onScroll = () => {
      const distance = box.scrollHeight - box.scrollTop - box.clientHeight;
      // Only a move upwards lets go: growing content also raises the distance.
      if (distance <= NEAR_PX) stuck.current = true;
      else if (box.scrollTop < lastTop - 1) stuck.current = false;
      lastTop = box.scrollTop;
      setAtEnd(stuck.current || distance <= NEAR_PX);
    };
    const grown = new ResizeObserver(() => {
      if (stuck.current) box.scrollTop = box.scrollHeight;
      else onScroll();
    });
    grown.observe(inner);
    grown.observe(box);
    box.addEventListener('scroll', onScroll, { passive: true });
    return () => {
      grown.disconnect();
      box.removeEventListener('scroll', onScroll);
    };
  }, [subject, toEnd]);

  return { scroller, content, atEnd, toEnd };
}
