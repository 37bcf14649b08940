import { type LookupAddress, lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { mayConnect } from './address.ts';

export const REFUSED = 'ERR_ADDRESS_REFUSED';

type Found = (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void;

/**
 * Looks names up for one client. A look-up holds one of the few threads that the process has for it, for as long as a name
 * server likes, so a client has one at a time, and who asks for the same name meanwhile waits for the same answer: slow
 * names of one client hold up no other.
 */
export function createNames(): (hostname: string, found: Found) => void {
  const waiting = new Map<string, Found[]>();
  let busy = false;
  const next = () => {
    const [hostname] = waiting.keys();
    if (busy || hostname === undefined) return;
    busy = true;
    lookup(hostname, { all: true }, (error, addresses) => {
      busy = false;
      const asked = waiting.get(hostname) ?? [];
      waiting.delete(hostname);
      next();
      for (const found of asked) found(error, addresses);
    });
  };
  return (hostname, found) => {
    waiting.set(hostname, [...(waiting.get(hostname) ?? []), found]);
    next();
  };
}

/** The check stands where the connection is made, so that a name cannot change its address in between. */
export function checkedLookup(names: ReturnType<typeof createNames>, privateNetwork: boolean): LookupFunction {
  return (hostname, options, callback) => {
    names(hostname, (error, addresses) => {
      if (error) return callback(error, '', 0);
      const [first] = addresses;
      if (!first || addresses.some(({ address }) => !mayConnect(address, privateNetwork)))
        return callback(Object.assign(new Error('address refused'), { code: REFUSED }), '', 0);
      return options.all ? callback(null, addresses) : callback(null, first.address, first.family);
    });
  };
}
