import type { SearchModel, SearchState, When, Who } from './model.ts';
import { w } from './words.ts';

const WHO: readonly Who[] = ['any', 'mine', 'answers', 'titles'];
const WHEN: readonly When[] = ['any', 'week', 'month', 'year', 'dates'];

/** What narrows the search down. */
export function Filters({ model, state }: { model: SearchModel; state: SearchState }) {
  const { choices, places, hasThisChat } = state;
  return (
    <fieldset className="search-filters">
      <legend className="hidden">{w('filters')}</legend>
      <label>
        <span>{w('who')}</span>
        <select value={choices.who} onChange={({ target }) => model.choose({ who: target.value as Who })}>
          {WHO.map((who) => (
            <option key={who} value={who}>
              {w(`who.${who}`)}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span>{w('when')}</span>
        <select value={choices.when} onChange={({ target }) => model.choose({ when: target.value as When })}>
          {WHEN.map((when) => (
            <option key={when} value={when}>
              {w(`when.${when}`)}
            </option>
          ))}
        </select>
      </label>
      {choices.when === 'dates' && (
        <>
          <Day label={w('from')} value={choices.fromDay} onChange={(fromDay) => model.choose({ fromDay })} />
          <Day label={w('to')} value={choices.toDay} onChange={(toDay) => model.choose({ toDay })} />
        </>
      )}
      {(hasThisChat || places.length > 0) && (
        <label>
          <span>{w('where')}</span>
          <select value={choices.where} onChange={({ target }) => model.choose({ where: target.value })}>
            <option value="any">{w('where.any')}</option>
            {hasThisChat && <option value="this">{w('where.this')}</option>}
            {places.map(({ value, name, isTag }) => (
              <option key={value} value={value}>
                {w(isTag ? 'where.tag' : 'where.folder', { name })}
              </option>
            ))}
          </select>
        </label>
      )}
      <label className="search-check">
        <input
          type="checkbox"
          checked={choices.withFile}
          onChange={({ target }) => model.choose({ withFile: target.checked })}
        />
        {w('files')}
      </label>
    </fieldset>
  );
}

function Day({ label, value, onChange }: { label: string; value: string; onChange: (day: string) => void }) {
  return (
    <label>
      <span>{label}</span>
      <input autoComplete="off" type="date" value={value} onChange={({ target }) => onChange(target.value)} />
    </label>
  );
}
