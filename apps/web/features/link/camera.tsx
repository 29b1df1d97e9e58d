import { useEffect, useRef, useState } from 'react';
import { w } from './words.ts';

const LOOK_EVERY_MS = 150;

interface Detector {
  detect(image: HTMLVideoElement): Promise<readonly { readonly rawValue: string }[]>;
}

/** Reads QR codes with the browser's own reader where it has one (no Chromium on Linux), else with ours. */
async function createDetector(): Promise<Detector> {
  const { BarcodeDetector: Own } = globalThis as { BarcodeDetector?: new (options: object) => Detector };
  const options = { formats: ['qr_code' as const] };
  if (Own !== undefined) return new Own(options);
  const { BarcodeDetector } = await import('qr/decode.js');
  return new BarcodeDetector(options);
}

/** The camera's picture until it shows a QR code. @param onText called with what every code says; the caller judges it */
export function Camera({ onText }: { onText: (text: string) => void }) {
  const video = useRef<HTMLVideoElement>(null);
  const [hasFailed, setFailed] = useState(false);
  const heard = useRef(onText);
  heard.current = onText;

  useEffect(() => {
    let stream: MediaStream | undefined;
    let isOver = false;
    const look = async () => {
      const detector = await createDetector();
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
      const { current } = video;
      if (isOver || current === null) return;
      current.srcObject = stream;
      await current.play();
      while (!isOver) {
        const [found] = await detector.detect(current);
        if (found !== undefined && !isOver) heard.current(found.rawValue);
        await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
      }
    };
    const end = () => {
      for (const track of stream?.getTracks() ?? []) track.stop();
    };
    look()
      .catch(() => setFailed(true))
      .finally(() => {
        if (isOver) end();
      });
    return () => {
      isOver = true;
      end();
    };
  }, []);

  if (hasFailed) return <p role="status">{w('reading.noCamera')}</p>;
  return (
    <>
      <p role="status">{w('reading.looking')}</p>
      <video ref={video} className="camera" muted playsInline />
    </>
  );
}
