/** What went wrong with a file or the words of a command, in one line for the person who gave them. */
export function messageOf(error: unknown): string {
  if (error instanceof SyntaxError) return 'The file is no valid JSON.';
  const { code, path, message } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' ? `There is no file ${path}.` : message;
}
