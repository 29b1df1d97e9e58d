/**
 * Decides what answers: (a) what the person named, (b) an engine that runs here already, only if the person says so,
 * (c) the best catalogue model that fits, where a hub is reachable and the person wants it, (d) the starter.
 */
import { freemem, totalmem } from 'node:os';
import { resolve } from 'node:path';
import { EXIT, PlainError } from '../plain-error.ts';
import { formatBytes, type Terminal } from '../terminal.ts';
import {
  bestFit,
  CATALOGUE,
  type CatalogueModel,
  estimateTokensPerSecond,
  findCatalogueModel,
  STARTER,
  TIERS,
} from './catalogue.ts';
import { type DetectedEngine, detectEngines, parseEngineUrl } from './detect-engine.ts';
import { isHubReachable } from './download.ts';
import { checkGgufFile, checkModelFile, modelPath } from './model-file.ts';
import { probeMemoryBandwidth } from './speed-probe.ts';

/** What to run. `fetch` must still be downloaded. */
export type EngineChoice =
  | { readonly kind: 'url'; readonly url: string; readonly label: string }
  | { readonly kind: 'file'; readonly path: string; readonly model: CatalogueModel | undefined }
  | { readonly kind: 'fetch'; readonly model: CatalogueModel }
  | { readonly kind: 'none' };

export interface ChooseOptions {
  /** `--model`, if given. */
  readonly model: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  /** The models' folder. */
  readonly folder: string;
  readonly terminal: Terminal;
  readonly mayDownload: boolean;
  /** The world, replaced in tests. */
  readonly detect?: () => Promise<DetectedEngine[]>;
  readonly hubReachable?: () => Promise<boolean>;
}

/** @returns undefined when the person pressed Ctrl-C at the question */
export async function chooseEngine(options: ChooseOptions): Promise<EngineChoice | undefined> {
  if (options.model !== undefined) return named(options.model, options);
  if (options.env.SOTTO_ENGINE_URL) {
    const url = parseEngineUrl(options.env.SOTTO_ENGINE_URL);
    return { kind: 'url', url, label: `the engine at ${new URL(url).host}` };
  }
  const [engines, present] = await Promise.all([(options.detect ?? detectEngines)(), presentModel(options)]);
  for (const engine of engines) options.terminal.line(mention(engine));
  if (!options.terminal.interactive || (present !== undefined && engines.length === 0)) {
    return present === undefined ? starterOrNone(options) : present;
  }
  return ask(options, engines, present);
}

async function named(name: string, options: ChooseOptions): Promise<EngineChoice> {
  const model = findCatalogueModel(name);
  if (model !== undefined) {
    const state = await checkModelFile(options.folder, model);
    if (state === 'damaged') options.terminal.line(damaged(model));
    return state === 'whole'
      ? { kind: 'file', path: modelPath(options.folder, model), model }
      : fetchOrRefuse(model, options);
  }
  if (!/[/\\]|\.gguf$/i.test(name)) {
    throw new PlainError(
      `There is no model called ${JSON.stringify(name)}.`,
      `--model takes a .gguf file or one of: ${CATALOGUE.map(({ id }) => id).join(', ')}.`,
      EXIT.usage,
    );
  }
  const path = resolve(name);
  await checkGgufFile(path);
  return { kind: 'file', path, model: undefined };
}

function fetchOrRefuse(model: CatalogueModel, options: ChooseOptions): EngineChoice {
  if (options.mayDownload) return { kind: 'fetch', model };
  throw new PlainError(`${model.id} is not on this machine yet.`, 'Leave --no-download out to fetch it.', EXIT.noInput);
}

/** The best model that an earlier run fetched. */
async function presentModel(options: ChooseOptions): Promise<EngineChoice | undefined> {
  for (const model of [...TIERS].reverse().concat(STARTER)) {
    const state = await checkModelFile(options.folder, model);
    if (state === 'damaged') options.terminal.line(damaged(model));
    if (state === 'whole') return { kind: 'file', path: modelPath(options.folder, model), model };
  }
  return undefined;
}

function starterOrNone(options: ChooseOptions): EngineChoice {
  return options.mayDownload ? { kind: 'fetch', model: STARTER } : { kind: 'none' };
}

async function ask(
  options: ChooseOptions,
  engines: readonly DetectedEngine[],
  present: EngineChoice | undefined,
): Promise<EngineChoice | undefined> {
  const choices = new Map<string, { label: string; hint?: string; choice: EngineChoice }>();
  const hub =
    options.mayDownload &&
    present === undefined &&
    (await (options.hubReachable ?? (() => isHubReachable(options.env)))());
  if (hub) {
    const bandwidth = await probeMemoryBandwidth();
    const model = bestFit(Math.min(totalmem(), freemem() * 1.5), bandwidth);
    if (model !== undefined) {
      const speed = Math.round(estimateTokensPerSecond(model, bandwidth));
      const digest = model.sha256 === null ? 'digest not pinned: recorded at first download' : 'digest pinned';
      choices.set(model.id, {
        label: `${model.label} (${formatBytes(model.bytes)} download)`,
        hint: `${model.licence}, ${formatBytes(model.ramBytes)} memory, about ${speed} tokens/s here, ${digest}`,
        choice: { kind: 'fetch', model },
      });
    }
  }
  if (present !== undefined) choices.set('present', { label: 'The model that is already here', choice: present });
  else if (options.mayDownload) {
    choices.set('starter', {
      label: `${STARTER.label} (${formatBytes(STARTER.bytes)} download)`,
      choice: { kind: 'fetch', model: STARTER },
    });
  }
  for (const engine of engines) {
    choices.set(engine.name, {
      label: `${engine.name}, which runs on this machine already`,
      hint: `it can read what you write; models: ${engine.models.join(', ') || 'none named'}`,
      choice: { kind: 'url', url: engine.url, label: engine.name },
    });
  }
  if (choices.size === 0) return { kind: 'none' };
  const list = [...choices].map(([value, { label, hint }]) => ({
    value,
    label,
    ...(hint === undefined ? {} : { hint }),
  }));
  const first = list[0] as (typeof list)[number];
  if (list.length === 1 && engines.length === 0) return (choices.get(first.value) as { choice: EngineChoice }).choice;
  const answer = await options.terminal.choose('Which model should answer?', list, first.value);
  return answer === undefined ? undefined : choices.get(answer)?.choice;
}

const mention = (engine: DetectedEngine) =>
  `${engine.name} is running on this machine (not used unless you say so: SOTTO_ENGINE_URL=${engine.url}).`;

const damaged = (model: CatalogueModel) => `The file of ${model.id} is damaged; it was removed and is fetched again.`;
