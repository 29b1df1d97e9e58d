import { t } from '../../shell/words.ts';
import { Dialog } from '../../ui/dialog.tsx';

const KEYS = [
  ['Enter', 'help.send'],
  ['Shift + Enter', 'help.newline'],
  ['↑', 'help.editLast'],
  ['Esc', 'help.stop'],
  ['Ctrl + Shift + O', 'help.newChat'],
  ['Ctrl + K', 'help.search'],
  ['Ctrl + Shift + L', 'help.lock'],
  ['?', 'help.help'],
] as const;

/** The keys, on one sheet. */
export function HelpSheet({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title={t('help.title')} onClose={onClose}>
      <dl className="keys">
        {KEYS.map(([key, words]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{t(words)}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
