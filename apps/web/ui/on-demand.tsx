import { type ComponentType, createElement, type LazyExoticComponent, lazy, Suspense } from 'react';
import { errorWords, t } from '../shell/words.ts';
import { Dialog } from './dialog.tsx';

/**
 * A part of the page that is fetched when it is first drawn.
 *
 * @param instead drawn where it cannot be fetched
 * @param meanwhile drawn until it is there; nothing where it is absent
 */
export function onDemand<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
  instead: ComponentType<Props>,
  meanwhile?: ComponentType<Props>,
): ComponentType<Props> {
  const Part = lazy(() =>
    load().then(
      (found) => ({ default: found }),
      () => ({ default: instead }),
    ),
  ) as LazyExoticComponent<ComponentType<Props>> & ComponentType<Props>;
  return (props: Props) => (
    <Suspense fallback={meanwhile === undefined ? null : createElement(meanwhile, props)}>
      {createElement(Part, props)}
    </Suspense>
  );
}

interface Closable {
  readonly onClose: () => void;
}

/** A dialog, fetched when it is opened, which says so where it cannot be. */
export function dialogOnDemand<Props extends Closable>(
  title: Parameters<typeof t>[0],
  load: () => Promise<ComponentType<Props>>,
): ComponentType<Props> {
  return onDemand(load, ({ onClose }: Closable) => (
    <Dialog title={t(title)} onClose={onClose}>
      <p>{errorWords('network-unreachable')}</p>
    </Dialog>
  ));
}
