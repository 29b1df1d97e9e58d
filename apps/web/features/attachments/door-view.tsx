import type { JsonValue } from '@sotto/vault';
import { lazy, Suspense } from 'react';
import { t } from '../../shell/words.ts';
import { useApp } from '../../ui/app-context.ts';
import { Clip } from '../../ui/icons.tsx';
import { useStore } from '../../ui/use-store.ts';

/** Few messages have files: how they are drawn is fetched with the first. */
const Chips = lazy(() => import('./chips.tsx'));
const FileList = lazy(() => import('./message-files.tsx'));

export function AttachChips() {
  const { attach } = useApp();
  const { model } = useStore(attach.state);
  return model === undefined ? null : (
    <Suspense fallback={null}>
      <Chips model={model} />
    </Suspense>
  );
}

export function AttachButton() {
  const { attach } = useApp();
  return (
    <label className="icon-button attach" title={t('composer.attach')}>
      <Clip />
      <input
        type="file"
        className="hidden"
        multiple
        aria-label={t('composer.attach')}
        onChange={(event) => {
          void attach.add([...(event.target.files ?? [])]);
          event.target.value = '';
        }}
      />
    </label>
  );
}

/** What goes with a message. */
export function MessageFiles({ files }: { files: JsonValue | undefined }) {
  return files === undefined ? null : (
    <Suspense fallback={null}>
      <FileList files={files} />
    </Suspense>
  );
}
