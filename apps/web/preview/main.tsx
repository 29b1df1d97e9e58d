/** The app on fakes, to look at it: `vite build apps/web --mode preview`. Query: `?state=account|order|empty|failed|offline|changed|missing|locked|verified`. */

import { browserClock, browserRandom } from '@sotto/adapters-browser';
import { SottoError } from '@sotto/bytes';
import { Order, openTemporaryHistory } from '@sotto/client/order';
import { createApp } from '../shell/app.ts';
import { browserPage, browserPreferences } from '../shell/page.ts';
import { render } from '../shell/render.tsx';
import type { History, Services, VerificationReport } from '../shell/services.ts';
import {
  FAKE_FINGERPRINT,
  FAKE_REPORT,
  fakeAccounts,
  fakeDevice,
  fakeHistory,
  fakeNetwork,
  fakeOpenSession,
} from './fake-services.ts';

const ANSWER = `A break fee of about two to three months' rent is common, but whether yours holds depends on where you live and what the clause counts. Three things to read first:

**1. Does it stop when the flat is let again?** In many places a landlord may not be paid twice for the same month.

\`\`\`text
Tenant shall pay three (3) months' rent as
liquidated damages, in lieu of further rent.
\`\`\`

The words “in lieu of further rent” help you: they cap what you owe. See [the text](https://example.org/law) or ![a picture](https://example.org/p.png).

| place | cap | notice |
|---|--:|:-:|
| Here | 3 | 30 |
| There | 2 | 60 |

- one
- two
  - [x] done
  - [ ] not yet

> Quoted &amp; calm.
`;

class Refused extends SottoError<'evidence-signature'> {
  readonly report: VerificationReport;
  constructor() {
    super('evidence-signature', 'refused', { action: 'stop' });
    const [first, ...others] = FAKE_REPORT.checks;
    this.report = {
      ...FAKE_REPORT,
      checks: [...others, { ...(first as (typeof others)[number]), status: 'failed', observed: 'a1b2c3d4' }],
    };
  }
}

const want = new URLSearchParams(location.search).get('state');
const clock = browserClock;
const fake = fakeHistory(clock);
/** With folders it is a real one, kept nowhere. */
const history = want === 'order' ? await orderedHistory() : fake;
const device = fakeDevice();
const open = fakeOpenSession(clock, ANSWER);
const dayMs = 86_400_000;
for (const [title, ago] of want === null
  ? ([
      ['Names for a bakery', 6],
      ['Letter to my landlord', 5],
      ['Postgres index on jsonb', 0],
      ['What the blood test means', 0],
    ] as const)
  : []) {
  await fakeHistoryAt(title, ago);
}
async function fakeHistoryAt(title: string, daysAgo: number) {
  const id = await history.createConversation(title);
  Object.assign(history.conversations().find((one) => one.conversationId === id) ?? {}, {
    updatedAtMs: clock.nowMs() - daysAgo * dayMs,
  });
}
if (want !== 'missing')
  await device.set(
    'pinned-fingerprint',
    new TextEncoder().encode(want === 'changed' ? 'ab12'.padEnd(64, '1') : FAKE_FINGERPRINT),
  );

const accounts = fakeAccounts(clock, history);
const services: Services = {
  clock,
  random: browserRandom,
  device,
  openSession: async (options) => {
    if (want === 'failed') throw new Refused();
    const session = await open(options);
    // No machine can be verified yet: this shows how it will look.
    const report = { ...FAKE_REPORT, trust: 'verified' } as unknown as VerificationReport;
    return want === 'verified' ? { ...session, report } : session;
  },
  ifAlone: (_, work) => work(),
  tabs: { post: () => {}, subscribe: () => () => {} },
  network: fakeNetwork(clock),
  accounts: {
    ...accounts,
    ...(want === 'locked' && { resume: async () => ({ kind: 'locked' as const }) }),
    ...(want === 'account' && { resume: async () => ({ kind: 'account' as const, history }) }),
  },
  operatorView: async () => ({
    account: { id: 'guest 5f20c1', created_at: 1763724000, kind: 'guest' },
    credentials: [],
    records: fake.writes.map((_, index) => ({
      record_id: (index + 5).toString(16).padStart(32, '0'),
      sequence: index + 1,
      size: 1024,
      epoch: 0,
      first_bytes: 'f0a4c1d2e8b79a00315c',
    })),
    relay_captures: [{ at: clock.nowMs(), direction: 'up', size: 1024, first_48_bytes: '9c1f3a77e2d0045b8a61' }],
    log_lines: ['{"event":"relay-open","session":"5f20c1"}'],
  }),
  preferences: browserPreferences,
  page: want === 'changed' ? { ...browserPage, fragment: () => `dev=${FAKE_FINGERPRINT}` } : browserPage,
};
render(createApp(services));

async function orderedHistory(): Promise<History> {
  const ordered = await openTemporaryHistory({ clock, random: browserRandom });
  const order = new Order({ history: ordered, clock, random: browserRandom });
  const [work, home] = [
    await order.createFolder({ name: 'Work', instructions: 'Answer in one line.' }),
    await order.createFolder({ name: 'Home' }),
  ];
  await order.createFolder({ name: 'Taxes' }, home);
  const titles = [
    'Names for a bakery',
    'Letter to my landlord',
    'Postgres index on jsonb',
    'What the blood test means',
  ];
  for (const [i, title] of titles.entries()) {
    const id = await ordered.createConversation(title);
    await ordered.saveMessage({
      conversationId: id,
      parentId: undefined,
      role: 'user',
      text: title,
      status: 'complete',
    });
    if (i === 0) await order.pin(id);
    if (i === 1) await order.moveChat(id, home);
    if (i === 2) await order.moveChat(id, work);
    if (i === 3) await order.tag(id, 'health');
  }
  return ordered;
}
