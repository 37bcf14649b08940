import { TLSSocket } from 'node:tls';
import type { FastifyRequest } from 'fastify';
import type { Certificate } from '../trust/certificate.ts';

/** The certificate that the client showed on this connection; undefined where an authority of ours does not vouch for it. */
export function certificateOf(request: FastifyRequest): Certificate | undefined {
  const { socket } = request.raw;
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const certificate = socket.getPeerX509Certificate();
  if (!certificate) return undefined;
  const { subject, subjectAltName = '' } = certificate;
  const common = [...subject.matchAll(/^CN=(.+)$/gm)].map(([, name]) => name as string);
  // A name with odd signs is quoted by Node, and is then the name of nobody.
  const alternatives = subjectAltName.split(', ').flatMap((part) => /^DNS:([^"\s]+)$/.exec(part)?.[1] ?? []);
  return { fingerprint: certificate.fingerprint256, names: [...common, ...alternatives] };
}
