/** The few drawings of the app. They are decoration: the word beside them, or the button's label, says it. */
import type { ReactNode } from 'react';

function Icon({ children, size = 16 }: { children: ReactNode; size?: number }) {
  return (
    <svg
      className="icon"
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      {children}
    </svg>
  );
}

export const ArrowUp = () => (
  <Icon>
    <path d="M8 13V3M3.5 7.5 8 3l4.5 4.5" />
  </Icon>
);
export const Clip = () => (
  <Icon>
    <path d="M13 7.5 8 12.5a3 3 0 0 1-4.5-4.5l5.5-5.3a2 2 0 0 1 3 3L6.8 10.8a1 1 0 0 1-1.5-1.4L9.8 5" />
  </Icon>
);
export const ArrowDown = () => (
  <Icon>
    <path d="M8 3v10M3.5 8.5 8 13l4.5-4.5" />
  </Icon>
);
export const Square = () => (
  <Icon>
    <rect x="4" y="4" width="8" height="8" rx="1.5" fill="currentColor" stroke="none" />
  </Icon>
);
export const Cross = () => (
  <Icon>
    <path d="m4 4 8 8M12 4l-8 8" />
  </Icon>
);
export const Menu = () => (
  <Icon>
    <path d="M2.5 4.5h11M2.5 8h11M2.5 11.5h11" />
  </Icon>
);
export const Dots = () => (
  <Icon>
    <path d="M3.5 8h.01M8 8h.01M12.5 8h.01" strokeWidth="2" />
  </Icon>
);
export const Left = () => (
  <Icon>
    <path d="M10 3.5 5.5 8l4.5 4.5" />
  </Icon>
);
export const Right = () => (
  <Icon>
    <path d="M6 3.5 10.5 8 6 12.5" />
  </Icon>
);

/** A seal with a tick: proved. */
export const Seal = () => (
  <Icon>
    <circle cx="8" cy="8" r="6.75" />
    <path d="m5.25 8.25 2 2 3.5-4" />
  </Icon>
);
/** A hatched ring: a development machine. */
export const HatchedRing = () => (
  <Icon>
    <circle cx="8" cy="8" r="6.25" strokeWidth="2" strokeDasharray="2.2 1.72" strokeLinecap="butt" />
    <path d="M8 5v3.5M8 11h.01" />
  </Icon>
);
/** A bar: stopped. */
export const Bar = () => (
  <Icon>
    <circle cx="8" cy="8" r="6.75" />
    <path d="M4.5 8h7" strokeWidth="2.5" strokeLinecap="butt" />
  </Icon>
);
/** An open ring: not known yet. */
export const OpenRing = () => (
  <Icon>
    <path d="M8 1.25A6.75 6.75 0 1 1 1.25 8" />
  </Icon>
);
export const Tick = () => (
  <Icon>
    <path d="m3 8.5 3.5 3.5L13 4.5" />
  </Icon>
);
