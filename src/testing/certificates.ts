import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export type CertificateFiles = { cert: string; key: string };

// In a constant, because knip would take a literal program name for one of our packages.
const program = 'openssl';

/** Whether certificates can be made here. */
export const canCertify = spawnSync(program, ['version']).status === 0;

/** Writes a certificate valid for two days and its key to files in a folder; self-signed, or issued by another one. */
export function certify(folder: string, name: string, subject: string, names: string, by?: CertificateFiles) {
  const [cert, key] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
  const subjects = ['-keyout', key, '-subj', subject, '-addext', `subjectAltName=${names}`];
  const request = [...'req -newkey rsa:2048 -nodes'.split(' '), ...subjects];
  if (!by) execFileSync(program, [...request, '-x509', '-days', '2', '-out', cert], { stdio: 'ignore' });
  else {
    const input = execFileSync(program, request, { stdio: ['ignore', 'pipe', 'ignore'] });
    const issuer = ['-CA', by.cert, '-CAkey', by.key, '-CAcreateserial'];
    const issue = [...'x509 -req -days 2 -copy_extensions copy'.split(' '), ...issuer, '-out', cert];
    execFileSync(program, issue, { input, stdio: ['pipe', 'ignore', 'ignore'] });
  }
  return { cert, key };
}

export function read({ cert, key }: CertificateFiles): { cert: Buffer; key: Buffer } {
  return { cert: readFileSync(cert), key: readFileSync(key) };
}
