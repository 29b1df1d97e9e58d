import { useEffect, useState } from 'react';
import { t } from '../../shell/words.ts';
import { useApp } from '../../ui/app-context.ts';

/** Copies a text and says so for a moment. */
export function CopyButton({ text, label = t('chat.copy') }: { text: string; label?: string }) {
  const { page } = useApp();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 1600);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <button
      type="button"
      className="quiet"
      onClick={() =>
        void page.copy(text).then(
          () => setCopied(true),
          () => {},
        )
      }
    >
      {copied ? t('chat.copied') : label}
    </button>
  );
}
