import { encodeQR } from 'qr';
import { useMemo } from 'react';
import { w } from './words.ts';

/** White border that a reader needs, in modules. */
const QUIET = 4;

/** A link text as a QR code, black on white in every theme: what a camera reads best. */
export function QrCode({ text }: { text: string }) {
  const { path, size } = useMemo(() => {
    const rows = encodeQR(text, 'raw', { ecc: 'medium', encoding: 'byte', border: QUIET });
    const modules = rows.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])));
    return { path: modules.join(''), size: rows.length };
  }, [text]);
  return (
    <svg className="qr" role="img" aria-label={w('shown.image')} viewBox={`0 0 ${size} ${size}`}>
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" shapeRendering="crispEdges" />
    </svg>
  );
}
