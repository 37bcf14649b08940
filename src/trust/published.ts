/** Keys and issuers whose private half is published: whoever trusts them trusts everybody (conformance J18). */
const PUBLISHED = {
  hosts: ['sandbox.cds-hooks.org'],
  /** Paths of Inferno's CRD server suite, whose default keys stand in its repository. */
  paths: [/\/custom\/crd_server(\/|$)/],
  kids: ['44823f3d-0b01-4a6c-a80e-b9d3e8a7226f'],
  coordinates: ['dw_JGR8nB2I6XveNxUOl2qk699ZPLM2nYI5STSdiEl9avAkrm3CkfYMbrrjr8laB'],
};

/** Whether an issuer or a key address belongs to a test server. */
export function isPublishedAddress(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { hostname, pathname } = new URL(address);
  const path = pathname.replace(/\/{2,}/g, '/');
  return PUBLISHED.hosts.includes(hostname) || PUBLISHED.paths.some((published) => published.test(path));
}

/** Whether a public key (JWK) is that of a test server. */
export function isPublishedKey(key: Record<string, unknown>): boolean {
  return PUBLISHED.kids.includes(String(key['kid'])) || PUBLISHED.coordinates.includes(String(key['x']));
}
