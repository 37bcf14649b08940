import type { Client } from './clients.ts';

/** A TLS certificate that a client showed and that one of our authorities vouches for. */
export type Certificate = {
  /** SHA-256, hexadecimal. */
  fingerprint: string;
  /** Its subject's common name, and the names of its DNS alternatives. */
  names: string[];
};

const FINGERPRINT = /^(?:[0-9a-f]{2}:?){31}[0-9a-f]{2}$/i;

/** Whether a client's certificate is one of those in its record; a client without any in its record needs none (conformance J19). */
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
