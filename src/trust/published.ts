/** Issuers and keys whose private half is published. Trusting one means trusting anyone (conformance J18). */
const PUBLISHED = {
  hosts: ['sandbox.cds-hooks.org'],
  /** Paths of Inferno's CRD server suite, whose default keys are in its repository. */
  paths: [/\/custom\/crd_server(\/|$)/],
  /** The sandbox's key, and the two that every Inferno test kit signs with by default. */
  kids: [
    '44823f3d-0b01-4a6c-a80e-b9d3e8a7226f',
    '4b49a739d1eb115b3225f4cf9beb6d1b',
    'b41528b6f37a9500edb8a905a595bdd7',
  ],
  coordinates: [
    'dw_JGR8nB2I6XveNxUOl2qk699ZPLM2nYI5STSdiEl9avAkrm3CkfYMbrrjr8laB',
    'JQKTsV6PT5Szf4QtDA1qrs0EJ1pbimQmM2SKvzOlIAqlph3h1OHmZ2i7MXahIF2C',
  ],
  /** The beginning of each modulus, long enough to identify the key. */
  moduli: ['vjbIzTqiY8K8zApeNng5ekNNIxJfXAue9BjoMrZ9Qy9m7yIA-tf6muEupEXWhq70'],
};

/** Whether an issuer or key address belongs to a test server. */
export function isPublishedAddress(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { hostname, pathname } = new URL(address);
  const path = pathname.replace(/\/{2,}/g, '/');
  return PUBLISHED.hosts.includes(hostname) || PUBLISHED.paths.some((published) => published.test(path));
}

/** Whether a public key (JWK) is that of a test server. */
export function isPublishedKey(key: Record<string, unknown>): boolean {
  const { kid, x, n } = key;
  return (
    PUBLISHED.kids.includes(String(kid)) ||
    PUBLISHED.coordinates.includes(String(x)) ||
    PUBLISHED.moduli.some((begin) => String(n).startsWith(begin))
  );
}
