/** A native modal `<dialog>`: focus stays inside, Esc closes, focus returns to where it was. */
import { type ReactNode, useEffect, useId, useRef } from 'react';
import { t } from '../shell/words.ts';
import { Cross } from './icons.tsx';

export interface DialogProps {
  readonly title: string;
  readonly kind?: 'dialog' | 'sheet-left' | 'sheet-right';
  readonly onClose: () => void;
  /** False while something runs that must not be left half-way. */
  readonly dismissible?: boolean;
  readonly children: ReactNode;
}

export function Dialog({ title, kind = 'dialog', onClose, dismissible = true, children }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const titleId = useId();

  useEffect(() => {
    const dialog = ref.current;
    if (dialog !== null && !dialog.open) dialog.showModal();
    return () => dialog?.close();
  }, []);

  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Esc is the key; the browser turns it into `cancel`
    <dialog
      ref={ref}
      className={kind}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        if (dismissible) onClose();
      }}
      onClick={(event) => {
        if (dismissible && event.target === ref.current) onClose();
      }}
    >
      <div className="dialog-body">
        <header className="dialog-head">
          <h2 id={titleId} className="voice">
            {title}
          </h2>
          {dismissible && (
            <button type="button" className="icon-button" aria-label={t('app.close')} onClick={onClose}>
              <Cross />
            </button>
          )}
        </header>
        {children}
      </div>
    </dialog>
  );
}
