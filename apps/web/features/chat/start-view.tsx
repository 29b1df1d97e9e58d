import { t } from '../../shell/words.ts';
import { useApp } from '../../ui/app-context.ts';
import { useStore } from '../../ui/use-store.ts';

/** Above the composer of the empty screen: the name, and what the starter can do. */
export function StartView() {
  const { proof, composer, chat } = useApp();
  const said = useStore(chat.state).notice?.code === 'engine-missing';
  const { list, known } = useStore(proof.models);
  const model = list[0];
  const prompts = [t('start.prompt1'), t('start.prompt2'), t('start.prompt3')];
  return (
    <div className="start">
      <h1 className="voice">{t('app.name')}</h1>
      {known && model === undefined && !said && <p className="note alarm">{t('start.noModel')}</p>}
      {model?.starter && (
        <div className="starter">
          <p className="note">{t('start.starter')}</p>
          <ul>
            {prompts.map((prompt) => (
              <li key={prompt}>
                <button
                  type="button"
                  className="prompt"
                  onClick={() => {
                    composer.setText(prompt);
                    void composer.submit();
                  }}
                >
                  {prompt}
                </button>
              </li>
            ))}
          </ul>
        </div>
      )}
    </div>
  );
}
