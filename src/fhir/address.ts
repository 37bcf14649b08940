import ipaddr from 'ipaddr.js';

/** Ranges of the hospital's own network: right where a client's record says so. */
const INNER = ['private', 'uniqueLocal', 'carrierGradeNat', 'loopback'];

/**
 * Whether the service may connect to an address. The cloud's metadata (link-local), multicast, unspecified and reserved
 * ranges never; private ranges only for a client whose servers stand there. An IPv4 address inside IPv6 is judged as
 * IPv4, so that `::ffff:169.254.169.254` is no way around (conformance F8).
 */
export function mayConnect(address: string, privateNetwork: boolean): boolean {
  if (!ipaddr.isValid(address)) return false;
  const range = ipaddr.process(withoutPadding(address)).range();
  return range === 'unicast' || (privateNetwork && INNER.includes(range));
}

/** A host that is an address itself, without the brackets of IPv6; undefined for a name. */
export function literalAddress(host: string): string | undefined {
  const bare = host.replace(/^\[|\]$/g, '');
  return ipaddr.isValid(bare) ? bare : undefined;
}

/** IPv6's old way to write an IPv4 address, `::127.0.0.1`, as that IPv4 address. */
function withoutPadding(address: string): string {
  const parsed = ipaddr.parse(address);
  if (!(parsed instanceof ipaddr.IPv6)) return address;
  const [high = 0, low = 0] = parsed.parts.slice(6);
  const padded = parsed.parts.slice(0, 6).every((part) => part === 0) && (high !== 0 || low > 1);
  return padded ? [high >> 8, high & 255, low >> 8, low & 255].join('.') : address;
}
