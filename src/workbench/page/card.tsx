import { useId, useMemo, useState } from 'preact/hooks';
import { Comparison } from './diff.tsx';
import { IndicatorIcon } from './icons.tsx';
import { htmlOf } from './markdown.ts';
import { changesOf } from './request.ts';
import type { Workbench } from './state.ts';
import type { Card, Indicator, Json, Suggestion } from './wire.ts';

const words: Record<Indicator, string> = { info: 'Information', warning: 'Warning', critical: 'Critical' };

type Props = { card: Card; bench: Workbench; request: Json };

/** One card. Its words are the service's, in the requested language; the frame is this page's. */
export function CardView({ card, bench, request }: Props) {
  const id = useId();
  const html = useMemo(() => htmlOf(card.detail ?? ''), [card.detail]);
  const language = bench.answer?.language;
  const topic = card.source.topic.code;
  // Another scheme could run or load something.
  const url = /^https?:/.test(card.source.url ?? '') ? card.source.url : undefined;
  const overridden = bench.reactions.some((reaction) => reaction.topic === topic && reaction.kind === 'overridden');
  return (
    <article class={`card ${card.indicator}${overridden ? ' done' : ''}`} aria-labelledby={id}>
      <p class="indicator">
        <IndicatorIcon indicator={card.indicator} />
        {words[card.indicator]}
        {overridden ? <span class="badge">Overridden</span> : null}
      </p>
      <h3 id={id} lang={language}>
        {card.summary}
      </h3>
      {card.detail ? (
        // Sanitised by DOMPurify.
        <div class="detail" lang={language} dangerouslySetInnerHTML={{ __html: html }} />
      ) : null}
      {card.suggestions ? (
        <ul class="suggestions">
          {card.suggestions.map((suggestion) => (
            <SuggestionView key={suggestion.uuid} {...{ card, suggestion, bench, request }} />
          ))}
        </ul>
      ) : null}
      <Override card={card} bench={bench} />
      <p class="source">
        {url !== undefined ? (
          <a href={url} target="_blank" rel="noreferrer">
            {card.source.label}
          </a>
        ) : (
          card.source.label
        )}
        {card.links
          ?.filter((link) => /^https?:/.test(link.url))
          .map((link) => (
            <a key={link.url} href={link.url} target="_blank" rel="noreferrer" lang={language}>
              {link.label}
            </a>
          ))}
        <button type="button" class="link" onClick={() => bench.explain(topic)}>
          Why this card: <code>{topic}</code>
        </button>
      </p>
    </article>
  );
}

function SuggestionView({ card, suggestion, bench, request }: Props & { suggestion: Suggestion }) {
  const [open, setOpen] = useState(false);
  const id = useId();
  const { language } = bench.answer ?? {};
  const { suggestions = [] } = card;
  const leads = suggestions.length === 1 || suggestion.isRecommended;
  return (
    <li>
      <div class="suggestion">
        <button
          type="button"
          class={leads ? 'primary' : 'other'}
          lang={language}
          onClick={() => void bench.accept(card, suggestion)}
        >
          {suggestion.label}
        </button>
        {suggestion.isRecommended ? <span class="badge">Recommended</span> : null}
        <button
          type="button"
          class="quiet-button"
          aria-expanded={open}
          aria-controls={id}
          aria-label={`${open ? 'Hide' : 'Preview'} the change: ${suggestion.label}`}
          onClick={() => setOpen(!open)}
        >
          {open ? 'Hide' : 'Preview'}
        </button>
      </div>
      <div id={id} hidden={!open}>
        {open
          ? changesOf(request, suggestion.actions).map((change, at) => (
              <div key={change.ref}>
                <p class="quiet" lang={language}>
                  {suggestion.actions[at]?.description}
                </p>
                <Comparison change={change} />
              </div>
            ))
          : null}
      </div>
    </li>
  );
}

function Override({ card, bench }: { card: Card; bench: Workbench }) {
  const [code, setCode] = useState('');
  const id = useId();
  const reasons = card.overrideReasons ?? [];
  const { language } = bench.answer ?? {};
  return (
    <form
      class="override"
      onSubmit={(event) => {
        event.preventDefault();
        void bench.override(
          card,
          reasons.find((reason) => reason.code === code),
        );
      }}
    >
      {reasons.length > 0 ? (
        <>
          <label for={id} class="label-text">
            Reason
          </label>
          <select id={id} value={code} onChange={({ currentTarget }) => setCode(currentTarget.value)}>
            <option value="">without a reason</option>
            {reasons.map((reason) => (
              <option key={reason.code} value={reason.code} lang={language}>
                {reason.display ?? reason.code}
              </option>
            ))}
          </select>
        </>
      ) : null}
      <button type="submit" class="quiet-button">
        {reasons.length > 0 ? 'Override' : 'Override without a reason'}
      </button>
    </form>
  );
}
