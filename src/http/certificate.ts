import { TLSSocket } from 'node:tls';
import type { FastifyRequest } from 'fastify';
import type { Certificate } from '../trust/certificate.ts';

/** The client's certificate on this connection; undefined unless one of our authorities issued it. */
export function certificateOf(request: FastifyRequest): Certificate | undefined {
  const { socket } = request.raw;
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const certificate = socket.getPeerX509Certificate();
  if (!certificate) return undefined;
  const { subject, subjectAltName = '' } = certificate;
  const common = [...subject.matchAll(/^CN=(.+)$/gm)].map(([, name]) => name as string);
  // Node quotes names with unusual characters; such names match no client.
  const alternatives = subjectAltName.split(', ').flatMap((part) => /^DNS:([^"\s]+)$/.exec(part)?.[1] ?? []);
  return { fingerprint: certificate.fingerprint256, names: [...common, ...alternatives] };
}
