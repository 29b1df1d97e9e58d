/** "See this as the operator": what the server holds of whoever asks, and of nobody else. */
import { Hono } from 'hono';
import { type LiveView, operatorView } from '../operator.ts';
import { type AppEnv, requireSession, type Services, spend } from '../services.ts';

export function operatorRoutes(services: Services): Hono<AppEnv> {
  return new Hono<AppEnv>().get('/operator-view', async (c) => {
    const { subject } = requireSession(c);
    // Every table is asked.
    spend(services.rates.accountCalls, subject.id, 10);
    return c.json({ ...(await operatorView(services.db, subject.id)), ...liveView(services, subject.id) });
  });
}

/** @param subjectId whose frames and log lines */
export function liveView({ captures, log }: Pick<Services, 'captures' | 'log'>, subjectId: string): LiveView {
  return { relay: captures.framesOf(subjectId), log: log.linesOf(subjectId) };
}
