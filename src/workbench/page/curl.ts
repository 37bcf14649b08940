/** The call as a shell command to paste. A quoted heredoc passes the body unchanged. */
export function curlOf(url: string, language: string, request: unknown): string {
  return [
    `curl -sS ${quoted(url)} \\`,
    `  -H 'content-type: application/json' -H ${quoted(`accept-language: ${language}`)} \\`,
    `  --data-binary @- <<'END_OF_REQUEST'`,
    JSON.stringify(request, null, 2),
    'END_OF_REQUEST',
    '',
  ].join('\n');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
