import ipaddr from 'ipaddr.js';

/** Ranges of private networks, allowed if the client's record says so. */
const PRIVATE_RANGES = ['private', 'uniqueLocal', 'carrierGradeNat', 'loopback'];

/**
 * Whether the service may connect to an address. Link-local (cloud metadata), multicast, unspecified and reserved
 * ranges are never allowed, private ranges only for a client whose servers are there. An IPv4 address inside IPv6 is
 * checked as IPv4, so `::ffff:169.254.169.254` is no way around (conformance F8).
 */
export function mayConnect(address: string, privateNetwork: boolean): boolean {
  if (!ipaddr.isValid(address)) return false;
  const range = ipaddr.process(withoutPadding(address)).range();
  return range === 'unicast' || (privateNetwork && PRIVATE_RANGES.includes(range));
}

/** The host if it is an IP address, without the brackets of IPv6; undefined for a name. */
export function literalAddress(host: string): string | undefined {
  const bare = host.replace(/^\[|\]$/g, '');
  return ipaddr.isValid(bare) ? bare : undefined;
}

/** Converts the obsolete IPv6 notation of an IPv4 address, `::127.0.0.1`, to IPv4. */
function withoutPadding(address: string): string {
  const parsed = ipaddr.parse(address);
  if (!(parsed instanceof ipaddr.IPv6)) return address;
  const [high = 0, low = 0] = parsed.parts.slice(6);
  const padded = parsed.parts.slice(0, 6).every((part) => part === 0) && (high !== 0 || low > 1);
  return padded ? [high >> 8, high & 255, low >> 8, low & 255].join('.') : address;
}
