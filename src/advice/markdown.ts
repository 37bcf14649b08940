import { escapeHtml } from '../report/markup.ts';

/** Converts the Markdown used in cards/ to HTML: paragraphs, lists, tables, bold. Everything else stays plain text. */
export function markdownHtml(text: string): string {
  return text
    .trim()
    .split(/\n{2,}/)
    .map((block) => blockHtml(block.split('\n').map((line) => line.trim())))
    .join('\n');
}

function blockHtml(lines: string[]): string {
  if (lines.every((line) => line.startsWith('- ')))
    return `<ul>${lines.map((line) => `<li>${inlineHtml(line.slice(2))}</li>`).join('')}</ul>`;
  if (lines.length > 1 && lines.every((line) => line.startsWith('|'))) return tableHtml(lines);
  return `<p>${inlineHtml(lines.join(' '))}</p>`;
}

function tableHtml([head = '', , ...rows]: string[]): string {
  const cells = (line: string) => line.replace(/^\||\|$/g, '').split('|');
  const row = (line: string, tag: string) =>
    `<tr>${cells(line)
      .map((cell) => `<${tag}>${inlineHtml(cell.trim())}</${tag.split(' ')[0]}>`)
      .join('')}</tr>`;
  return `<div class="scroll" tabindex="0"><table><thead>${row(head, 'th scope="col"')}</thead><tbody>${rows.map((line) => row(line, 'td')).join('')}</tbody></table></div>`;
}

function inlineHtml(text: string): string {
  return escapeHtml(text).replace(/\*\*(.+?)\*\*/g, '<strong>$1</strong>');
}
