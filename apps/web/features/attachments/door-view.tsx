import type { JsonValue } from '@sotto/vault';
import { lazy, Suspense } from 'react';
import { t } from '../../shell/words.ts';
import { useApp } from '../../ui/app-context.ts';
import { Clip } from '../../ui/icons.tsx';
import { useStore } from '../../ui/use-store.ts';

/** Few messages have files: how they are drawn is fetched with the first. */
const RoomDialog = lazy(() => import('./room-view.tsx'));
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
  const { attach, temporary } = useApp();
  if (useStore(temporary).on) return null;
  return (
    <label className="icon-button attach" title={t('composer.attach')}>
      <Clip />
      <input
        autoComplete="off"
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

/** How full it is: asked for in the foot of the places. */
export function RoomButton({ onChosen }: { onChosen: () => void }) {
  const { panels } = useApp();
  return (
    <button
      type="button"
      className="quiet"
      onClick={() => {
        onChosen();
        panels.patch({ room: true });
      }}
    >
      {t('places.room')}
    </button>
  );
}

export function RoomDoor() {
  const { panels } = useApp();
  return useStore(panels).room ? (
    <Suspense fallback={null}>
      <RoomDialog onClose={() => panels.patch({ room: false })} />
    </Suspense>
  ) : null;
}
