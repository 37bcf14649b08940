import type { Client } from './clients.ts';

/** A client's TLS certificate, issued by one of our trusted authorities. */
export type Certificate = {
  /** SHA-256, hexadecimal. */
  fingerprint: string;
  /** The subject's common name and the DNS names of its subject alternative names. */
  names: string[];
};

const FINGERPRINT = /^(?:[0-9a-f]{2}:?){31}[0-9a-f]{2}$/i;

/**
 * Whether the certificate is one of those in the client's record. A client without any in its record needs none
 * (conformance J19).
 */
export function isCertified({ certificates }: Client, shown: Certificate | undefined): boolean {
  if (certificates === undefined) return true;
  if (!shown) return false;
  return certificates.some((known) =>
    FINGERPRINT.test(known) ? bare(known) === bare(shown.fingerprint) : shown.names.includes(known),
  );
}

function bare(fingerprint: string): string {
  return fingerprint.replaceAll(':', '').toLowerCase();
}
