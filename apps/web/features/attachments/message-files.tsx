import { type Attachment, parseAttachments } from '@sotto/client/attachments';
import type { JsonValue } from '@sotto/vault';
import { useEffect, useMemo, useState } from 'react';
import { useApp } from '../../ui/app-context.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { useStore } from '../../ui/use-store.ts';
import './files.css';
import type { Files } from './files.ts';
import { kindOf } from './kinds.ts';
import { shownPicture, thumbnailAddress } from './picture.ts';
import { fetchWhole } from './save.ts';
import { reasonOf, sizeWords, w } from './words.ts';

/** The files that go with one message. Nothing of them is shown but names, sizes and pictures that were redrawn here. */
export default function FileList({ files }: { files: JsonValue }) {
  const list = useMemo(() => parseAttachments(files), [files]);
  const open = useFiles();
  if (list.length === 0) return null;
  return (
    <ul className="files" aria-label={w('files.label')}>
      {list.map((attachment) => (
        <FileView key={attachment.blobId} attachment={attachment} files={open} />
      ))}
    </ul>
  );
}

function FileView({ attachment, files }: { attachment: Attachment; files: Files | undefined }) {
  const { chat, page, files: open } = useApp();
  const { conversationId = '' } = useStore(chat.state);
  const [step, setStep] = useState<string | undefined>();
  const [picture, setPicture] = useState<string | undefined>();
  const { name, bytes, thumbnail } = attachment;
  const way = useTransfer(files, attachment.blobId);
  const attempt = async (work: (files: Files) => Promise<void>) => {
    try {
      await work(await open());
      setStep(undefined);
    } catch (cause) {
      setStep(w('files.failed', { reason: reasonOf(cause) }));
    }
  };
  const onProgress = (percent: number) => setStep(w('files.saving', { percent }));
  const save = () =>
    attempt(async ({ attachments }) => {
      page.download(name, await fetchWhole(attachments.open(attachment, conversationId), bytes, onProgress));
    });
  const show = () =>
    attempt(async ({ attachments }) =>
      setPicture(await shownPicture(await attachments.read(attachment, conversationId))),
    );
  return (
    <li className="file">
      {thumbnail !== undefined && (
        <button
          type="button"
          className="file-picture"
          onClick={() => void show()}
          aria-label={`${w('files.open')}: ${name}`}
        >
          <img src={thumbnailAddress(thumbnail)} alt="" />
        </button>
      )}
      <span className="file-name" title={name}>
        {name}
      </span>
      <span className="file-size" role="status">
        {step ?? way ?? sizeWords(bytes)}
      </span>
      {thumbnail === undefined && kindOf(attachment) === 'picture' && (
        <button type="button" className="quiet" onClick={() => void show()}>
          {w('files.open')}
        </button>
      )}
      <button type="button" className="quiet" onClick={() => void save()} aria-label={`${w('files.save')}: ${name}`}>
        {w('files.save')}
      </button>
      {picture !== undefined && (
        <Dialog title={name} onClose={() => setPicture(undefined)}>
          <img className="file-shown" src={picture} alt={name} />
        </Dialog>
      )}
    </li>
  );
}

/** What is on its way of this file, in words. */
function useTransfer(files: Files | undefined, blobId: string): string | undefined {
  const [, draw] = useState(0);
  useEffect(() => files?.attachments.subscribe(() => draw((count) => count + 1)), [files]);
  const sending = files?.attachments.state.sending;
  if (sending?.blobId !== blobId) return undefined;
  return w('files.sending', { percent: Math.round((100 * sending.sent) / sending.parts) });
}

function useFiles(): Files | undefined {
  const { files } = useApp();
  const [open, setOpen] = useState<Files | undefined>();
  useEffect(() => {
    let isHere = true;
    void files().then(
      (opened) => isHere && setOpen(opened),
      () => undefined,
    );
    return () => {
      isHere = false;
    };
  }, [files]);
  return open;
}
